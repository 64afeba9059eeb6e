"""What standard cells cost: mapped area for exact minimization, average prices for the annealing."""

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
"""NAND2-equivalents, fitted to sky130_fd_sc_hd; `make figures ONLY=logic` measures how they rank areas."""

_ABC_CONSTANTS = frozenset({"_const0_", "_const1_"})


@dataclass(frozen=True)
class CellMapper:
    """Mapping to the cells of a library; costs in um2. A :class:`dwn_asic.optimize.cost.Mapper`."""

    library: CellLibrary

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The reduced library as Liberty."""
        return {"cells.lib": self.library.liberty()}

    @property
    def load(self) -> str:
        """Reads the library."""
        return "read_lib -w cells.lib"

    @property
    def recipes(self) -> Mapping[str, str]:
        """:data:`dwn_asic.targets.asic.mapping.MAPPING_RECIPES`."""
        return MAPPING_RECIPES

    @property
    def ranking(self) -> tuple[str, ...]:
        """The quick ones."""
        return RANKING

    @cached_property
    def _wires(self) -> frozenset[str]:
        # A constant output is a gate of ABC's own; one that repeats an input or an output gets a buffer,
        # since BLIF has no aliases. Both are mere wires in a netlist.
        buffers = {c.name for c in self.library.cells if len(c.inputs) == 1 and c.table == 0b10}
        return _ABC_CONSTANTS | buffers

    def cost(self, blif: str) -> float:
        """Area of the gates of a mapped BLIF text."""
        gates = [line.split()[1] for line in blif.splitlines() if line.startswith(".gate ")]
        return sum(self.library.cell(gate).area for gate in gates if gate not in self._wires)


@dataclass(frozen=True)
class CellCost:
    """Cost on the cells of a library, in NAND2-equivalents. A :class:`dwn_asic.optimize.cost.CostModel`."""

    library: CellLibrary
    registers: Registers = "none"

    @cached_property
    def mapper(self) -> CellMapper:
        """To the library's cells."""
        return CellMapper(self.library)

    @property
    def prices(self) -> GatePrices:
        """:data:`PRICES`, for every library."""
        return PRICES

    @property
    def unit(self) -> float:
        """Area of the NAND2 cell in um2."""
        return self.library.nand2_area

    def overhead(self, graph: BooleanGraph) -> float:
        """The registers at inputs and outputs."""
        held = register_bits(graph, self.registers)
        return held * self.library.flip_flop.area / self.unit if held else 0.0
