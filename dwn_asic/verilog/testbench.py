"""A self-checking testbench that applies rows of data and compares the class index with the expected one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph, Interface
from dwn_asic.boolean.ports import CLASS_PORT, CLOCK_PORT, feature_port
from dwn_asic.verilog.writer import Registers, latency, used_features

__all__ = ["ALL_MATCH", "bench_size", "bench_verilog"]

ALL_MATCH = "All vectors match"

_VECTORS = 10, 500
"""Minimum and maximum number of rows that a testbench applies."""
_EVENTS = 1_000_000
"""Number of events that a testbench may cause. A change at an input causes up to gates x depth events, and a
simulator handles some millions of events per second."""


def bench_size(circuit: Circuit) -> int:
    """Return the maximum number of rows that a testbench of this circuit applies.

    It is lower for large and deep circuits, for which an event-driven simulator takes seconds per vector.
    """
    graph = circuit.graph
    return int(np.clip(_EVENTS // (len(graph) * graph.depth), *_VECTORS))


def bench_verilog(
    name: str,
    interface: Interface,
    encoder: BooleanGraph,
    codes: NDArray[np.int64],
    expected: NDArray[np.int64],
    registers: Registers,
    *,
    pipeline: bool = False,
) -> str:
    """Return the Verilog text of module NAME_tb, which drives NAME_top.

    The testbench prints :data:`ALL_MATCH`, or one line per mismatch (at most ten) and a closing FAIL line.

    Parameters
    ----------
    name
        Prefix of the module names.
    interface
        Feature names and widths.
    encoder
        The encoder, whose features are the ports.
    codes
        (N, F) feature codes, N at least 1.
    expected
        (N,) class indices.
    registers, pipeline
        As in :func:`dwn_asic.verilog.writer.design_verilog`.
    """
    features = used_features(encoder)
    widths = [interface.widths[f] for f in features]
    ports = [feature_port(f, interface.feature_names[f]) for f in features]
    class_bits, delay, total = interface.class_bits, latency(registers, pipeline=pipeline), sum(widths)
    size = total + class_bits
    vectors = [
        f"        vectors[{i}] = {size}'h{_pack(row, features, widths) << class_bits | label:x};"
        for i, (row, label) in enumerate(zip(codes, expected.tolist(), strict=True))
    ]
    slices, low = [], class_bits
    for port, width in zip(ports, widths, strict=True):
        slices.append(f"    wire [{width - 1}:0] {port} = vector[{low + width - 1}:{low}];")
        low += width
    clocked = delay > 0
    pins = ([f".{CLOCK_PORT}({CLOCK_PORT})"] if clocked else []) + [f".{port}({port})" for port in ports]
    pins.append(f".{CLASS_PORT}({CLASS_PORT})")
    return "\n".join(
        [
            f"// {name}_tb: {len(codes)} vectors; latency {delay} clock cycles.",
            "`timescale 1ns/1ps",
            f"module {name}_tb;",
            f"    localparam COUNT = {len(codes)};",
            f"    localparam LATENCY = {delay};",
            f"    reg [{size - 1}:0] vectors [0:COUNT-1];",
            f"    reg [{size - 1}:0] vector;",
            f"    reg [{class_bits - 1}:0] expected;",
            "    // Feature codes of the vector that is applied.",
            *slices,
            f"    wire [{class_bits - 1}:0] {CLASS_PORT};",
            *([f"    reg {CLOCK_PORT} = 1'b0;"] if clocked else []),
            f"    {name}_top dut ({', '.join(pins)});",
            "    integer i;",
            "    integer k;",
            "    integer failures;",
            "    initial begin",
            *vectors,
            "        failures = 0;",
            "        for (i = 0; i < COUNT; i = i + 1) begin",
            "            vector = vectors[i];",
            f"            expected = vectors[i][{class_bits - 1}:0];",
            *(
                [
                    "            // Hold the vector for as many clock edges as there are registers.",
                    "            for (k = 0; k < LATENCY; k = k + 1) begin",
                    f"                #5 {CLOCK_PORT} = 1'b1;",
                    f"                #5 {CLOCK_PORT} = 1'b0;",
                    "            end",
                ]
                if clocked
                else ["            #10;"]
            ),
            f"            if ({CLASS_PORT} !== expected) begin",
            "                failures = failures + 1;",
            "                if (failures <= 10)",
            '                    $display("FAIL: vector %0d: class %0d, expected %0d",',
            f"                             i, {CLASS_PORT}, expected);",
            "            end",
            "        end",
            "        if (failures == 0)",
            f'            $display("{ALL_MATCH} (%0d)", COUNT);',
            "        else",
            '            $display("FAIL: %0d of %0d vectors differ", failures, COUNT);',
            "        $finish;",
            "    end",
            "endmodule",
            "",
        ]
    )


def _pack(row: NDArray[np.int64], features: list[int], widths: list[int]) -> int:
    """Concatenate the codes of the features, the first feature in the lowest bits."""
    packed, low = 0, 0
    for feature, width in zip(features, widths, strict=True):
        packed |= int(row[feature]) << low
        low += width
    return packed
