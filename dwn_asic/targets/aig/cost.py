"""The cost of circuits in AND nodes: an and-inverter graph needs no mapping, so its nodes are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.optimize.cost import GatePrices

__all__ = ["PRICES", "AndCost", "AndMapper"]

PRICES = GatePrices(and_gate=1.0, xor_gate=3.0, comparator_bit=1.0)
"""Prices in AND nodes; each bit of a comparator's chain is one AND or OR."""

_TWO_FANINS = 3
"""Names in a cover of two inputs: both and the output."""


@dataclass(frozen=True)
class AndMapper:
    """A :class:`dwn_asic.optimize.cost.Mapper` that counts the AND nodes of a structurally hashed graph."""

    @property
    def files(self) -> Mapping[str, str]:
        """An empty mapping, since there is no library."""
        return MappingProxyType({})

    @property
    def load(self) -> str:
        """An empty command, since there is no library."""
        return ""

    @property
    def recipes(self) -> Mapping[str, str]:
        """Structural hashing alone, since the minimized graph itself is what the target delivers."""
        return MappingProxyType({"strash": "strash"})

    @property
    def ranking(self) -> tuple[str, ...]:
        """The only recipe, which is fast."""
        return ("strash",)

    def cost(self, blif: str) -> float:
        """Return the number of AND nodes in a BLIF text; inverters, buffers and constants are free."""
        covers = [line.split()[1:] for line in blif.splitlines() if line.startswith(".names ")]
        return float(sum(len(names) == _TWO_FANINS for names in covers))


@dataclass(frozen=True)
class AndCost:
    """A :class:`dwn_asic.optimize.cost.CostModel` in AND nodes."""

    @property
    def mapper(self) -> AndMapper:
        """Counter of AND nodes."""
        return AndMapper()

    @property
    def prices(self) -> GatePrices:
        """Prices of gates, :data:`PRICES`."""
        return PRICES

    @property
    def unit(self) -> float:
        """One AND node."""
        return 1.0

    def overhead(self, graph: BooleanGraph) -> float:  # noqa: ARG002
        """Return 0, since the target has no registers."""
        return 0.0
