"""The encoder as logic: code bits in, thermometer bits out."""

from __future__ import annotations

from collections.abc import Sequence

from dwn_asic.network.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Interface, Lut, Threshold

__all__ = ["encoder_graph"]

_AND, _OR = 0b1000, 0b1110


def encoder_graph(thresholds: Sequence[Threshold | CodeBit], interface: Interface) -> BooleanGraph:
    """One comparator per threshold; output t is ``code of the feature >= constant``. A code bit is a wire.

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

    outputs = []
    for threshold in thresholds:
        if isinstance(threshold, CodeBit):
            outputs.append(builder.add(threshold))
            continue
        width = interface.widths[threshold.feature]
        if threshold.constant >= 1 << width:
            outputs.append(builder.add(Constant(value=False)))
        else:
            outputs.append(chain(threshold.feature, max(0, threshold.constant), width))
    return builder.finish(outputs)
