"""And-inverter graphs as binary AIGER files, with names of inputs and outputs.

References
----------
Biere, Heljanko, Wieringa, "AIGER 1.9 and beyond", FMV report 11/2, 2011.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dwn_asic.boolean.aig import read_aiger
from dwn_asic.boolean.flat_aig import FlatAig
from dwn_asic.boolean.graph import BooleanGraph, Input, Interface

__all__ = ["aiger_bytes", "aiger_graph", "aiger_inputs"]


def aiger_bytes(aig: FlatAig, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> bytes:
    """Return the graph as a binary AIGER file.

    Parameters
    ----------
    aig
        Any graph.
    inputs, outputs
        Names of all inputs and of all outputs, for the symbol table; empty for a file without names.
    """
    first = 1 + aig.n_inputs
    total = len(aig.fanins)
    lines = [f"aig {total - 1} {aig.n_inputs} 0 {len(aig.outputs)} {aig.size}"]
    lines += [str(literal) for literal in aig.outputs.tolist()]
    body = bytearray()
    for v in range(first, total):
        low, high = np.sort(aig.fanins[v]).tolist()
        for delta in (2 * v - high, high - low):
            while delta >= 0x80:
                body.append(delta & 0x7F | 0x80)
                delta >>= 7
            body.append(delta)
    symbols = [f"i{n} {name}\n" for n, name in enumerate(inputs)]
    symbols += [f"o{n} {name}\n" for n, name in enumerate(outputs)]
    return "\n".join([*lines, ""]).encode() + bytes(body) + "".join(symbols).encode()


def aiger_inputs(content: bytes) -> tuple[str, ...]:
    """Return the names of the inputs in the symbol table of a binary AIGER file.

    Raises
    ------
    ValueError
        The file is damaged, or an input has no name.
    """
    header = content.partition(b"\n")[0].split()
    if len(header) != 6 or header[0] != b"aig":
        raise ValueError("not a binary AIGER file")
    n_inputs, n_latches, n_outputs, n_ands = map(int, header[2:])
    start = 0
    for _ in range(1 + n_latches + n_outputs):
        start = content.index(b"\n", start) + 1
    for _ in range(2 * n_ands):  # the last byte of a number is below 0x80
        while content[start] & 0x80:
            start += 1
        start += 1
    names: dict[int, str] = {}
    for line in content[start:].decode().splitlines():
        if line == "c":
            break
        place, _, name = line.partition(" ")
        if place.startswith("i"):
            names[int(place[1:])] = name
    if sorted(names) != list(range(n_inputs)):
        raise ValueError(f"{len(names)} of {n_inputs} inputs have a name")
    return tuple(names[n] for n in range(n_inputs))


def aiger_graph(content: bytes, inputs: Mapping[str, Input], interface: Interface) -> BooleanGraph:
    """Read a binary AIGER file whose inputs are known by their names.

    Raises
    ------
    ValueError
        The file is damaged, or an input has no name or an unknown one.
    """
    names = aiger_inputs(content)
    if unknown := [name for name in names if name not in inputs]:
        raise ValueError(f"input {unknown[0]!r} is unknown")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.aig"
        path.write_bytes(content)
        return read_aiger(path, tuple(inputs[name] for name in names), interface)
