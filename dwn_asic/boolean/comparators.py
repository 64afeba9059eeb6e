"""The encoder as logic: code bits in, thermometer bits out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dwn_asic.boolean.compose import compose
from dwn_asic.boolean.graph import (
    BooleanGraph,
    CodeBit,
    Constant,
    GraphBuilder,
    Input,
    Interface,
    Lut,
    Threshold,
)

__all__ = ["encoder_graph", "prefix_encoder_graph", "specification"]

_AND, _OR = 0b1000, 0b1110


def specification(graph: BooleanGraph) -> BooleanGraph:
    """The graph from code bits on: each threshold as its own plain comparator."""
    return compose(encoder_graph([node for _, node in graph.inputs], graph.interface), graph)


def encoder_graph(inputs: Sequence[Input], interface: Interface) -> BooleanGraph:
    """One comparator per threshold; output t is ``code of the feature >= constant``, or the code bit itself.

    Each comparator is a chain from the least significant bit up: with c the constant and r what the lower
    bits said, ``r = x_k and r`` where bit k of c is set, ``r = x_k or r`` where it isn't. Trailing zeros of
    the constant cost nothing, and thresholds of a feature share the part of the chain in which they agree.
    """
    builder = GraphBuilder(interface)
    known: dict[tuple[int, int, int], int] = {}  # (feature, bit, constant so far) -> node

    def chain(feature: int, constant: int, width: int) -> int:
        so_far: int | None = None
        for k in range(width):
            if so_far is None and not constant >> k & 1:
                continue
            key = (feature, k, constant & ((2 << k) - 1))
            if key not in known:
                bit = builder.add(CodeBit(feature, k))
                table = _AND if constant >> k & 1 else _OR
                known[key] = bit if so_far is None else builder.add(Lut((bit, so_far), table))
            so_far = known[key]
        return builder.add(Constant(value=True)) if so_far is None else so_far

    outputs = [
        builder.add(node)
        if isinstance(node, CodeBit)
        else _in_range(builder, node, lambda t: chain(t.feature, t.constant, interface.widths[t.feature]))
        for node in inputs
    ]
    return builder.finish(outputs)


def prefix_encoder_graph(inputs: Sequence[Input], interface: Interface) -> BooleanGraph:
    """The function of :func:`encoder_graph`, with the upper bits of a code compared once per feature.

    The code is split in halves again and again: ``code >= c`` is ``upper > c's upper``, or ``upper >= c's
    upper`` and ``lower >= c's lower``. Thresholds that agree in upper or lower parts share their
    comparators, so that many thresholds of a feature cost less than a chain each.
    """
    builder = GraphBuilder(interface)
    known: dict[tuple[int, int, int, int], int] = {}  # (feature, first bit, width, constant) -> node

    def at_least(feature: int, first: int, width: int, constant: int) -> int:
        """Node of ``bits first..first + width - 1 >= constant``, 0 < constant < 2**width."""
        key = (feature, first, width, constant)
        if key not in known:
            known[key] = split(feature, first, width, constant)
        return known[key]

    def split(feature: int, first: int, width: int, constant: int) -> int:
        if width == 1:
            return builder.add(CodeBit(feature, first))
        half = width // 2
        high, low = constant >> half, constant & ((1 << half) - 1)
        if not low:
            return at_least(feature, first + half, width - half, high)
        below = at_least(feature, first, half, low)
        if high:
            equal_or_more = at_least(feature, first + half, width - half, high)
            below = builder.add(Lut((below, equal_or_more), _AND))
        if high + 1 == 1 << (width - half):
            return below
        return builder.add(Lut((below, at_least(feature, first + half, width - half, high + 1)), _OR))

    outputs = [
        builder.add(node)
        if isinstance(node, CodeBit)
        else _in_range(
            builder, node, lambda t: at_least(t.feature, 0, interface.widths[t.feature], t.constant)
        )
        for node in inputs
    ]
    return builder.finish(outputs)


def _in_range(builder: GraphBuilder, threshold: Threshold, compare: Callable[[Threshold], int]) -> int:
    """Node of a threshold; those below or above all codes are constants."""
    fixed = builder.interface.fixed_value(threshold)
    return compare(threshold) if fixed is None else builder.add(Constant(fixed))
