"""The manufacturing test of an implemented circuit, from its netlist."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.compose import Circuit
from dwn_asic.equivalence.check import check_rows
from dwn_asic.manufacturing.generate import CONFLICTS, ROUNDS, generate
from dwn_asic.manufacturing.value import ManufacturingTest, codes_of, patterns_of
from dwn_asic.verilog.flat_netlist import FlatNetlist
from dwn_asic.verilog.testbench import bench_verilog
from dwn_asic.verilog.writer import Registers, latency, used_features

__all__ = ["build_test"]


def build_test(
    name: str,
    netlist: FlatNetlist,
    library: str,
    circuit: Circuit,
    registers: Registers,
    codes: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    rounds: int = ROUNDS,
    conflicts: int = CONFLICTS,
    progress: Callable[[str, int, int], None] | None = None,
    pipeline: bool = False,
) -> ManufacturingTest:
    """Return a small manufacturing test that detects every testable stuck-at fault of a netlist.

    Parameters
    ----------
    name
        Prefix of the module names.
    netlist
        Netlist of module NAME_top.
    library
        Library and corner, as reports name them.
    circuit
        Circuit that the netlist was made from.
    registers
        Where the netlist has flip-flops.
    codes
        (N, F) feature codes to begin with, for example of the test rows; N may be 0.
    rng, rounds, conflicts, progress
        As for :func:`~dwn_asic.manufacturing.generate.generate`.
    pipeline
        Whether the netlist has flip-flops between encoder and core too.

    Raises
    ------
    DataError
        A port of the netlist belongs to no feature.
    VerificationError
        Netlist and circuit differ on a pattern.
    """
    interface = circuit.core.interface
    start = patterns_of(netlist, codes)
    found = generate(netlist, start, rng, rounds=rounds, conflicts=conflicts, progress=progress)
    applied = codes_of(netlist, found.patterns, len(interface.widths))
    expected = found.outputs @ (1 << np.arange(found.outputs.shape[1]))
    check_rows("circuit == netlist", circuit.graph.predict(applied), expected, applied, interface)
    return ManufacturingTest(
        name,
        library,
        interface,
        latency(registers, pipeline=pipeline),
        len(netlist.instances),
        tuple(used_features(circuit.encoder)),
        applied,
        expected,
        found,
        bench_verilog(name, interface, circuit.encoder, applied, expected, registers, pipeline=pipeline),
    )
