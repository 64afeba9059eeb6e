"""Compiled inner loops of training on a CPU, on arrays whose last axis is the batch (B).

Each kernel processes a range of LUTs or slots, so that several threads can share the work.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

from dwn_asic.compiled import allocating, fast, kernel

__all__ = [
    "candidate_products",
    "heaviest",
    "in_ranges",
    "laplacians",
    "look_up",
    "near_heaviest",
    "on_cpu",
    "pull_back",
    "share_out",
    "slot_blocks",
    "spread_out",
    "thermometer_products",
]

_STRETCH = 64  # entries that are counted at a time: counting vectorizes, comparing one by one does not
_SIDE = 64  # slots per block
_ALONE = 1 << 17  # work items below which one thread is faster than several


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor()


def on_cpu(tensor: Tensor) -> bool:
    """Return whether the compiled loops support the tensor's device; elsewhere torch operations are used."""
    return tensor.device.type == "cpu"


def in_ranges(function: Callable[..., Any], count: int, work: int, threads: int, *arguments: Any) -> None:
    """Call ``function(first, end, *arguments)`` on up to ``threads`` ranges that make up ``range(count)``."""
    parts = min(threads, count, 1 + work // _ALONE)
    if parts <= 1:
        function(0, count, *arguments)
        return
    bounds = [(count * i // parts, count * (i + 1) // parts) for i in range(parts)]
    others = [_pool().submit(function, *bound, *arguments) for bound in bounds[1:]]
    function(*bounds[0], *arguments)
    for other in others:
        other.result()


def slot_blocks(n_slots: int) -> int:
    """Return the number of blocks of slots that :func:`thermometer_products` works in."""
    return -(-n_slots // _SIDE)


@kernel
def look_up(first, end, slots, tables, addresses, values):  # type: ignore[no-untyped-def]
    """Compute the addresses (L, B) that slots (L * n, B) form, and the values (L, B) of tables (L, 2**n)."""
    n_rows, n = slots.shape[1], slots.shape[0] // len(tables)
    for lut in range(first, end):
        for b in range(n_rows):
            addresses[lut, b] = 0
        for k in range(n):
            slot, place = lut * n + k, np.uint8(1 << k)
            for b in range(n_rows):
                addresses[lut, b] |= place if slots[slot, b] > 0.5 else np.uint8(0)
        for b in range(n_rows):
            values[lut, b] = tables[lut, addresses[lut, b]]


@allocating
def spread_out(first, end, tables, weights, betas, total):  # type: ignore[no-untyped-def]
    """Spread tables (L, 2**n), see :mod:`dwn_asic.methods.dwn.efd`, into ``total`` (L, 2**n)."""
    size = tables.shape[1]
    term = np.empty(size, tables.dtype)
    for lut in range(first, end):
        total[lut] = 0
        for i in range(len(weights)):
            weight, beta = weights[i], betas[i]
            for a in range(size):
                term[a] = weight * tables[lut, a]
            step = 1
            if size >= 4:  # two bits at a time, where inner loops would be short
                for a in range(0, size, 4):
                    v0, v1, v2, v3 = term[a], term[a + 1], term[a + 2], term[a + 3]
                    w0, w1, w2, w3 = v0 + beta * v1, v1 + beta * v0, v2 + beta * v3, v3 + beta * v2
                    term[a], term[a + 1] = w0 + beta * w2, w1 + beta * w3
                    term[a + 2], term[a + 3] = w2 + beta * w0, w3 + beta * w1
                step = 4
            while step < size:
                for start in range(0, size, 2 * step):
                    for a in range(start, start + step):
                        clear, flag = term[a], term[a + step]
                        term[a] = clear + beta * flag
                        term[a + step] = flag + beta * clear
                step *= 2
            for a in range(size):
                total[lut, a] += term[a]


@kernel
def laplacians(first, end, tables, found):  # type: ignore[no-untyped-def]
    """Compute, for each entry of tables (L, 2**n), n times the entry minus its neighbours one bit away."""
    size = tables.shape[1]
    for lut in range(first, end):
        for a in range(size):
            found[lut, a] = 0
        step = 1
        while step < size:
            for start in range(0, size, 2 * step):
                for a in range(start, start + step):
                    difference = tables[lut, a] - tables[lut, a + step]
                    found[lut, a] += difference
                    found[lut, a + step] -= difference
            step *= 2


@kernel
def pull_back(first, end, grad, addresses, spread, table_grad, slot_grad):  # type: ignore[no-untyped-def]
    """Propagate the gradient of values (L, B) to tables (L, 2**n), added, and to slots (L * n, B)."""
    n_rows, n = grad.shape[1], slot_grad.shape[0] // len(grad)
    for lut in range(first, end):
        for b in range(n_rows):
            table_grad[lut, addresses[lut, b]] += grad[lut, b]
        for k in range(n):
            slot, bit = lut * n + k, 1 << k
            for b in range(n_rows):
                at = np.int64(addresses[lut, b])
                slot_grad[slot, b] = grad[lut, b] * (spread[lut, at | bit] - spread[lut, at & ~bit])


@fast
def heaviest(first, end, weights, chosen):  # type: ignore[no-untyped-def]
    """Find the largest weight of each row of (S, in), where in is not 0; ties go to the first."""
    n_inputs = weights.shape[1]
    for slot in range(first, end):
        best, begin = weights[slot, 0], 0
        for start in range(0, n_inputs, _STRETCH):
            most = best
            for i in range(start, min(start + _STRETCH, n_inputs)):
                most = max(most, weights[slot, i])
            if most > best:
                best, begin = most, start
        while weights[slot, begin] != best:
            begin += 1
        chosen[slot] = begin


@kernel
def near_heaviest(first, end, weights, counts, places, shares, tau, negligible):  # type: ignore[no-untyped-def]
    """Compute the softmax of each row of weights (S, in) over tau, where it is not negligible.

    ``counts`` (S,) is the number of such entries; ``places`` and ``shares`` (S, K) hold the first K of them.
    """
    n_inputs, most = weights.shape[1], places.shape[1]
    for slot in range(first, end):
        best = weights[slot, 0]
        for i in range(n_inputs):
            best = max(best, weights[slot, i])
        least = best - weights.dtype.type(negligible * tau)
        count, start = 0, 0
        total = 0.0
        while start < n_inputs:
            stop = min(start + _STRETCH, n_inputs)
            near = 0
            for i in range(start, stop):
                near += weights[slot, i] >= least
            if near:
                for i in range(start, stop):
                    if weights[slot, i] >= least:
                        share = np.exp((weights[slot, i] - best) / tau)
                        total += share
                        if count < most:
                            places[slot, count] = i
                            shares[slot, count] = share
                        count += 1
            start = stop
        counts[slot] = count
        for i in range(min(count, most)):
            shares[slot, i] /= total


@kernel
def share_out(first, end, grad, counts, places, shares, total):  # type: ignore[no-untyped-def]
    """Add gradients of slots (S, B) to those of bits (bits, B), by shares, for a range of columns."""
    for slot in range(len(grad)):
        for i in range(counts[slot]):
            row, share = places[slot, i], shares[slot, i]
            for b in range(first, end):
                total[row, b] += share * grad[slot, b]


@allocating
def thermometer_products(first, end, grad, levels, starts, products):  # type: ignore[no-untyped-def]
    """Multiply the gradients of slots (S, B) by the signs of all thermometer bits, for a range of blocks.

    The bits of a feature are ordered, so gradients are summed by level, and cumulative sums from the top
    level down are the products with all bits of the feature. The slots of a block are stored next to each
    other for this.

    Parameters
    ----------
    levels
        (F, B) number of set bits of each feature.
    starts
        (F + 1,) first bit of each feature, and the number of bits.
    products
        (S, T) result.
    """
    n_slots, n_rows = grad.shape
    n_features = len(levels)
    sums = np.empty((starts[n_features] + n_features, _SIDE), grad.dtype)
    beside = np.empty((n_rows, _SIDE), grad.dtype)
    for block in range(first, end):
        slot = block * _SIDE
        width = min(_SIDE, n_slots - slot)
        for i in range(width):
            for b in range(n_rows):
                beside[b, i] = grad[slot + i, b]
        sums[:] = 0
        for f in range(n_features):
            begin = starts[f] + f
            for b in range(n_rows):
                at = begin + levels[f, b]
                for i in range(_SIDE):
                    sums[at, i] += beside[b, i]
            for at in range(starts[f + 1] + f, begin, -1):
                for i in range(_SIDE):
                    sums[at - 1, i] += sums[at, i]
            for t in range(starts[f], starts[f + 1]):
                at = t + f + 1
                for i in range(width):
                    products[slot + i, t] = 2 * sums[at, i] - sums[begin, i]


@fast
def candidate_products(first, end, grad, signs, rows, products):  # type: ignore[no-untyped-def]
    """Multiply the gradients of slots (S, B) by the signs (bits, B) of the slots' candidates (S, K)."""
    for slot in range(first, end):
        for i in range(rows.shape[1]):
            row = rows[slot, i]
            total = grad.dtype.type(0)
            for b in range(grad.shape[1]):
                total += grad[slot, b] * signs[row, b]
            products[slot, i] = total
