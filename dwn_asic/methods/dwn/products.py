"""Compiled products of gradients and bits on a CPU: the gradients of the weights of a learnable mapping.

Each product of a slot and a bit adds ``(2 * bit - 1) * gradient`` over the rows of data, in a fixed order,
while that of a library's matrix product depends on the CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dwn_asic.compiled import allocating, leaf
from dwn_asic.methods.dwn.kernels import in_ranges

__all__ = ["candidate_products", "sign_products", "thermometer_products"]

_SIDE = 64  # slots per block
_ROWS = 16  # rows of data that are read together, two bytes of bits


def sign_products(grad: NDArray[Any], bits: NDArray[np.bool_], threads: int) -> NDArray[Any]:
    """Multiply gradients (G, S, B) by the signs of all bits (G, in, B) of their group: (G, S, in)."""
    n_groups, n_slots, _ = grad.shape
    products = np.empty((n_groups, n_slots, bits.shape[1]), grad.dtype)
    work = grad.size * bits.shape[1] // 8
    in_ranges(multiply_all, n_groups * _blocks(n_slots), work, threads, grad, _packed(bits), products)
    return products


def thermometer_products(
    grad: NDArray[Any], bits: NDArray[np.bool_], starts: NDArray[np.int64], threads: int
) -> NDArray[Any]:
    """Multiply gradients (S, B) by the signs of thermometer bits (T, B): (S, T).

    ``starts`` (F + 1,) is the first bit of each feature, and T; the bits of a feature are ordered. The result
    is that of :func:`sign_products`, which is faster for few bits per feature.
    """
    products = np.empty((len(grad), len(bits)), grad.dtype)
    levels = np.add.reduceat(bits, starts[:-1], dtype=np.int32)
    work = grad.size * len(levels)
    in_ranges(multiply_levels, _blocks(len(grad)), work, threads, grad, levels, starts, products)
    return products


def candidate_products(
    grad: NDArray[Any], bits: NDArray[np.bool_], rows: NDArray[np.int32], threads: int
) -> NDArray[Any]:
    """Multiply gradients (S, B) by the signs of each slot's candidates, rows (S, K) of (bits, B): (S, K)."""
    products = np.empty(rows.shape, grad.dtype)
    packed = _packed(bits[None])[0]
    in_ranges(multiply_candidates, len(grad), rows.size * 16, threads, grad, packed, rows, products)
    return products


def _blocks(n_slots: int) -> int:
    return -(-n_slots // _SIDE)


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack bits (G, in, B) into bytes (G, in, C), the first row lowest, and fill C up to an even number."""
    n_groups, n_inputs, n_rows = bits.shape
    packed = np.zeros((n_groups, n_inputs, 2 * -(-n_rows // _ROWS)), np.uint8)
    packed[:, :, : -(-n_rows // 8)] = np.packbits(bits, axis=2, bitorder="little")
    return packed


@allocating
def multiply_all(first, end, grad, packed, products):  # type: ignore[no-untyped-def]
    """Multiply the gradients of slots by the signs of all bits of their group, for a range of blocks.

    Four rows of data have only 16 patterns of signs. For each slot the sum of each pattern is computed once,
    and each bit adds the sum of its pattern, which is one addition for four rows. The slots of a block are
    stored next to each other for this. Blocks are numbered group by group.

    Parameters
    ----------
    grad
        (G, S, B) gradients of the slots of each group.
    packed
        (G, in, C) bits, see :func:`_packed`.
    products
        (G, S, in) result.
    """
    n_slots, n_rows = grad.shape[1:]
    n_inputs = packed.shape[1]
    blocks = -(-n_slots // _SIDE)
    beside = np.zeros((_ROWS, _SIDE), grad.dtype)
    pairs = np.empty((2, 4, _SIDE), grad.dtype)
    sums = np.empty((_ROWS // 4, 16, _SIDE), grad.dtype)
    total = np.empty((n_inputs, _SIDE), grad.dtype)
    for number in range(first, end):
        group, slot = number // blocks, number % blocks * _SIDE
        width = min(_SIDE, n_slots - slot)
        total[:] = 0
        for row in range(0, n_rows, _ROWS):
            count = min(_ROWS, n_rows - row)
            _put_beside(grad[group], slot, width, row, count, beside)
            beside[count:] = 0
            for four in range(_ROWS // 4):
                _sums_of_patterns(beside, 4 * four, pairs, sums, four)
            byte = row // 8
            for t in range(n_inputs):
                low, high = packed[group, t, byte], packed[group, t, byte + 1]
                for i in range(_SIDE):
                    total[t, i] += (sums[0, low & 15, i] + sums[1, low >> 4, i]) + (
                        sums[2, high & 15, i] + sums[3, high >> 4, i]
                    )
        for i in range(width):
            for t in range(n_inputs):
                products[group, slot + i, t] = total[t, i]


@leaf
def _put_beside(grad, slot, width, row, count, beside):  # type: ignore[no-untyped-def]
    """Copy the gradients of some slots and rows of data, those of one row next to each other."""
    for i in range(width):
        for b in range(count):
            beside[b, i] = grad[slot + i, row + b]


@leaf
def _sums_of_patterns(beside, row, pairs, sums, four):  # type: ignore[no-untyped-def]
    """Compute the sums of four rows of gradients for all 16 patterns of signs, those of each pair first."""
    for half in range(2):
        for i in range(_SIDE):
            one, other = beside[row + 2 * half, i], beside[row + 2 * half + 1, i]
            pairs[half, 0, i] = -one - other
            pairs[half, 1, i] = one - other
            pairs[half, 2, i] = other - one
            pairs[half, 3, i] = one + other
    for pattern in range(16):
        for i in range(_SIDE):
            sums[four, pattern, i] = pairs[0, pattern & 3, i] + pairs[1, pattern >> 2, i]


@allocating
def multiply_levels(first, end, grad, levels, starts, products):  # type: ignore[no-untyped-def]
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
    beside = np.empty((_ROWS, _SIDE), grad.dtype)
    for block in range(first, end):
        slot = block * _SIDE
        width = min(_SIDE, n_slots - slot)
        sums[:] = 0
        for row in range(0, n_rows, _ROWS):
            count = min(_ROWS, n_rows - row)
            _put_beside(grad, slot, width, row, count, beside)
            for f in range(n_features):
                for b in range(count):
                    at = starts[f] + f + levels[f, row + b]
                    for i in range(_SIDE):
                        sums[at, i] += beside[b, i]
        for f in range(n_features):
            begin = starts[f] + f
            for at in range(starts[f + 1] + f, begin, -1):
                for i in range(_SIDE):
                    sums[at - 1, i] += sums[at, i]
            for t in range(starts[f], starts[f + 1]):
                at = t + f + 1
                for i in range(width):
                    products[slot + i, t] = 2 * sums[at, i] - sums[begin, i]


@allocating
def multiply_candidates(first, end, grad, packed, rows, products):  # type: ignore[no-untyped-def]
    """Multiply the gradients of slots (S, B) by the signs of the slots' candidates, for a range of slots.

    As in :func:`multiply_all`, the sums of all patterns of four rows are computed once per slot.

    Parameters
    ----------
    packed
        (bits, C) bits, see :func:`_packed`.
    rows
        (S, K) the candidates of each slot, as rows of the packed bits.
    products
        (S, K) result.
    """
    n_rows, n_bytes, zero = grad.shape[1], packed.shape[1], grad.dtype.type(0)
    sums = np.empty((2 * n_bytes, 16), grad.dtype)
    for slot in range(first, end):
        for four in range(2 * n_bytes):
            sums[four, 0] = 0
            for k in range(4):
                b, size = 4 * four + k, 1 << k
                slope = grad[slot, b] if b < n_rows else zero
                for pattern in range(size):
                    without = sums[four, pattern]
                    sums[four, pattern], sums[four, pattern + size] = without - slope, without + slope
        for i in range(rows.shape[1]):
            row, total = rows[slot, i], zero
            for byte in range(n_bytes):
                pattern = packed[row, byte]
                total += sums[2 * byte, pattern & 15] + sums[2 * byte + 1, pattern >> 4]
            products[slot, i] = total
