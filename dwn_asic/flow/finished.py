"""A finished run as values, which are read from its build folder on first use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dwn_asic.boolean.compose import Circuit
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.flow.artifacts import (
    CORE,
    DATASET,
    ENCODER,
    FITTED,
    FRONT,
    FRONT_GRAPHS,
    GRAPH,
    IMPLEMENTATION,
    LOG,
    NETWORK,
    PREDICTIONS,
    PROOF,
    RESULT,
    FrontRow,
    binary_artifact,
    text_artifact,
)
from dwn_asic.flow.run import RECORD, Flow, open_flow
from dwn_asic.flow.step import Artifact
from dwn_asic.flow.steps.shared import SHRUNK
from dwn_asic.methods.base import Classifier
from dwn_asic.methods.registry import plan
from dwn_asic.targets.registry import target_kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.optimize.lossy.front import Front, FrontCircuit
    from dwn_asic.report.datasheet.value import DataSheet
    from dwn_asic.report.result import Result
    from dwn_asic.targets.base import Implementation, Proof

__all__ = ["Run", "RunCircuit", "load"]

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class RunCircuit:
    """A circuit of a run, from its graph to its proof; each attribute is read on first use.

    Every attribute raises DataError if its file is missing or damaged, for example because the run was
    interrupted, or because a baseline is software only.

    Attributes
    ----------
    flow
        Flow that the run belongs to.
    place
        Folder of the circuit, relative to the folder of the run.
    """

    flow: Flow
    place: str

    @property
    def folder(self) -> Path:
        """Folder of the circuit's files."""
        return self.flow.folder / self.place

    @cached_property
    def graph(self) -> BooleanGraph:
        """Boolean graph from thresholds to the class index, before exact minimization."""
        return self.read(GRAPH)

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """(N,) class indices that the model predicts for the rows of the data set."""
        return self.read(PREDICTIONS)

    @cached_property
    def circuit(self) -> Circuit:
        """Circuit after exact minimization."""
        return Circuit(self.read(ENCODER), self.read(CORE))

    @cached_property
    def implementation(self) -> Implementation:
        """Implementation of the circuit on the target, with files and metrics."""
        from dwn_asic.targets.base import Implementation

        record = self.read(IMPLEMENTATION)
        kind = target_kind(self.flow.target.kind)
        files = {name: self.read(text_artifact(name)) for name in kind.files}
        binaries = {name: self.read(binary_artifact(name)) for name in kind.binaries}
        hardware = self.flow.target.hardware
        return Implementation(
            record.name,
            files,
            record.metrics,
            record.summary,
            self.read(LOG),
            hardware.registers,
            binaries,
            hardware.pipeline,
        )

    @cached_property
    def proof(self) -> Proof:
        """Checks of the verification, none of which failed."""
        from dwn_asic.equivalence.check import Check
        from dwn_asic.targets.base import Proof

        return Proof(tuple(Check(**asdict(check)) for check in self.read(PROOF)))

    def to_verilog(self) -> str:
        """Return structural Verilog before mapping; raises DataError if the target does not make it."""
        return self.read(text_artifact("design.v"))

    def datasheet(self) -> DataSheet:
        """Return the data sheet: ports, scaling of the features, classes, area, accuracy and proof."""
        from dwn_asic.flow.steps.datasheet import datasheet_of

        return datasheet_of(self.flow.datasheet_settings(self.place), self.read)

    def read(self, artifact: Artifact[Value]) -> Value:
        """Return the value of a file of the circuit, or of the run where the artifact names its folder.

        Raises
        ------
        DataError
            The file is missing or damaged.
        """
        folder = self.place if artifact.folder is None else artifact.folder
        path = self.flow.folder / folder / artifact.name
        if not path.exists():
            raise DataError(path, "is missing: the run does not make it or has not made it yet")
        return self.flow.read(artifact.at(folder))


@dataclass(frozen=True, eq=False)
class RunModel(RunCircuit):
    """A fitted model of a run, with its exact circuit and, if it was shrunk, the smaller circuits."""

    @cached_property
    def classifier(self) -> Classifier:
        """Fitted model, as an argument for :func:`dwn_asic.shrink` and :func:`dwn_asic.minimize`."""
        record = self.read(FITTED)
        graph = self.graph if self._has(GRAPH) else None
        network = self.read(NETWORK) if self._has(NETWORK) else None
        return Classifier(
            record.name, record.label, record.kind, graph, self.predictions, record.details, network
        )

    @property
    def shrunk(self) -> RunCircuit | None:
        """Chosen circuit of the front; None if the model was not shrunk."""
        circuit = RunCircuit(self.flow, f"{self.place}/{SHRUNK}" if self.place else SHRUNK)
        return circuit if circuit.folder.is_dir() else None

    def chosen(self, *, shrunk: bool) -> RunCircuit:
        """Return the shrunk circuit or the exact one; raises DataError if the model was not shrunk."""
        if not shrunk:
            return self
        found = self.shrunk
        if found is None:
            raise DataError(self.folder, "has no shrunk circuit: its flow file has no section shrink")
        return found

    @cached_property
    def front(self) -> Front | None:
        """Front of circuits of all sizes; None if the model was not shrunk."""
        from dwn_asic.optimize.lossy.front import Front

        shrunk = self.shrunk
        if shrunk is None:
            return None
        rows, graphs = shrunk.read(FRONT), shrunk.read(FRONT_GRAPHS)
        chosen = [number for number, row in enumerate(rows) if row.chosen]
        if len(graphs) != len(rows) or len(chosen) != 1:
            problem = f"it has {len(rows)} circuits, {len(chosen)} of them chosen, and {len(graphs)} graphs"
            raise DataError(shrunk.folder / FRONT.name, f"is damaged: {problem}")
        circuits = tuple(_front_circuit(row, graph) for row, graph in zip(rows, graphs, strict=True))
        return Front(circuits, chosen[0])

    def _has(self, artifact: Artifact[Value]) -> bool:
        return (self.folder / artifact.name).exists()


@dataclass(frozen=True, eq=False)
class Run(RunModel):
    """A finished run: the circuits of its network, its data set, its baselines and its result."""

    @property
    def name(self) -> str:
        """Name of the flow."""
        return self.flow.name

    @cached_property
    def dataset(self) -> Dataset:
        """Rows of the run, with their split and their codes."""
        return self.read(DATASET)

    @cached_property
    def network(self) -> LutNetwork:
        """Trained network of lookup tables."""
        return self.read(NETWORK)

    @cached_property
    def result(self) -> Result:
        """Result of the run: all metrics of all methods."""
        return self.read(RESULT)

    @property
    def baselines(self) -> Mapping[str, RunModel]:
        """Name and model of each baseline, in the order of the flow file."""
        names = [planned.name for planned in plan(self.flow.config.baselines)]
        return {name: RunModel(self.flow, f"baselines/{name}") for name in names}


def _front_circuit(row: FrontRow, graph: BooleanGraph) -> FrontCircuit:
    from dwn_asic.optimize.lossy.front import FrontCircuit

    return FrontCircuit(
        graph,
        core=row.core,
        encoder=row.encoder,
        total=row.total,
        train=row.train,
        val=row.val,
        expected=row.expected,
        test=row.test,
        accuracy=row.accuracy,
        levels=row.levels,
        start=row.start,
    )


def load(folder: str | Path) -> Run:
    """Open a run that ``dwn-asic run`` or ``make run`` has finished.

    Only a small record is read at once; each file is read when it is first used.

    Parameters
    ----------
    folder
        Build folder of the run, for example ``build/phoneme``.

    Raises
    ------
    DataError
        The folder is not the build folder of a flow.

    Examples
    --------
    >>> load("build/no_such_run")
    Traceback (most recent call last):
    ...
    dwn_asic.errors.DataError: build/no_such_run: is not a run: there is no flow.json
    """
    path = Path(folder)
    if path.suffix in {".yaml", ".yml"}:
        raise DataError(path, "is a flow file, not a run: 'dwn-asic run' makes its build folder")
    if not (path / RECORD).exists():
        raise DataError(path, f"is not a run: there is no {RECORD}")
    try:
        return Run(open_flow(path), "")
    except (ConfigError, KeyError, TypeError) as error:
        raise DataError(path / RECORD, f"is damaged: {error}") from error
