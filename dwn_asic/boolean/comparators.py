"""The encoder as logic: from code bits to thermometer bits."""

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

__all__ = ["bits_read", "encoder_graph", "prefix_encoder_graph", "specification"]

_AND, _OR = 0b1000, 0b1110


def bits_read(node: Input, width: int) -> range:
    """Return the bits of its feature's code, of this width, that an input depends on.

    A threshold does not depend on the bits below the lowest that is set in its constant, and on none if all
    codes are on one side of it.
    """
    if isinstance(node, CodeBit):
        return range(node.bit, node.bit + 1)
    if not 0 < node.constant < 1 << width:
        return range(0)
    return range((node.constant & -node.constant).bit_length() - 1, width)


def specification(graph: BooleanGraph) -> BooleanGraph:
    """Return the graph over code bits, with each threshold as a plain comparator of its own."""
    return compose(encoder_graph([node for _, node in graph.inputs], graph.interface), graph)


def encoder_graph(inputs: Sequence[Input], interface: Interface) -> BooleanGraph:
    """Build one comparator per threshold; output t is input t, computed from code bits.

    A threshold is ``code of the feature >= constant``; a code bit is passed through. Each comparator is a
    chain from the least significant bit up: with c the constant and r the result of the lower bits, the next
    result is ``x_k and r`` where bit k of c is set, and ``x_k or r`` where it is not. Trailing zeros of the
    constant need no gates, and the thresholds of a feature share the part of the chain in which their
    constants agree.
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
    """Build the same function as :func:`encoder_graph`, splitting each code in halves recursively.

    ``code >= c`` holds if ``upper > c's upper``, or if ``upper >= c's upper`` and ``lower >= c's lower``.
    Thresholds whose constants agree in the upper or the lower half share comparators, so many thresholds of
    one feature cost less than one chain each.
    """
    builder = GraphBuilder(interface)
    known: dict[tuple[int, int, int, int], int] = {}  # (feature, first bit, width, constant) -> node

    def at_least(feature: int, first: int, width: int, constant: int) -> int:
        """Return the node of ``bits first..first + width - 1 >= constant``, 0 < constant < 2**width."""
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
    """Return the node of a threshold, a constant if the threshold is below or above all codes."""
    fixed = builder.interface.fixed_value(threshold)
    return compare(threshold) if fixed is None else builder.add(Constant(fixed))
