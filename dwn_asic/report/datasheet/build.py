"""The facts of a data sheet, collected from a circuit and its data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dwn_asic import __version__
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Threshold
from dwn_asic.boolean.ports import feature_port
from dwn_asic.data.confusion import balanced_accuracy, class_scores, confusion_matrix, wilson_interval
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import PARTS, Part
from dwn_asic.report.datasheet.value import (
    Accuracy,
    Comparison,
    DataSheet,
    Example,
    Kind,
    PartAccuracy,
    Provenance,
    SheetInput,
)
from dwn_asic.report.metrics import metrics
from dwn_asic.verilog.writer import used_features

if TYPE_CHECKING:
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.boolean.lut_network import Head
    from dwn_asic.encode.quantizer import Quantizer
    from dwn_asic.targets.base import Implementation, Proof, Technology

__all__ = ["Chosen", "data_sheet", "provenance", "rounded"]

_TOLERANCE = 0.01
"""Maximum rounding error of values as a share of a step."""
_DIGITS = 17
"""Significant digits that distinguish any two float64."""


@dataclass(frozen=True)
class Chosen:
    """The circuit of a design that a data sheet describes.

    Attributes
    ----------
    label, kind, folder, other
        As in :class:`~dwn_asic.report.datasheet.value.DataSheet`.
    head
        Head of the network that the circuit computes; None for other models and for shrunk circuits.
    imported
        Whether the model was trained elsewhere, on unknown rows.
    """

    label: str
    kind: Kind = ""
    folder: str = ""
    other: str = ""
    head: Head | None = None
    imported: bool = False


def data_sheet(
    chosen: Chosen,
    graph: BooleanGraph,
    circuit: Circuit,
    implementation: Implementation,
    proof: Proof,
    technology: Technology,
    dataset: Dataset,
    predictions: NDArray[np.int64],
    provenance: Provenance,
) -> DataSheet:
    """Collect the facts of a data sheet.

    Parameters
    ----------
    chosen
        The circuit to describe.
    graph
        The model's graph, before exact minimization.
    circuit
        The minimized circuit.
    implementation, proof, technology
        Result of a target, the checks that succeeded, and the technology that the circuit was built for.
    dataset
        Data set with the scaling of the features; its table may have no rows.
    predictions
        (N,) class index that the circuit returns for each row.
    provenance
        Origin of the circuit.
    """
    interface, known = circuit.core.interface, metrics()
    used = used_features(circuit.encoder)
    return DataSheet(
        name=implementation.name,
        label=chosen.label,
        kind=chosen.kind,
        folder=chosen.folder,
        other=chosen.other,
        imported=chosen.imported,
        files=tuple(implementation.files),
        technology=technology,
        inputs=tuple(_inputs(used, graph, circuit, dataset)),
        unused=tuple(name for f, name in enumerate(interface.feature_names) if f not in set(used)),
        merged=_reads_bits(circuit.core),
        class_names=interface.class_names,
        class_bits=len(circuit.core.outputs),
        tie=_tie(chosen.head),
        registers=implementation.registers,
        pipeline=implementation.pipeline,
        metrics=tuple(
            (known[name], float(value)) for name, value in implementation.metrics.items() if name in known
        ),
        accuracy=_accuracy(dataset, predictions),
        example=_example(used, dataset, predictions),
        checks=proof.checks,
        provenance=provenance,
    )


def provenance(
    dataset: Dataset,
    *,
    source: str = "",
    flow_file: str = "",
    command: str = "",
    seed: int | None = None,
) -> Provenance:
    """Return the origin of a circuit, with the versions of the installed tools."""
    from dwn_asic.tools import tool_versions

    tools, rows = tool_versions(), len(dataset.table.labels)
    return Provenance(
        source=source or dataset.table.source,
        rows=rows,
        digest=dataset.table.digest if rows else "",
        versions={"dwn-asic": __version__, "yosys": tools["yosys"], "abc": tools["abc"]},
        flow_file=flow_file,
        command=command,
        seed=seed,
    )


# ---- inputs ------------------------------------------------------------------------------------------------
def _inputs(used: list[int], graph: BooleanGraph, circuit: Circuit, dataset: Dataset) -> Iterator[SheetInput]:
    table, quantizer = dataset.table, dataset.quantizer
    bits, constants = defaultdict(set), _constants(graph if _reads_bits(circuit.core) else circuit.core)
    for _, node in circuit.encoder.inputs:
        if isinstance(node, CodeBit):
            bits[node.feature].add(node.bit)
    for f in used:
        name = circuit.core.interface.feature_names[f]
        categories = table.categories.get(name, ())
        yield SheetInput(
            name=name,
            port=feature_port(f, name),
            width=int(quantizer.bits[f]),
            bits=tuple(sorted(bits[f], reverse=True)),
            lo=float(quantizer.lo[f]),
            step=float(quantizer.step[f]),
            thresholds=tuple(_comparisons(constants[f], quantizer, f, dataset)),
            categories=tuple(
                (text, _code(quantizer, f, float(place))) for place, text in enumerate(categories)
            ),
            missing=_code(quantizer, f, table.fills[f]) if table.fills else None,
        )


def _reads_bits(core: BooleanGraph) -> bool:
    """Return whether the core contains the comparators, so that it reads code bits instead of thresholds."""
    return any(isinstance(node, CodeBit) for _, node in core.inputs)


def _constants(graph: BooleanGraph) -> defaultdict[int, list[int]]:
    """Return the ascending constants of each feature, without those that every code reaches or none."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for node in sorted(node for _, node in graph.inputs if isinstance(node, Threshold)):
        if graph.interface.fixed_value(node) is None:
            found[node.feature].append(node.constant)
    return found


def _comparisons(
    constants: list[int], quantizer: Quantizer, f: int, dataset: Dataset
) -> Iterator[Comparison]:
    lo, step = float(quantizer.lo[f]), float(quantizer.step[f])
    values, codes = dataset.table.values[:, f], dataset.codes[:, f]
    for constant in constants:
        boundary, reached = lo + (constant - 0.5) * step, codes >= constant
        low = max(boundary - _TOLERANCE * step, values[~reached].max(initial=-np.inf))
        high = min(boundary + _TOLERANCE * step, values[reached].min(initial=np.inf))
        yield Comparison(constant, rounded(boundary, low, high))


def rounded(value: float, low: float, high: float) -> float:
    """Return a number with few digits near ``value`` that is above ``low`` and at most ``high``.

    >>> rounded(5.449999999999999, 5.449, 5.451)
    5.45
    >>> rounded(1.658, 1.658, 1.6582)
    1.6581
    """
    starts = value, low + (high - low) / 2.0
    for digits, start in product(range(1, _DIGITS + 1), starts):
        found = float(f"{start:.{digits}g}")
        if low < found <= high:
            return found
    return high


def _code(quantizer: Quantizer, f: int, value: float) -> int:
    """Return the code of one value of one feature."""
    return int(quantizer.feature_codes(f, np.array([value]))[0])


def _tie(head: Head | None) -> str:
    if head is None or (head.code == "binary" and head.kind == "direct"):
        return ""
    if head.kind == "popcount":
        return (
            "For each class, the model counts the lookup tables that return 1, and the class with the "
            "largest count wins. Ties go to the class with the lowest index."
        )
    return (
        "The model has one output for each class. If several are 1, the class with the lowest index wins; "
        "if none is 1, the answer is class index 0."
    )


# ---- rows --------------------------------------------------------------------------------------------------
def _accuracy(dataset: Dataset, predictions: NDArray[np.int64]) -> Accuracy | None:
    matrices = {part: _matrix(dataset, predictions, part) for part in PARTS if len(dataset.split.rows(part))}
    if not matrices:
        return None
    parts = []
    for part, matrix in matrices.items():
        rows, hits = int(matrix.sum()), int(matrix.diagonal().sum())
        low, high = wilson_interval(hits, rows)
        parts.append(PartAccuracy(part, rows, hits, low, high, balanced_accuracy(matrix)))
    detailed = parts[-1].part
    return Accuracy(
        tuple(parts), detailed, matrices[detailed], class_scores(matrices[detailed]), dataset.objective.name
    )


def _matrix(dataset: Dataset, predictions: NDArray[np.int64], part: Part) -> NDArray[np.int64]:
    rows = dataset.split.rows(part)
    return confusion_matrix(dataset.table.labels[rows], predictions[rows], dataset.table.n_classes)


def _example(used: list[int], dataset: Dataset, predictions: NDArray[np.int64]) -> Example | None:
    """Return the first row of the last part that has rows, or None if there are no rows."""
    table = dataset.table
    parts = [part for part in PARTS if len(dataset.split.rows(part))]
    if not parts:
        return None
    row = int(dataset.split.rows(parts[-1])[0])

    def shown(f: int) -> float | str:
        value, texts = float(table.values[row, f]), table.categories.get(table.feature_names[f])
        return value if texts is None else texts[int(value)]

    return Example(
        row=row + 1,
        part=parts[-1],
        values=tuple(shown(f) for f in used),
        codes=tuple(int(dataset.codes[row, f]) for f in used),
        answer=int(predictions[row]),
        label=int(table.labels[row]),
    )
