"""Bilinear fits to the tables of a library: a small estimate of timing and power that can be shipped.

For the cells that circuits are mapped to, each table becomes ``base + per_ns * transition + per_pf * load +
per_both * transition * load``, fitted by least squares of the relative error over the loads and transitions
of small circuits: loads of 1 to 16 input pins of the NAND2 cell, and 1/4 to 4 times the transition that this
cell has at 4 such loads. Energies and leakage that depend on the state are averaged over the entries of the
library. Analyses use a fit exactly as they use a whole library.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.signoff.library import (
    NO_TABLE,
    Arc,
    Conditions,
    Constraint,
    InternalPower,
    Leakage,
    Pin,
    TableStore,
    Thresholds,
    TimedCell,
    TimingLibrary,
    WireLoad,
)
from dwn_asic.targets.asic.signoff.timing import table_value
from dwn_asic.verilog.cell import Cell, FlipFlop

__all__ = ["Fit", "FittedArc", "Line", "fit", "timing_library"]

_MULTIPLES = (1, 2, 4, 8, 16)
_SLEWS = (0.25, 0.5, 1.0, 2.0, 4.0)
Pair = tuple[int, int]


@dataclass(frozen=True)
class Line:
    """A value as a bilinear function of transition (ns) and load (pF)."""

    base: float
    per_ns: float
    per_pf: float
    per_both: float = 0.0

    def at(self, transition: float, load: float) -> float:
        """Return the value at a transition (ns) and a load (pF)."""
        return self.base + self.per_ns * transition + (self.per_pf + self.per_both * transition) * load


Lines = tuple[Line | None, Line | None]
"""Lines for the rising and the falling edge; None where the library has no table."""


@dataclass(frozen=True)
class FittedArc:
    """Fits that belong to a pin of a cell, or to two.

    Attributes
    ----------
    kind
        ``arc``: from an input to an output. ``clock``: from a rising clock to an output. ``pin``: an input
        alone. ``setup``: the setup time of data before a rising clock, as a function of the data's
        transition.
    cell, source, target
        Names of the cell and of its pins; ``target`` is empty for ``pin``, and the data pin for ``setup``.
    sense
        ``positive``, ``negative`` or ``both``; empty where it has no meaning.
    delay, transition
        Delays (for ``setup`` the setup time) and transitions in ns.
    energy
        Energies in pJ of a transition of the target, or of the pin.
    capacitance
        Capacitance in pF that a rising and a falling edge at the pin see; only of ``pin``.
    """

    kind: str
    cell: str
    source: str
    target: str
    sense: str = ""
    delay: Lines = (None, None)
    transition: Lines = (None, None)
    energy: Lines = (None, None)
    capacitance: tuple[float, float] | None = None


@dataclass(frozen=True)
class Fit:
    """The fit of a library.

    Attributes
    ----------
    conditions
        Operating conditions of the library.
    thresholds
        Where its delays and transitions are measured.
    arcs
        Fits, cell by cell.
    wire_load
        Wire-load model that the library uses by default; None for none.
    error, worst
        Mean and largest relative error of a delay, over all delays and all points of the fit.
    """

    conditions: Conditions
    thresholds: Thresholds
    arcs: tuple[FittedArc, ...]
    wire_load: WireLoad | None = None
    error: float = 0.0
    worst: float = 0.0


def fit(library: TimingLibrary, cells: CellLibrary) -> Fit:
    """Fit the tables of the cells that circuits are mapped to.

    Raises
    ------
    PdkError
        The library lacks one of these cells, or its NAND2 has no delays.
    """
    fitter = _Fitter(library, cells)
    kinds: Iterable[Cell | FlipFlop] = (*cells.cells, *cells.flip_flops)
    arcs = tuple(arc for kind in kinds for arc in fitter.arcs(kind))
    errors = np.concatenate(fitter.errors) if fitter.errors else np.zeros(1)
    return Fit(
        library.conditions,
        library.thresholds,
        arcs,
        library.wire_loads.get(library.default_wire_load),
        float(errors.mean()),
        float(errors.max()),
    )


class _Fitter:
    """The points at which tables are read, and the fits to them."""

    def __init__(self, library: TimingLibrary, cells: CellLibrary) -> None:
        self.library = library
        nand2 = library.cell(cells.nand2)
        arc = next((each for each in nand2.arcs if NO_TABLE not in each.transition), None)
        if arc is None:
            raise PdkError(f"{library.name}: cell {nand2.name} has no delays to fit")
        pin = nand2.pins[arc.source].capacitance
        wires = library.wire_loads.get(library.default_wire_load)
        loads = [
            float(multiple * max(pin)) + (wires.length(multiple) * wires.capacitance if wires else 0.0)
            for multiple in _MULTIPLES
        ]
        slew = float(np.mean([self._value(table, 0.0, loads[2]) for table in arc.transition]))
        slews = [multiple * slew for multiple in _SLEWS]
        self._points = np.array([(s, load) for s in slews for load in loads])
        self._matrix = np.column_stack([np.ones(len(self._points)), self._points, self._points.prod(axis=1)])
        self.errors: list[NDArray[np.float64]] = []

    def _value(self, table: int, first: float, second: float) -> float:
        return table_value(self.library, table, first, second)

    def _line(self, tables: Sequence[int], *, delay: bool = False, load: bool = True) -> Line | None:
        """Fit the mean of some tables; without ``load``, a function of the transition alone."""
        known = [table for table in tables if table != NO_TABLE]
        if not known:
            return None
        values = np.array(
            [np.mean([self._value(t, s, c if load else 0.0) for t in known]) for s, c in self._points]
        )
        matrix = self._matrix if load else self._matrix[:, :2]
        weights = 1.0 / np.maximum(np.abs(values), 0.05 * np.abs(values).max() + 1e-12)
        found = np.linalg.lstsq(matrix * weights[:, None], values * weights, rcond=None)[0]
        if delay:
            self.errors.append(np.abs(matrix @ found - values) * weights)
        return Line(*map(float, found)) if load else Line(float(found[0]), float(found[1]), 0.0)

    def arcs(self, kind: Cell | FlipFlop) -> list[FittedArc]:
        """Return the fits of a cell."""
        cell = self.library.cell(kind.name)
        output = kind.output
        clock = kind.clock if isinstance(kind, FlipFlop) else ""
        entries = [each for each in cell.internal if each.supply not in self.library.grounds]
        found = []
        for source in kind.inputs:
            arcs = [arc for arc in cell.arcs if (arc.source, arc.target) == (source, output)]
            energies = [each for each in entries if each.pin == output and each.related in {source, ""}]
            if arcs and (not clock or source == clock):
                senses = {arc.sense for arc in arcs}
                found.append(
                    FittedArc(
                        "clock" if clock else "arc",
                        kind.name,
                        source,
                        output,
                        senses.pop() if len(senses) == 1 else "both",
                        self._both([arc.delay for arc in arcs], delay=True),
                        self._both([arc.transition for arc in arcs]),
                        self._both([each.energy for each in energies]),
                    )
                )
            alone = self._both([each.energy for each in entries if each.pin == source], load=False)
            capacitance = cell.pins[source].capacitance
            found.append(FittedArc("pin", kind.name, source, "", energy=alone, capacitance=capacitance))
        for check in cell.constraints:
            if isinstance(kind, FlipFlop) and (check.kind, check.data, check.edge) == (
                "setup",
                kind.data,
                "rising",
            ):
                found.append(FittedArc("setup", kind.name, kind.clock, kind.data, delay=self._setup(check)))
                break
        return found

    def _both(self, pairs: Sequence[Pair], *, delay: bool = False, load: bool = True) -> Lines:
        rise, fall = (self._line([pair[edge] for pair in pairs], delay=delay, load=load) for edge in (0, 1))
        return rise, fall

    def _setup(self, check: Constraint) -> Lines:
        """Fit the setup time at an ideal clock as a function of the data's transition."""
        slews = np.unique(self._points[:, 0])
        matrix = np.column_stack([np.ones(len(slews)), slews])
        lines: list[Line | None] = []
        for table in check.tables:
            values = np.array([self._value(table, 0.0, slew) for slew in slews])
            base, per_ns = np.linalg.lstsq(matrix, values, rcond=None)[0]
            lines.append(None if table == NO_TABLE else Line(float(base), float(per_ns), 0.0))
        return lines[0], lines[1]


def timing_library(found: Fit, cells: CellLibrary) -> TimingLibrary:
    """Return a fit as a library: tables of two by two points, which extend linearly in each variable."""
    store = TableStore()
    by_cell: dict[str, list[FittedArc]] = {}
    for arc in found.arcs:
        by_cell.setdefault(arc.cell, []).append(arc)
    kinds: Iterable[Cell | FlipFlop] = (*cells.cells, *cells.flip_flops)
    timed = {kind.name: _timed(kind, by_cell.get(kind.name, []), store) for kind in kinds}
    models = {found.wire_load.name: found.wire_load} if found.wire_load else {}
    return TimingLibrary(
        cells.name,
        found.conditions,
        timed,
        store.tables(),
        found.thresholds,
        wire_loads=models,
        default_wire_load=next(iter(models), ""),
    )


def _timed(kind: Cell | FlipFlop, fits: Sequence[FittedArc], store: TableStore) -> TimedCell:
    capacitance = {each.source: each.capacitance or (0.0, 0.0) for each in fits if each.kind == "pin"}
    clock = kind.clock if isinstance(kind, FlipFlop) else ""
    pins = {
        name: Pin(name, "input", "", name == clock, capacitance.get(name, (0.0, 0.0))) for name in kind.inputs
    }
    stored = ("stored", "stored_n") if clock else ()
    inverting = isinstance(kind, FlipFlop) and kind.inverting
    function = kind.function if isinstance(kind, Cell) else stored[inverting]
    pins[kind.output] = Pin(kind.output, "output", function, clock=False, capacitance=(0.0, 0.0))
    arcs, constraints, internal = [], [], []
    for each in fits:
        if each.kind == "setup":
            tables = _pair(store, each.delay, swapped=True)
            constraints.append(Constraint(each.target, each.source, "setup", "rising", tables))
            continue
        if each.kind != "pin":
            arcs.append(
                Arc(
                    each.source,
                    each.target,
                    each.sense,  # type: ignore[arg-type]
                    "rising" if each.kind == "clock" else "any",
                    "",
                    _pair(store, each.delay),
                    _pair(store, each.transition),
                )
            )
        if any(each.energy):
            pin, related = (each.source, "") if each.kind == "pin" else (each.target, each.source)
            internal.append(InternalPower(pin, related, "", "", _pair(store, each.energy)))
    return TimedCell(
        kind.name,
        kind.area,
        pins,
        tuple(arcs),
        tuple(constraints),
        tuple(internal),
        tuple[Leakage, ...](),
        kind.leakage,
        stored,
    )


def _pair(store: TableStore, lines: Lines, *, swapped: bool = False) -> Pair:
    """Keep two lines as tables; ``swapped`` ones are functions of the second variable alone."""
    rise, fall = (_table(store, line, swapped=swapped) for line in lines)
    return rise, fall


def _table(store: TableStore, line: Line | None, *, swapped: bool) -> int:
    if line is None:
        return NO_TABLE
    ends = (0.0, 1.0)
    values = [
        line.at(second, 0.0) if swapped else line.at(first, second) for first in ends for second in ends
    ]
    return store.add(ends, ends, values)
