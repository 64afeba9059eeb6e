"""Liberty text of a reduced library with delays, for mappers that look at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.signoff.library import NO_TABLE, TimingLibrary
from dwn_asic.targets.asic.signoff.timing import table_value
from dwn_asic.verilog.cell import Cell

__all__ = ["timed_liberty"]

_LOADS = (1, 2, 4, 8, 16, 32)
"""Loads of the tables, in input pins of the NAND2 cell."""
_SLEWS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Transitions of the tables, in those of the NAND2 cell at the load number :data:`_TYPICAL`."""
_TYPICAL = 2
_SENSES = {"positive": "positive_unate", "negative": "negative_unate", "both": "non_unate"}


def timed_liberty(library: CellLibrary, timing: TimingLibrary) -> str:
    """Return the text of a Liberty file with the delays of the library's gates.

    The tables are sampled from ``timing`` at a few transitions and loads; arcs that differ in their state
    alone become one with the largest delays. Flip-flops have no delays, since mappers of logic need none.

    Parameters
    ----------
    library
        Cells.
    timing
        Their delays.

    Raises
    ------
    PdkError
        A cell has no delays.
    """
    sampler = _Sampler(library, timing)
    return library.liberty(sampler.header(), {cell.name: tuple(sampler.arcs(cell)) for cell in library.cells})


class _Sampler:
    """The grid at which tables are sampled."""

    def __init__(self, library: CellLibrary, timing: TimingLibrary) -> None:
        self._timing = timing
        nand2 = timing.cell(library.nand2)
        arc = next((each for each in nand2.arcs if NO_TABLE not in (*each.delay, *each.transition)), None)
        if arc is None:
            raise PdkError(f"{timing.name}: cell {nand2.name} has no delays")
        pin = max(nand2.pins[arc.source].capacitance)
        self._loads = [pin * multiple for multiple in _LOADS]
        slew = sum(table_value(timing, each, 0.0, self._loads[_TYPICAL]) for each in arc.transition) / 2
        self._slews = [slew * multiple for multiple in _SLEWS]

    def header(self) -> list[str]:
        """Return the attributes and the table template of the library."""
        return [
            "  lu_table_template (grid) {",
            "    variable_1 : input_net_transition;",
            "    variable_2 : total_output_net_capacitance;",
            *(f"  {line}" for line in self._axes()),
            "  }",
        ]

    def arcs(self, cell: Cell) -> Iterator[str]:
        """Yield the lines of the timing of a cell's output."""
        found = self._timing.cell(cell.name).arcs
        for source in cell.inputs:
            arcs = [arc for arc in found if (arc.source, arc.target) == (source, cell.output)]
            if not arcs:
                raise PdkError(f"{self._timing.name}: cell {cell.name} has no timing from {source}")
            senses = {arc.sense for arc in arcs}
            sense = _SENSES[senses.pop() if len(senses) == 1 else "both"]
            yield f'      timing () {{ related_pin : "{source}"; timing_sense : {sense};'
            for edge, way in enumerate(("rise", "fall")):
                for name, pairs in (
                    (f"cell_{way}", [arc.delay for arc in arcs]),
                    (f"{way}_transition", [arc.transition for arc in arcs]),
                ):
                    yield from self._table(name, [pair[edge] for pair in pairs])
            yield "      }"

    def _table(self, name: str, tables: Sequence[int]) -> Iterator[str]:
        known = [table for table in tables if table != NO_TABLE]
        if not known:
            return
        yield f"        {name} (grid) {{"
        yield from (f"      {line}" for line in self._axes())
        rows = []
        for slew in self._slews:
            values = (
                max(table_value(self._timing, each, slew, load) for each in known) for load in self._loads
            )
            rows.append(f'"{", ".join(f"{value:.6g}" for value in values)}"')
        yield f"          values ({', '.join(rows)});"
        yield "        }"

    def _axes(self) -> Iterator[str]:
        for number, axis in enumerate((self._slews, self._loads), 1):
            yield f'    index_{number} ("{", ".join(f"{value:.6g}" for value in axis)}");'
