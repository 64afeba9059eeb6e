"""The cost of circuits in standard cells: mapped area for exact minimization, prices for annealing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dwn_asic.boolean.expression import permutation_class, truth_table
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.optimize.cost import GatePrices
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.mapping import MAPPING_RECIPES, RANKING
from dwn_asic.verilog.writer import Registers, register_bits

__all__ = ["PRICES", "CellCost", "CellMapper", "fitted_prices"]

PRICES = GatePrices(and_gate=0.85, xor_gate=2.2, comparator_bit=0.75)
"""Prices in sky130_fd_sc_hd, in NAND2-equivalents: average mapped areas of gates. `make figures ONLY=signoff`
measures how well prices rank circuits by mapped area, in each PDK."""
_PINS = "abc"
_AND_CELLS = ("!a", "!(a b)", "!(a + b)", "!(a b c)", "!(a + b + c)", "!(a b + c)", "!((a + b) c)")
_XOR_CELLS = ("a ^ b", "!(a ^ b)")
_SKY130_AREAS = (25 / 3, 14 / 3)
"""Total areas of these cells in sky130_fd_sc_hd, one of each, in NAND2-equivalents."""
_SUBSTITUTES = {
    "!(a + b)": (1, 3),
    "!(a b c)": (2, 1),
    "!(a + b + c)": (2, 5),
    "!(a b + c)": (2, 2),
    "!((a + b) c)": (2, 2),
    "a ^ b": (4, 0),
    "!(a ^ b)": (4, 1),
}
"""Numbers of NAND2 and inverters that replace a cell which a library lacks."""
_DECIMALS = 2
"""Decimals of fitted prices; the annealing counts area in hundredths."""

_ABC_CONSTANTS = frozenset({"_const0_", "_const1_"})


def fitted_prices(library: CellLibrary) -> GatePrices:
    """Return the average prices of gates in a library, in units of its NAND2 cell.

    They are :data:`PRICES` scaled from sky130_fd_sc_hd to this library: for ANDs and comparators by the total
    area of the cells that these are mostly mapped to (inverter, NAND, NOR, AOI21, OAI21), for XORs by the
    area of XOR2 and XNOR2. A function without a cell is made of NAND2 cells and inverters. No tool runs.
    """
    areas = {
        permutation_class(cell.table, len(cell.inputs)): library.nand2_equivalents(cell.area)
        for cell in library.cells
        if len(cell.inputs) <= len(_PINS)
    }
    ands, xors = (
        _total(functions, areas) / reference
        for functions, reference in zip((_AND_CELLS, _XOR_CELLS), _SKY130_AREAS, strict=True)
    )
    return GatePrices(
        and_gate=round(PRICES.and_gate * ands, _DECIMALS),
        xor_gate=round(PRICES.xor_gate * xors, _DECIMALS),
        comparator_bit=round(PRICES.comparator_bit * ands, _DECIMALS),
    )


def _total(functions: Iterable[str], areas: Mapping[tuple[int, int], float]) -> float:
    """Return the total area of one cell of each function, given areas by permutation class."""
    inverter, nand2 = areas[_class("!a")], areas[_class("!(a b)")]
    total = 0.0
    for function in functions:
        area = areas.get(_class(function))
        if area is None:
            nand2s, inverters = _SUBSTITUTES[function]
            area = nand2s * nand2 + inverters * inverter
        total += area
    return total


def _class(function: str) -> tuple[int, int]:
    pins = [pin for pin in _PINS if pin in function]
    return permutation_class(truth_table(function, pins), len(pins))


@dataclass(frozen=True)
class CellMapper:
    """A :class:`dwn_asic.optimize.cost.Mapper` to the cells of a library; costs are areas in um2."""

    library: CellLibrary

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Files that ABC needs: the reduced library as Liberty text."""
        return {"cells.lib": self.library.liberty()}

    @property
    def load(self) -> str:
        """ABC command that reads the library."""
        return "read_lib -w cells.lib"

    @property
    def recipes(self) -> Mapping[str, str]:
        """All recipes of :data:`dwn_asic.targets.asic.mapping.MAPPING_RECIPES`."""
        return MAPPING_RECIPES

    @property
    def ranking(self) -> tuple[str, ...]:
        """Names of the fast recipes, which rank candidates."""
        return RANKING

    @cached_property
    def _wires(self) -> frozenset[str]:
        # For a constant output ABC writes a gate of its own, and for an output that equals an input or
        # another output a buffer, since BLIF has no aliases. In a netlist both are only wires.
        buffers = {c.name for c in self.library.cells if len(c.inputs) == 1 and c.table == 0b10}
        return _ABC_CONSTANTS | buffers

    def cost(self, blif: str) -> float:
        """Return the area (um2) of the gates in a mapped BLIF text."""
        gates = [line.split()[1] for line in blif.splitlines() if line.startswith(".gate ")]
        return sum(self.library.cell(gate).area for gate in gates if gate not in self._wires)


@dataclass(frozen=True)
class CellCost:
    """A :class:`dwn_asic.optimize.cost.CostModel` of a cell library, in NAND2-equivalents."""

    library: CellLibrary
    registers: Registers = "none"
    pipeline: bool = False

    @cached_property
    def mapper(self) -> CellMapper:
        """Mapper to the library's cells."""
        return CellMapper(self.library)

    @cached_property
    def prices(self) -> GatePrices:
        """Average prices of gates in this library, see :func:`fitted_prices`, and of the registers."""
        prices = fitted_prices(self.library)
        if self.registers in {"inputs", "both"}:
            prices = replace(prices, code_bit=self._register)
        return replace(prices, core_input=self._register) if self.pipeline else prices

    @property
    def unit(self) -> float:
        """Area of the NAND2 cell in um2."""
        return self.library.nand2_area

    def overhead(self, graph: BooleanGraph) -> float:
        """Return the area of the registers in NAND2-equivalents."""
        held = register_bits(graph, self.registers, pipeline=self.pipeline)
        return held * self._register if held else 0.0

    @property
    def _register(self) -> float:
        """Area of a register in NAND2-equivalents."""
        return self.library.register_area / self.unit
