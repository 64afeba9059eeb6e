"""The cost of a circuit on a target: the cost model that optimization minimizes.

Exact minimization needs the cost of a circuit that ABC has mapped; the annealing, which looks at millions of
circuits, needs the average cost of a gate. A target provides both (:mod:`dwn_asic.targets.base`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dwn_asic.boolean.graph import BooleanGraph

__all__ = ["CostModel", "GatePrices", "Mapper"]


@dataclass(frozen=True)
class GatePrices:
    """Area of single gates as the annealing counts it, in units of the cost model; inverters are free.

    Attributes
    ----------
    and_gate, xor_gate
        A two-input gate of the core.
    comparator_bit
        A gate of a comparator's chain; 0 to minimize the core alone.
    code_bit
        A bit of a feature's code that the circuit reads, for example its register.
    core_input
        An input of the core, for example its pipeline register.
    """

    and_gate: float
    xor_gate: float
    comparator_bit: float
    code_bit: float = 0.0
    core_input: float = 0.0

    @property
    def core_only(self) -> GatePrices:
        """The same prices with everything before the core at zero cost."""
        return replace(self, comparator_bit=0.0, code_bit=0.0, core_input=0.0)


class Mapper(Protocol):
    """The mapping of and-inverter graphs to the target by ABC, and the cost of the result."""

    @property
    def files(self) -> Mapping[str, str]:
        """Name and text of each file that :attr:`load` and the recipes read."""

    @property
    def load(self) -> str:
        """ABC command that runs once, before the recipes."""

    @property
    def recipes(self) -> Mapping[str, str]:
        """Name and ABC commands of each mapping recipe; the cheapest result counts."""

    @property
    def ranking(self) -> tuple[str, ...]:
        """Names of the quick recipes that rank graphs; the final graph is mapped with all recipes."""

    def cost(self, blif: str) -> float:
        """Return the cost of the mapped network that a BLIF text describes."""


class CostModel(Protocol):
    """The cost of circuits on a target; reports count in its units (for cells, a NAND2)."""

    @property
    def mapper(self) -> Mapper:
        """The mapper, which also returns the cost of a mapped circuit."""

    @property
    def prices(self) -> GatePrices:
        """Average cost of single gates, in units."""

    @property
    def unit(self) -> float:
        """Cost of one unit in the measure of :attr:`mapper` (for cells, um2)."""

    def overhead(self, graph: BooleanGraph) -> float:
        """Return the units that the target adds to core and encoder of a classifier, such as registers."""
