"""A finished run as values: what a flow left in its folder, read when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    RESULT,
    VERIFIED,
    FrontRow,
    text_artifact,
)
from dwn_asic.flow.engine import Artifact
from dwn_asic.flow.run import RECORD, Flow, open_flow
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
    """A circuit of a run and what became of it; each attribute is read on first use.

    Every attribute raises DataError where its file is missing or damaged, for example because the run ended
    before, or because a baseline is software only.

    Attributes
    ----------
    flow
        Of the run.
    place
        Folder of the circuit below the run's.
    """

    flow: Flow
    place: str

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.flow.folder / self.place

    @cached_property
    def graph(self) -> BooleanGraph:
        """From thresholds to the class index, before exact minimization."""
        return self.read(GRAPH)

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """(N,) class index of each row of the data set, by the model."""
        return self.read(PREDICTIONS)

    @cached_property
    def circuit(self) -> Circuit:
        """The minimized circuit."""
        return Circuit(self.read(ENCODER), self.read(CORE))

    @cached_property
    def implementation(self) -> Implementation:
        """What the target built of it, with files and metrics."""
        from dwn_asic.targets.base import Implementation

        record = self.read(IMPLEMENTATION)
        names = target_kind(self.flow.target.kind).files
        files = {name: self.read(text_artifact(name)) for name in names}
        registers = self.flow.target.hardware.registers
        return Implementation(record.name, files, record.metrics, record.summary, self.read(LOG), registers)

    @cached_property
    def proof(self) -> Proof:
        """The comparisons that held."""
        from dwn_asic.equivalence.check import Check
        from dwn_asic.targets.base import Proof

        checks = self.read(VERIFIED)
        return Proof(tuple(Check(each.what, each.how, each.size, each.seconds) for each in checks))

    def to_verilog(self) -> str:
        """The structural Verilog, before mapping; raises DataError of a target that makes none."""
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
            raise DataError(path, "is missing: the run did not make it, or has not come so far")
        return self.flow.read(artifact.at(folder))


@dataclass(frozen=True, eq=False)
class RunModel(RunCircuit):
    """A fitted model of a run, its exact circuit and, where it was shrunk, the smaller ones."""

    @cached_property
    def classifier(self) -> Classifier:
        """The model as fitted: :func:`dwn_asic.shrink` and :func:`dwn_asic.minimize` take it."""
        record = self.read(FITTED)
        graph = self.graph if self._has(GRAPH) else None
        network = self.read(NETWORK) if self._has(NETWORK) else None
        return Classifier(
            record.name, record.label, record.kind, graph, self.predictions, record.details, network
        )

    @property
    def shrunk(self) -> RunCircuit | None:
        """The circuit that was chosen on the front; None of a run without."""
        circuit = RunCircuit(self.flow, f"{self.place}/{SHRUNK}" if self.place else SHRUNK)
        return circuit if circuit.folder.is_dir() else None

    @cached_property
    def front(self) -> Front | None:
        """Circuits of all sizes, and the one chosen; None of a run without."""
        from dwn_asic.optimize.lossy.front import Front

        shrunk = self.shrunk
        if shrunk is None:
            return None
        rows, graphs = shrunk.read(FRONT), shrunk.read(FRONT_GRAPHS)
        chosen = [number for number, row in enumerate(rows) if row.chosen]
        if len(graphs) != len(rows) or len(chosen) != 1:
            problem = f"{len(rows)} circuits, {len(chosen)} of them chosen, and {len(graphs)} graphs"
            raise DataError(shrunk.folder / FRONT.name, f"is damaged: {problem}")
        circuits = tuple(_front_circuit(row, graph) for row, graph in zip(rows, graphs, strict=True))
        return Front(circuits, chosen[0])

    def _has(self, artifact: Artifact[Value]) -> bool:
        return (self.folder / artifact.name).exists()


@dataclass(frozen=True, eq=False)
class Run(RunModel):
    """A finished run: its own network's circuits, its data set, its baselines and its result."""

    @property
    def name(self) -> str:
        """Of the flow."""
        return self.flow.name

    @cached_property
    def dataset(self) -> Dataset:
        """The rows, their split and their codes."""
        return self.read(DATASET)

    @cached_property
    def network(self) -> LutNetwork:
        """The trained lookup tables."""
        return self.read(NETWORK)

    @cached_property
    def result(self) -> Result:
        """Everything that was measured."""
        return self.read(RESULT)

    @property
    def baselines(self) -> Mapping[str, RunModel]:
        """Name -> what the network is compared with, in the flow's order."""
        names = [planned.name for planned in plan(self.flow.config.baselines)]
        return {name: RunModel(self.flow, f"baselines/{name}") for name in names}


def _front_circuit(row: FrontRow, graph: BooleanGraph) -> FrontCircuit:
    from dwn_asic.optimize.lossy.front import FrontCircuit

    return FrontCircuit(
        graph,
        core=row.core_nand2,
        encoder=row.encoder_nand2,
        total=row.total_nand2,
        train=row.accuracy_train,
        val=row.accuracy_val,
        expected=row.accuracy_expected,
        test=row.accuracy_test,
    )


def load(folder: str | Path) -> Run:
    """A run that ``dwn-asic run`` or ``make run`` made, for example ``build/phoneme``.

    Parameters
    ----------
    folder
        Of the run. Nothing but its record is read until it is asked for.

    Raises
    ------
    DataError
        The folder is no run's.

    Examples
    --------
    >>> load("build/no_such_run")
    Traceback (most recent call last):
    ...
    dwn_asic.errors.DataError: build/no_such_run: is no run: there is no flow.json
    """
    path = Path(folder)
    if path.suffix in {".yaml", ".yml"}:
        raise DataError(path, "is a flow file: 'dwn-asic run' makes the folder of its run")
    if not (path / RECORD).exists():
        raise DataError(path, f"is no run: there is no {RECORD}")
    try:
        return Run(open_flow(path), "")
    except (ConfigError, KeyError, TypeError) as error:
        raise DataError(path / RECORD, f"is damaged: {error}") from error
