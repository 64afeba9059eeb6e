"""The cost of circuits in standard cells: mapped area for exact minimization, prices for annealing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.optimize.cost import GatePrices
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.mapping import MAPPING_RECIPES, RANKING
from dwn_asic.verilog.writer import Registers, register_bits

__all__ = ["PRICES", "CellCost", "CellMapper"]

PRICES = GatePrices(and_gate=0.85, xor_gate=2.2, comparator_bit=0.75)
"""Prices in NAND2-equivalents, fitted to sky130_fd_sc_hd. `make figures ONLY=logic` measures how well they
rank circuits by area."""

_ABC_CONSTANTS = frozenset({"_const0_", "_const1_"})


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

    @cached_property
    def mapper(self) -> CellMapper:
        """Mapper to the library's cells."""
        return CellMapper(self.library)

    @property
    def prices(self) -> GatePrices:
        """Average prices of gates, :data:`PRICES`, which are the same for every library."""
        return PRICES

    @property
    def unit(self) -> float:
        """Area of the NAND2 cell in um2."""
        return self.library.nand2_area

    def overhead(self, graph: BooleanGraph) -> float:
        """Return the area of the registers at inputs and outputs in NAND2-equivalents."""
        held = register_bits(graph, self.registers)
        return held * self.library.register_area / self.unit if held else 0.0
