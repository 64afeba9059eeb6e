"""Hand-off of a verified circuit to those who make a chip of it: Tiny Tapeout projects, LibreLane designs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dwn_asic.api.signoff import cells_or_default
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.ports import feature_of_port
from dwn_asic.data.dataset import Dataset
from dwn_asic.metrics import TOTAL
from dwn_asic.report.datasheet.value import DataSheet
from dwn_asic.targets.asic.librelane.design import LibreLaneDesign, librelane_design
from dwn_asic.targets.asic.signoff.metrics import DELAY
from dwn_asic.targets.asic.tinytapeout.facts import ChipFacts, FeatureFacts, Rows, Value
from dwn_asic.targets.asic.tinytapeout.project import Project, build_project
from dwn_asic.targets.base import Implementation, Target, Vectors

__all__ = ["librelane", "tiny_tapeout"]

_BYTES = 20_000
"""Number of bytes that the tests of a repository load, at most."""
_ROWS = 20, 200
"""Minimum and maximum number of rows that they apply."""


def tiny_tapeout(
    sheet: DataSheet,
    circuit: Circuit,
    dataset: Dataset,
    target: Target | None = None,
    *,
    top: str = "",
    author: str = "",
) -> Project:
    """Write a complete Tiny Tapeout repository for a verified circuit.

    Parameters
    ----------
    sheet
        Data sheet of the circuit, whose numbers the documentation repeats.
    circuit
        The minimized circuit.
    dataset
        Rows that the tests apply, test rows first; without rows they apply random codes.
    target
        Target ``asic`` with the library sky130_fd_sc_hd.
    top
        Name of the top module; by default ``tt_um_dwn_NAME``.
    author
        Author of the project; by default ``dwn-asic``.

    Returns
    -------
    Project
        Path and text of each file, the size of the design, and how codes are loaded.

    Raises
    ------
    ConfigError
        The name of the top module is not allowed.
    DwnAsicError
        The target has other cells, or the circuit does not fit the pins or the largest design.
    ToolError
        Yosys fails.

    Examples
    --------
    >>> import dwn_asic
    >>> dataset = dwn_asic.read_data("sklearn:iris")
    >>> tree = dwn_asic.fit(dataset, "decision_tree", leaves=4)
    >>> circuit = dwn_asic.minimize(tree, effort="low")
    >>> built = dwn_asic.implement(circuit, name="iris")
    >>> proof = dwn_asic.verify(built, tree, circuit)
    >>> sheet = dwn_asic.datasheet(built, tree, circuit, proof, dataset=dataset)
    >>> project = tiny_tapeout(sheet, circuit, dataset)
    >>> project.top, project.tile.name, project.protocol.parallel
    ('tt_um_dwn_iris', '1x1', True)
    """
    chosen = cells_or_default(target, "Tiny Tapeout")
    return build_project(
        circuit, chosen, _facts(sheet), _rows(sheet, circuit, dataset), top=top, author=author
    )


def librelane(
    implementation: Implementation, circuit: Circuit, target: Target | None = None
) -> LibreLaneDesign:
    """Return the files with which LibreLane makes a layout of a circuit.

    Parameters
    ----------
    implementation
        Result of :func:`dwn_asic.implement`, whose Verilog is handed over.
    circuit
        The minimized circuit from which it was built.
    target
        Target ``asic`` that it was built for.

    Returns
    -------
    LibreLaneDesign
        Configuration, constraints, pin order and Verilog, with the clock period and the size of the die.

    Raises
    ------
    DwnAsicError
        The target has no cells, or LibreLane does not support its library.

    Examples
    --------
    >>> import dwn_asic
    >>> dataset = dwn_asic.read_data("sklearn:iris")
    >>> circuit = dwn_asic.minimize(dwn_asic.fit(dataset, "decision_tree", leaves=4), effort="low")
    >>> design = librelane(dwn_asic.implement(circuit, name="iris"), circuit)
    >>> sorted(design.files), design.pdk
    (['config.yaml', 'constraints.sdc', 'pin_order.cfg', 'src/iris.v'], 'sky130A')
    """
    return librelane_design(circuit, implementation, cells_or_default(target, "LibreLane"))


def _facts(sheet: DataSheet) -> ChipFacts:
    found = {metric.name: value for metric, value in sheet.metrics}
    checks = [check for check in sheet.checks if check.succeeded]
    origin = sheet.provenance
    sources = [f"data: {origin.source}, {origin.rows} rows"] if origin.rows else []
    sources += [f"command: {origin.command}"] if origin.command else []
    return ChipFacts(
        name=sheet.name,
        label=sheet.label,
        features=tuple(
            FeatureFacts(
                _index(given.port),
                given.name,
                given.width,
                given.lo,
                given.step,
                given.categories,
                given.missing,
            )
            for given in sheet.inputs
        ),
        class_names=sheet.class_names,
        figures=tuple(_figures(sheet)),
        proofs=tuple(f"{check.what} ({check.how})" for check in checks),
        origin=tuple(sources),
        delay=found.get(DELAY, 0.0),
    )


def _index(port: str) -> int:
    index = feature_of_port(port)
    assert index is not None, port
    return index


def _figures(sheet: DataSheet) -> Iterator[tuple[str, str]]:
    for part in sheet.accuracy.parts if sheet.accuracy is not None else ():
        if part.part == "test":
            share, ends = part.hits / part.rows, f"{part.low:.3f} to {part.high:.3f}"
            yield f"accuracy on {part.rows} test rows (95% confidence interval)", f"{share:.4f} ({ends})"
    shown = (TOTAL, DELAY, "energy__inference", "power__1mhz")
    for metric, value in sheet.metrics:
        if metric.name in shown:
            yield f"classifier: {metric.description}", f"{value:.4g} {metric.unit}"


def _rows(sheet: DataSheet, circuit: Circuit, dataset: Dataset) -> Rows:
    """Return rows of the data, as many as the tests have time for, and random codes after them."""
    count = int(np.clip(_BYTES // max(1, len(sheet.inputs)), *_ROWS))
    places = np.concatenate([dataset.split.test, dataset.split.val, dataset.split.train])[: count * 3 // 4]
    widths = np.array(circuit.core.interface.widths, np.int64)
    ends = np.stack([np.zeros_like(widths), (1 << widths) - 1])
    drawn = Vectors.drawn(circuit, max(1, count - len(places) - len(ends))).codes
    codes = np.concatenate([dataset.codes[places], ends, drawn])
    values = tuple(
        tuple(_value(dataset, int(row), _index(given.port)) for given in sheet.inputs) for row in places
    )
    return Rows(codes, circuit.graph.predict(codes), values)


def _value(dataset: Dataset, row: int, feature: int) -> Value:
    table = dataset.table
    value, texts = float(table.values[row, feature]), table.categories.get(table.feature_names[feature])
    return value if texts is None else texts[int(value)]
