"""The files of a run: the content of each, and how it is written and read."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from dwn_asic.errors import DataError
from dwn_asic.files import write_json
from dwn_asic.flow.step import Artifact, Codec
from dwn_asic.metrics import SCORES, ScoreKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.report.result import FrontPoint, Netlist, Result
    from dwn_asic.targets.base import Proof

__all__ = [
    "CORE",
    "DATASET",
    "ENCODER",
    "FITTED",
    "FRONT",
    "FRONT_GRAPHS",
    "GRAPH",
    "IMPLEMENTATION",
    "LOG",
    "MATCH",
    "MINIMIZED",
    "NETWORK",
    "PREDICTIONS",
    "PROOF",
    "RESULT",
    "CheckRecord",
    "FittedRecord",
    "FrontRow",
    "ImplementationRecord",
    "MatchRecord",
    "MinimizedPart",
    "MinimizedRecord",
    "binary_artifact",
    "check_records",
    "page_artifact",
    "text_artifact",
]

Value = TypeVar("Value")


# ---- records -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class FittedRecord:
    """The description of a fitted model.

    Attributes
    ----------
    name, label, kind, details
        As in :class:`dwn_asic.methods.base.Classifier`.
    """

    name: str
    label: str
    kind: str
    details: dict[str, str | int | float]


@dataclass(frozen=True)
class MinimizedPart:
    """The exact minimization of core or encoder.

    Attributes
    ----------
    cost
        Mapped cost in the measure of the target's mapper, um2 for ``asic``.
    and_count
        Number of AND nodes of the minimized graph.
    luts_before
        Number of LUTs before minimization.
    proof_seconds
        Time of the equivalence proof in seconds.
    candidates
        Name and mapped cost of each candidate that was tried; the cost is None if it was not mapped.
    """

    cost: float
    and_count: int
    luts_before: int
    proof_seconds: float
    candidates: list[tuple[str, float | None]]


@dataclass(frozen=True)
class MinimizedRecord:
    """The exact minimization of a circuit: both parts, the metrics of the core, and whether it is merged.

    A merged core reads bits of the codes, so it contains the comparators.
    """

    core: MinimizedPart
    encoder: MinimizedPart
    metrics: dict[str, float]
    merged: bool


@dataclass(frozen=True)
class ImplementationRecord:
    """An implementation without its files; see :class:`dwn_asic.targets.base.Implementation`."""

    name: str
    metrics: dict[str, int | float]
    summary: str


@dataclass(frozen=True)
class CheckRecord:
    """A check of the verification; see :class:`dwn_asic.equivalence.check.Check`."""

    what: str
    how: str
    size: int
    seconds: float
    stage: str
    tool: str
    assumes: str
    verdict: str


def check_records(proof: Proof) -> tuple[CheckRecord, ...]:
    """Return the checks of a proof as the artifact :data:`PROOF` holds them."""
    return tuple(CheckRecord(**asdict(check)) for check in proof.checks)


@dataclass(frozen=True)
class MatchRecord:
    """The name of a baseline, and the place on the front of the circuit that matches it, counted from 0."""

    baseline: str
    place: int


@dataclass(frozen=True)
class FrontRow:
    """A line of ``front.csv``; areas are in the unit of the target's cost model, scores are fractions.

    Attributes
    ----------
    circuit
        Path of the circuit's file.
    core, encoder, total
        Areas.
    train, val, expected, test
        Scores, in columns that begin with ``metric``; see
        :class:`dwn_asic.optimize.lossy.front.FrontCircuit`.
    accuracy
        Accuracy on test rows.
    chosen
        Whether validation rows chose this circuit.
    levels
        AND nodes on the longest path; None if an older version made the front.
    start
        Name of the start that led to the circuit; the column is left out if no circuit has one.
    metric
        Key of the score.
    """

    circuit: str
    core: float
    encoder: float
    total: float
    train: float
    val: float
    expected: float
    test: float
    accuracy: float
    chosen: bool
    levels: int | None = None
    start: str = ""
    metric: ScoreKey = "accuracy"

    def point(self, netlist: Netlist | None = None) -> FrontPoint:
        """Return the circuit in the form used by results, with its netlist if it was implemented."""
        from dwn_asic.report.result import FrontPoint

        return FrontPoint(
            core=self.core,
            total=self.total,
            train=self.train,
            val=self.val,
            expected=self.expected,
            test=self.test,
            accuracy=self.accuracy,
            levels=self.levels,
            start=self.start,
            netlist=netlist,
        )


# ---- codecs ------------------------------------------------------------------------------------------------
def _bytes(path: Path) -> bytes:
    """Return the content of a file; raises DataError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from error


def _record(kind: type[Value]) -> Codec[Value]:
    # Functions of the module with an argument, since those inside a function cannot be pickled.
    return Codec(partial(_write_record, kind), partial(_read_record, kind))


def _write_record(kind: type[Value], value: Value, path: Path) -> None:
    write_json(path, TypeAdapter(kind).dump_python(value, mode="json"))


def _read_record(kind: type[Value], path: Path) -> Value:
    try:
        return TypeAdapter(kind).validate_json(_bytes(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DataError(path, f"is damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _write_dataset(value: Dataset, path: Path) -> None:
    value.save(path)


def _read_dataset(path: Path) -> Dataset:
    from dwn_asic.data.dataset import Dataset

    return Dataset.load(path)


def _write_network(value: LutNetwork, path: Path) -> None:
    value.save(path)


def _read_network(path: Path) -> LutNetwork:
    from dwn_asic.boolean.lut_network import LutNetwork

    return LutNetwork.load(path)


def _write_graph(value: BooleanGraph, path: Path) -> None:
    value.save(path)


def _read_graph(path: Path) -> BooleanGraph:
    from dwn_asic.boolean.graph import BooleanGraph

    return BooleanGraph.load(path)


def _write_graphs(value: tuple[BooleanGraph, ...], path: Path) -> None:
    path.mkdir()
    for number, graph in enumerate(value):
        graph.save(path / f"{number:02d}.json")


def _read_graphs(path: Path) -> tuple[BooleanGraph, ...]:
    try:
        names = sorted((file.name for file in path.iterdir()), key=lambda name: (len(name), name))
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from error
    for number, name in enumerate(names):
        if name != f"{number:02d}.json":
            raise DataError(path, f"contains {name} instead of {number:02d}.json")
    return tuple(_read_graph(path / name) for name in names)


def _write_array(value: NDArray[np.int64], path: Path) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.save(file, value.astype(np.int64), allow_pickle=False)


def _read_array(path: Path) -> NDArray[np.int64]:
    import numpy as np

    try:
        found = np.lib.format.read_array(io.BytesIO(_bytes(path)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataError(path, f"not a readable array: {str(error).partition(chr(10))[0]}") from error
    if found.dtype != np.int64 or found.ndim != 1:
        raise DataError(path, f"not class indices, but {found.dtype} of shape {found.shape}")
    return found


_AREAS = ("core", "encoder", "total")
_SCORES = ("train", "val", "expected", "test")
_ACCURACY = "accuracy_test"


def _front_columns(metric: ScoreKey) -> dict[str, str]:
    """Return the columns of numbers, and the attribute of a row that each of them holds."""
    columns = {area: area for area in _AREAS} | {f"{metric}_{part}": part for part in _SCORES}
    return columns | ({} if _ACCURACY in columns else {_ACCURACY: "accuracy"})


def _write_front(value: Sequence[FrontRow], path: Path) -> None:
    """Write the rows of a front, areas with two decimals and scores with six."""
    columns = _front_columns(value[0].metric)
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    named = ["start"] if any(row.start for row in value) else []
    table.writerow(["circuit", *columns, "chosen", "levels", *named])
    for row in value:
        numbers = [f"{getattr(row, key):.{2 if key in _AREAS else 6}f}" for key in columns.values()]
        levels = "" if row.levels is None else row.levels
        chosen, start = "yes" if row.chosen else "", [row.start] if named else []
        table.writerow([row.circuit, *numbers, chosen, levels, *start])
    path.write_text(lines.getvalue(), encoding="utf-8", newline="")


def _read_front(path: Path) -> tuple[FrontRow, ...]:
    try:
        table = csv.DictReader(io.StringIO(_bytes(path).decode("utf-8"), newline=""))
        rows = tuple(_front_row(line) for line in table)
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(path, f"not a front: {error}") from error
    if not rows:
        raise DataError(path, "not a front: no circuits")
    return rows


def _front_row(line: dict[str, str]) -> FrontRow:
    """Return a row, given the cells of its line by column; the columns name the metric."""
    # Version 0.3 named the unit of the areas in their columns, whatever the target.
    cells = {str(column).removesuffix("_nand2"): cell for column, cell in line.items()}
    metric: ScoreKey = next((key for key in SCORES if f"{key}_expected" in cells), "accuracy")
    numbers = {key: float(cells.pop(column)) for column, key in _front_columns(metric).items()}
    circuit, chosen = cells.pop("circuit"), cells.pop("chosen") == "yes"
    levels, start = cells.pop("levels", ""), cells.pop("start", "")
    if cells:
        raise KeyError(", ".join(map(str, cells)))
    return FrontRow(
        circuit,
        **{"accuracy": numbers["test"], **numbers},
        chosen=chosen,
        levels=int(levels) if levels else None,
        start=start,
        metric=metric,
    )


def _write_result(value: Result, path: Path) -> None:
    value.save(path)


def _read_result(path: Path) -> Result:
    from dwn_asic.report.result import Result

    return Result.load(path)


def _read_text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(path, f"cannot be read: {error}") from error


def _write_text(value: str, path: Path) -> None:
    path.write_bytes(value.encode("utf-8"))


def _write_bytes(value: bytes, path: Path) -> None:
    path.write_bytes(value)


_TEXT = Codec(_write_text, _read_text)
_BYTES = Codec(_write_bytes, _bytes)
_GRAPH = Codec(_write_graph, _read_graph)


def text_artifact(name: str) -> Artifact[str]:
    """Return the artifact of a text file in the step's folder."""
    return Artifact(name, _TEXT)


def binary_artifact(name: str) -> Artifact[bytes]:
    """Return the artifact of a file that is not text in the step's folder."""
    return Artifact(name, _BYTES)


def page_artifact(name: str) -> Artifact[bytes]:
    """Return the artifact of a page or figure in the run's folder."""
    return Artifact(name, _BYTES, "")


# ---- files of the run --------------------------------------------------------------------------------------
DATASET = Artifact("dataset.npz", Codec(_write_dataset, _read_dataset), "")
RESULT = Artifact("result.json", Codec(_write_result, _read_result), "")

# ---- files of every circuit's folder -----------------------------------------------------------------------
NETWORK = Artifact("network.npz", Codec(_write_network, _read_network))
FITTED = Artifact("fitted.json", _record(FittedRecord))
GRAPH = Artifact("graph.json", _GRAPH)
PREDICTIONS = Artifact("predictions.npy", Codec(_write_array, _read_array))
CORE = Artifact("core.json", _GRAPH)
ENCODER = Artifact("encoder.json", _GRAPH)
MINIMIZED = Artifact("minimize.json", _record(MinimizedRecord))
IMPLEMENTATION = Artifact("implementation.json", _record(ImplementationRecord))
LOG = text_artifact("implement.log")
PROOF: Artifact[tuple[CheckRecord, ...]] = Artifact("proof.json", _record(tuple[CheckRecord, ...]))

# ---- files of a shrunk circuit's folder --------------------------------------------------------------------
FRONT: Artifact[Sequence[FrontRow]] = Artifact("front.csv", Codec(_write_front, _read_front))
FRONT_GRAPHS = Artifact("front", Codec(_write_graphs, _read_graphs))
MATCH = Artifact("match.json", _record(MatchRecord))
