"""Which bit each LUT slot reads: learned (argmax over candidate weights), random, or consecutive."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["TAU", "arange_mapping", "learnable_slots", "random_mapping"]

TAU = 0.001
"""Softmax temperature of the gradient that a learnable mapping passes to its input."""

_CHUNK = 1 << 20  # entries of the (in, slots) softmax that exist at one time


class _LearnableSlots(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, bits: Tensor, weights: Tensor) -> Tensor:  # noqa: D102
        ctx.save_for_backward(bits, weights)
        return bits.index_select(1, weights.argmax(0))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:  # noqa: D102
        (grad,) = grads  # (B, S)
        bits, weights = ctx.saved_tensors
        bits_grad = _softmax_product(grad, weights) if ctx.needs_input_grad[0] else None
        weights_grad = (2.0 * bits - 1.0).t() @ grad if ctx.needs_input_grad[1] else None
        return bits_grad, weights_grad


def _softmax_product(grad: Tensor, weights: Tensor) -> Tensor:
    """``grad @ softmax(weights / TAU).T`` in chunks of slots: (B, S), (in, S) -> (B, in)."""
    n_inputs, n_slots = weights.shape
    total = grad.new_zeros(grad.shape[0], n_inputs)
    step = max(1, _CHUNK // n_inputs)
    for start in range(0, n_slots, step):
        share = torch.softmax(weights[:, start : start + step] / TAU, 0)  # (in, step)
        total.addmm_(grad[:, start : start + step], share.t())
    return total


def learnable_slots(bits: Tensor, weights: Tensor) -> Tensor:
    """Each slot's bit: the candidate with the largest weight.

    Parameters
    ----------
    bits
        (B, in) of 0.0 or 1.0.
    weights
        (in, S) weight of each candidate for each of the S = L * n slots.

    Returns
    -------
    (B, S) bits. Backward gives the weights ``(2 * bits - 1).T @ grad`` and, where it is asked for, the bits
    ``grad @ softmax(weights / TAU).T``.
    """
    return _LearnableSlots.apply(bits, weights)


def random_mapping(n_inputs: int, n_luts: int, n_slots: int, generator: torch.Generator) -> Tensor:
    """(L, n) random wiring: every input bit is used before one repeats, and no LUT repeats a bit.

    A LUT repeats a bit only where it has more slots than there are bits.
    """
    pool: list[int] = []
    rows: list[list[int]] = []
    for _ in range(n_luts):
        row: list[int] = []
        while len(row) < n_slots:
            if len(set(row)) == n_inputs:  # more slots than bits: start over
                row += row[: n_slots - len(row)]
                continue
            fresh = [bit for bit in pool if bit not in row][: n_slots - len(row)]
            row += fresh
            pool = [bit for bit in pool if bit not in fresh]
            if len(row) < n_slots and len(set(row)) < n_inputs:
                pool += torch.randperm(n_inputs, generator=generator).tolist()
        rows.append(row)
    return torch.tensor(rows, dtype=torch.int64).view(n_luts, n_slots)


def arange_mapping(n_inputs: int, n_luts: int, n_slots: int) -> Tensor:
    """(L, n) consecutive wiring, wrapping around."""
    return (torch.arange(n_luts * n_slots) % n_inputs).view(n_luts, n_slots)
