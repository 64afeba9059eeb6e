"""What a target pays for a circuit: the cost model that optimization works for.

Exact minimization asks what a circuit costs once ABC has mapped it; the annealing, which looks at millions of
circuits, asks what a gate costs on average. A target answers both (:mod:`dwn_asic.targets.base`).
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
    """What the annealing counts, in units of the cost model; inverters are free.

    Attributes
    ----------
    and_gate, xor_gate
        One two-input gate of the core.
    comparator_bit
        One gate of a comparator's chain; 0 to pay for the core alone.
    """

    and_gate: float
    xor_gate: float
    comparator_bit: float

    @property
    def core_only(self) -> GatePrices:
        """The same with comparators at zero cost."""
        return replace(self, comparator_bit=0.0)


class Mapper(Protocol):
    """How ABC maps an and-inverter graph to the target, and what the result costs."""

    @property
    def files(self) -> Mapping[str, str]:
        """Name and text of each file that :attr:`load` and the recipes read."""

    @property
    def load(self) -> str:
        """ABC command that runs once, before the recipes."""

    @property
    def recipes(self) -> Mapping[str, str]:
        """Name and ABC commands of each way to map; the cheapest result counts."""

    @property
    def ranking(self) -> tuple[str, ...]:
        """Names of the quick recipes that rank graphs; all recipes are tried on the last graph."""

    def cost(self, blif: str) -> float:
        """Cost of the mapped network that a BLIF text describes."""


class CostModel(Protocol):
    """Cost of circuits on a target; one unit is what reports count in (for cells, a NAND2)."""

    @property
    def mapper(self) -> Mapper:
        """What a mapped circuit costs."""

    @property
    def prices(self) -> GatePrices:
        """What single gates cost on average, in units."""

    @property
    def unit(self) -> float:
        """Cost of one unit, in what :attr:`mapper` counts in (for cells, um2)."""

    def overhead(self, graph: BooleanGraph) -> float:
        """Units that the target adds to core and encoder of a classifier, for example its registers."""
