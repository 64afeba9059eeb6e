"""Standard cells as area mapping sees them: gates with one output, and D flip-flops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from dwn_asic.boolean.expression import truth_table

__all__ = ["NAND2", "Cell", "FlipFlop", "missing_functions"]

NAND2 = (2, 0b0111)
"""Number of inputs and truth table."""
# Without a buffer ABC 1.01 crashes or refuses to map.
_NEEDED = {"inverter": (1, 0b01), "buffer": (1, 0b10), "NAND2": NAND2}


@dataclass(frozen=True)
class Cell:
    """A combinational standard cell with one output.

    Attributes
    ----------
    name
        As in the Liberty file.
    area
        um2.
    inputs
        Pin names; ``inputs[0]`` is the least significant address bit of ``table``.
    output
        Pin name.
    function
        Liberty expression over ``inputs``.
    capacitance
        pF, one per input; None where the library doesn't tell.
    leakage
        nW, the library's state-independent value; None where the library doesn't tell.
    """

    name: str
    area: float
    inputs: tuple[str, ...]
    output: str
    function: str
    capacitance: tuple[float | None, ...]
    leakage: float | None

    @cached_property
    def table(self) -> int:
        """Truth table: bit ``a`` is the output at address ``a``."""
        return truth_table(self.function, self.inputs)


@dataclass(frozen=True)
class FlipFlop:
    """A D flip-flop that triggers on the rising edge.

    Attributes
    ----------
    name
        As in the Liberty file.
    area
        um2.
    clock, data, output
        Pin names.
    inverting
        The output is the complement of what was stored (ASAP7's ``DFFHQN``); a mapper adds the inverter.
    reset
        Pin of an asynchronous clear that must be tied off, or empty (IHP SG13G2 has none without).
    reset_active_low
        The clear acts at 0, so the pin is tied to 1.
    capacitance
        pF of clock, data and, where there is one, reset; None where the library doesn't tell.
    leakage
        nW; None where the library doesn't tell.
    """

    name: str
    area: float
    clock: str
    data: str
    output: str
    capacitance: tuple[float | None, ...]
    leakage: float | None
    inverting: bool = False
    reset: str = ""
    reset_active_low: bool = True

    @property
    def inputs(self) -> tuple[str, ...]:
        """Clock, data and, where there is one, reset."""
        return (self.clock, self.data, *((self.reset,) if self.reset else ()))


def missing_functions(cells: Iterable[Cell]) -> list[str]:
    """Which of inverter, buffer and NAND2, that no mapping can do without, are not among ``cells``."""
    found = {(len(cell.inputs), cell.table) for cell in cells}
    return [name for name, function in _NEEDED.items() if function not in found]
