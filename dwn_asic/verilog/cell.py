"""Standard cells as area mapping sees them: gates with one output, and D flip-flops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from dwn_asic.boolean.expression import truth_table

__all__ = ["INVERTER", "NAND2", "Cell", "FlipFlop", "missing_functions"]

INVERTER = (1, 0b01)
NAND2 = (2, 0b0111)
"""Number of inputs and truth table of an inverter, and of a NAND2."""
# Without a buffer, ABC 1.01 crashes or does not map.
_NEEDED = {"inverter": INVERTER, "buffer": (1, 0b10), "NAND2": NAND2}


@dataclass(frozen=True)
class Cell:
    """A combinational standard cell with one output.

    Attributes
    ----------
    name
        Name in the Liberty file.
    area
        Area in um2.
    inputs
        Pin names; ``inputs[0]`` is the least significant address bit of ``table``.
    output
        Pin name.
    function
        Liberty expression over ``inputs``.
    capacitance
        Input capacitances in pF, one per input; None if the library does not state it.
    leakage
        The library's state-independent leakage power in nW; None if the library does not state it.
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
    """A D flip-flop that is triggered by the rising clock edge.

    Attributes
    ----------
    name
        Name in the Liberty file.
    area
        Area in um2.
    clock, data, output
        Pin names.
    capacitance
        Capacitances in pF of clock, data and the reset pin, if there is one; None if the library does not
        state it.
    leakage
        Leakage power in nW; None if the library does not state it.
    inverting
        Whether the output is the complement of the stored value (ASAP7's ``DFFHQN``); a mapper adds the
        inverter.
    reset
        Pin of an asynchronous clear that must be tied off, or empty. IHP SG13G2 has only flip-flops with one.
    reset_active_low
        Whether the clear is active at 0, so that its pin is tied to 1.
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
        """The input pins: clock, data and the reset, if there is one."""
        return (self.clock, self.data, *((self.reset,) if self.reset else ()))


def missing_functions(cells: Iterable[Cell]) -> list[str]:
    """Return which of inverter, buffer and NAND2, which mapping requires, are not among ``cells``."""
    found = {(len(cell.inputs), cell.table) for cell in cells}
    return [name for name, function in _NEEDED.items() if function not in found]
