"""Compiled inner loops of lookups and mappings on a CPU, on arrays whose last axis is the batch (B).

Each kernel processes a range of LUTs or slots, so that several threads can share the work. Every sum has an
order of its own, which depends neither on the number of threads nor on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

from dwn_asic.compiled import allocating, kernel, leaf
from dwn_asic.elementary import exponential

__all__ = [
    "heaviest",
    "in_ranges",
    "look_up",
    "near_heaviest",
    "on_cpu",
    "pull_back",
    "share_out",
    "spread_out",
]

_LANES = 32  # numbers that are compared side by side
_STRETCH = 64  # entries that are counted at a time: counting vectorizes, comparing one by one does not
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


@allocating
def heaviest(first, end, weights, chosen):  # type: ignore[no-untyped-def]
    """Find the largest weight of each row of (S, in), where in is not 0; ties go to the first."""
    n_inputs = weights.shape[1]
    lanes, none = np.empty(_LANES, weights.dtype), np.int32(n_inputs)
    for slot in range(first, end):
        best, place = _largest(weights, slot, lanes), none
        for i in range(n_inputs):
            place = min(place, np.int32(i) if weights[slot, i] == best else none)
        chosen[slot] = place


@leaf
def _largest(weights, slot, lanes):  # type: ignore[no-untyped-def]
    """Return the largest weight of a row of (S, in), by comparing in lanes and then the lanes in pairs."""
    n_inputs = weights.shape[1]
    for j in range(_LANES):
        lanes[j] = weights[slot, 0]
    for start in range(0, n_inputs, _LANES):
        for j in range(min(_LANES, n_inputs - start)):
            weight = weights[slot, start + j]
            lanes[j] = max(lanes[j], weight)
    half = _LANES // 2
    while half:
        for j in range(half):
            lanes[j] = max(lanes[j], lanes[half + j])
        half //= 2
    return lanes[0]


@allocating
def near_heaviest(first, end, weights, counts, places, shares, tau, negligible):  # type: ignore[no-untyped-def]
    """Compute the softmax of each row of weights (S, in) over tau, where it is not negligible.

    ``counts`` (S,) is the number of such entries; ``places`` and ``shares`` (S, K) hold the first K of them.
    """
    n_inputs, most = weights.shape[1], places.shape[1]
    lanes = np.empty(_LANES, weights.dtype)
    for slot in range(first, end):
        best = _largest(weights, slot, lanes)
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
                        share = exponential((weights[slot, i] - best) / tau)
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
