"""GDS files as klayout reads them, and the regions of their layers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dwn_asic.errors import DataError
from dwn_asic.targets.asic.klayout_module import db as kdb
from dwn_asic.targets.asic.layout_checks.technology import EXTENT, Technology

__all__ = ["Regions", "read_layout", "top_cell"]


def read_layout(path: Path) -> kdb.Layout:
    """Read a GDS or OASIS file; raises DataError if it is missing or not a layout."""
    if not path.is_file():
        raise DataError(path, "is not a file")
    layout = kdb.Layout()
    try:
        layout.read(str(path))
    except RuntimeError as error:
        raise DataError(path, f"is not a layout: {' '.join(str(error).split())}") from error
    return layout


def top_cell(layout: kdb.Layout, source: str, name: str = "") -> kdb.Cell:
    """Return the cell of that name, or the only cell that no other contains; raises DataError without it."""
    tops = {cell.name: cell for cell in layout.top_cells()}
    found = layout.cell(name) if name else next(iter(tops.values())) if len(tops) == 1 else None
    if found is None:
        problem = f"has no cell {name}" if name else f"has {len(tops)} top cells, so one must be named"
        raise DataError(source, f"{problem} (top cells: {', '.join(sorted(tops)) or 'none'})")
    return found


class Regions:
    """The merged regions of drawn and derived layers of one cell and all below it, made when first used.

    Attributes
    ----------
    dbu
        Length in um of a database unit.
    """

    def __init__(self, cell: kdb.Cell, technology: Technology) -> None:
        self._cell, self._technology = cell, technology
        self._made: dict[str, kdb.Region] = {}
        self.dbu = cell.layout().dbu

    def dots(self, um: float) -> int:
        """Return a length in um in database units."""
        return round(um / self.dbu)

    def drawn(self, names: Iterable[str] = ()) -> list[kdb.Region]:
        """Return the regions of the drawn layers of these names, by default of all that the process has."""
        return [self[name] for name in (names or self._technology.layers)]

    def __getitem__(self, name: str) -> kdb.Region:
        if name not in self._made:
            self._made[name] = self._make(name).merged()
        return self._made[name]

    def _make(self, name: str) -> kdb.Region:
        if name == EXTENT:
            box = kdb.Box()
            for region in self.drawn():
                box += region.bbox()
            return kdb.Region(box)
        if name in self._technology.layers:
            layer = self._cell.layout().layer(*self._technology.layers[name])
            return kdb.Region(self._cell.begin_shapes_rec(layer))
        first, operator, second = self._technology.derived[name].split()
        a, b = self[first], self[second]
        return a & b if operator == "and" else a + b if operator == "or" else a - b
