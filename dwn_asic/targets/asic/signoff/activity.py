"""Simulation of a netlist: the values of all nets for many rows at once.

Values of a net in all rows are one integer, whose bit r is the value in row r. Row r + 1 follows row r, so a
net has a transition between two rows if their bits differ; there are no glitches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.expression import Expression, parse
from dwn_asic.boolean.ports import feature_of_port
from dwn_asic.errors import DataError
from dwn_asic.verilog.flat_netlist import FlatNetlist, Gate

__all__ = ["Simulation", "simulate"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """Values of all nets in all rows.

    Attributes
    ----------
    values
        Value of each net: one integer with a bit per row.
    rows
        Number of rows, at least 2.
    """

    values: Sequence[int]
    rows: int

    @property
    def ones(self) -> int:
        """A value with a 1 in every row."""
        return (1 << self.rows) - 1

    @property
    def steps(self) -> int:
        """Number of steps from one row to the next."""
        return self.rows - 1


def simulate(netlist: FlatNetlist, codes: NDArray[np.int64]) -> Simulation:
    """Compute the value of each net for each row of feature codes; registers count as wires.

    Parameters
    ----------
    netlist
        Netlist with one input port for each feature.
    codes
        (N, F) feature codes, N at least 2.

    Raises
    ------
    DataError
        There are fewer than two rows, or an input port is not a feature.
    """
    rows = len(codes)
    if rows < 2:
        raise DataError(netlist.source, f"activity needs at least two rows of codes, not {rows}")
    ones = (1 << rows) - 1
    values = [0] * len(netlist.net_names)
    for (port, bit), net in netlist.inputs.items():
        feature = feature_of_port(port)
        if feature is None or feature >= codes.shape[1]:
            raise DataError(
                netlist.source, f"port {port} of {netlist.top} is not one of {codes.shape[1]} features"
            )
        values[net] = packed(codes[:, feature] >> bit & 1)
    for net, constant in netlist.constants.items():
        values[net] = ones if constant else 0
    functions: dict[str, Expression] = {}
    for instance in netlist.instances:
        if isinstance(instance, Gate):
            cell = instance.cell
            if cell.name not in functions:
                functions[cell.name] = parse(cell.function)
            pins: Mapping[str, int] = dict(
                zip(cell.inputs, (values[net] for net in instance.inputs), strict=True)
            )
            values[instance.output] = functions[cell.name].evaluate(pins, ones)
        else:
            stored = values[instance.data]
            values[instance.output] = stored ^ ones if instance.cell.inverting else stored
    return Simulation(values, rows)


def packed(bits: NDArray[np.int64]) -> int:
    """Return bits as one integer, the first as its least significant bit."""
    return int.from_bytes(np.packbits(bits.astype(np.uint8), bitorder="little").tobytes(), "little")
