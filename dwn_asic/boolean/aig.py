"""Conversion between Boolean graphs, and-inverter graphs (aigverse, AIGER) and BLIF (for ABC and Yosys)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dwn_asic.boolean import truth_table as tt
from dwn_asic.boolean.fold import FALSE, TRUE, FoldingBuilder
from dwn_asic.boolean.graph import BooleanGraph, Constant, Input, Interface, Lut

__all__ = ["and_count", "from_aig", "read_aiger", "to_aig", "to_blif"]

_TWO_INPUT = {
    0b1000: ("and", False, False),
    0b0100: ("and", True, False),
    0b0010: ("and", False, True),
    0b0001: ("and", True, True),
    0b1110: ("or", False, False),
    0b1101: ("or", True, False),
    0b1011: ("or", False, True),
    0b0111: ("or", True, True),
    0b0110: ("xor", False, False),
    0b1001: ("xor", True, False),
}
"""The gate of each function of two inputs, and whether its inputs are complemented, the first one first."""


def to_aig(graph: BooleanGraph, inputs: tuple[Input, ...] | None = None) -> Any:
    """Return an ``aigverse.networks.Aig`` that computes the graph's function.

    Parameters
    ----------
    graph
        Any graph.
    inputs
        The order of the AIG's primary inputs, which must include all inputs of the graph. By default the
        graph's own order.
    """
    from aigverse.networks import Aig

    aig = Aig()
    own = tuple(node for _, node in graph.inputs)
    signal_of = {node: aig.create_pi() for node in (own if inputs is None else inputs)}
    signals: dict[int, Any] = {}
    for index, node in graph.nodes():
        if isinstance(node, Lut):
            fanins = [signals[f] for f in node.fanins]
            if len(fanins) == 2 and node.table in _TWO_INPUT:
                signals[index] = _two_input(aig, node.table, *fanins)
            else:
                signals[index] = _shannon(aig, node.table, fanins, {})
        elif isinstance(node, Constant):
            signals[index] = aig.get_constant(node.value)
        elif node in signal_of:
            signals[index] = signal_of[node]
    for driver in graph.outputs:
        aig.create_po(signals[driver])
    return aig


def _two_input(aig: Any, table: int, a: Any, b: Any) -> Any:
    """Build what :func:`_shannon` builds for a function of two inputs, at once, since most nodes are such."""
    gate, flip_a, flip_b = _TWO_INPUT[table]
    a, b = (aig.create_not(a) if flip_a else a), (aig.create_not(b) if flip_b else b)
    if gate == "and":
        return aig.create_and(b, a)
    return aig.create_or(b, a) if gate == "or" else aig.create_xor(b, a)


def _shannon(aig: Any, table: int, fanins: list[Any], memo: dict[tuple[int, int], Any]) -> Any:
    """Build a table by Shannon expansion from the most significant input down; share equal cofactors."""
    n = len(fanins)
    if table in {0, tt.full(n)}:
        return aig.get_constant(table != 0)
    key = (n, table)
    if key not in memo:
        low, high = table & tt.full(n - 1), table >> (1 << (n - 1))
        select, rest = fanins[-1], fanins[:-1]
        if low == high:
            memo[key] = _shannon(aig, low, rest, memo)
        else:
            cofactors = (_shannon(aig, low, rest, memo), _shannon(aig, high, rest, memo))
            memo[key] = _multiplexer(aig, select, low, high, cofactors, tt.full(n - 1))
    return memo[key]


def _multiplexer(aig: Any, select: Any, low: int, high: int, cofactors: tuple[Any, Any], full: int) -> Any:
    """Add a multiplexer, or one gate where a cofactor is constant, since aigverse does not simplify it."""
    if low == 0:
        return aig.create_and(select, cofactors[1])
    if high == 0:
        return aig.create_and(aig.create_not(select), cofactors[0])
    if low == full:
        return aig.create_or(aig.create_not(select), cofactors[1])
    if high == full:
        return aig.create_or(select, cofactors[0])
    if low == high ^ full:
        return aig.create_xor(select, cofactors[0])
    return aig.create_ite(select, cofactors[1], cofactors[0])


def from_aig(aig: Any, inputs: tuple[Input, ...], interface: Interface) -> BooleanGraph:
    """Return a folded graph of two-input LUTs; primary input i of the AIG becomes ``inputs[i]``."""
    builder = FoldingBuilder(interface)
    literals = {pi: builder.input(node) for pi, node in zip(aig.pis(), inputs, strict=True)}

    def literal(signal: Any) -> tuple[int, bool]:
        node, complemented = aig.get_node(signal), aig.is_complemented(signal)
        if aig.is_constant(node):
            # Node 0 is the constant 0.
            return TRUE if complemented else FALSE
        index, phase = literals[node]
        return index, phase ^ complemented

    for gate in aig.gates():
        literals[gate] = builder.lut([literal(s) for s in aig.fanins(gate)], 0b1000)
    return builder.finish([literal(signal) for signal in aig.pos()])


def read_aiger(path: Path, inputs: tuple[Input, ...], interface: Interface) -> BooleanGraph:
    """Read a binary AIGER file that was written for a graph with these inputs in this order."""
    from aigverse.io import read_aiger_into_aig

    return from_aig(read_aiger_into_aig(str(path)), inputs, interface)


def and_count(graph: BooleanGraph) -> int:
    """Count the AND nodes of the graph's and-inverter graph: structurally hashed, but not optimized."""
    return int(to_aig(graph).num_gates)


def to_blif(graph: BooleanGraph, model: str) -> str:
    """Return BLIF text; input i of :attr:`BooleanGraph.inputs` is named ``i<i>``, output k ``o<k>``."""
    name = {index: f"i{i}" for i, (index, _) in enumerate(graph.inputs)}
    lines = [f".model {model}", ".inputs " + " ".join(name.values())]
    lines.append(".outputs " + " ".join(f"o{k}" for k in range(len(graph.outputs))))
    for index, node in graph.nodes():
        if isinstance(node, Lut | Constant):
            name[index] = f"n{index}"
            # ABC rejects an empty cover that has inputs.
            fanins = node.fanins if isinstance(node, Lut) and node.table else ()
            table = node.table if isinstance(node, Lut) else int(node.value)
            lines.append(" ".join([".names", *(name[f] for f in fanins), name[index]]))
            n = len(fanins)
            for address in range(1 << n):
                if table >> address & 1:
                    cube = "".join(str(address >> k & 1) for k in range(n))
                    lines.append(f"{cube} 1".strip())
    lines += [f".names {name[driver]} o{k}\n1 1" for k, driver in enumerate(graph.outputs)]
    return "\n".join([*lines, ".end", ""])
