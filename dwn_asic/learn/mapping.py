"""Which bit each LUT slot reads: learned (argmax over candidate weights), random, or consecutive."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["TAU", "arange_mapping", "learnable_slots", "random_mapping", "read_slots"]

TAU = 0.001
"""Softmax temperature of the gradient that a learnable mapping passes to its input."""

_CHUNK = 1 << 20  # entries of the (in, slots) softmax that exist at one time


class _LearnableSlots(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, bits: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(bits, weights)
        return read_slots(bits, weights.argmax(1))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:
        grad = grads[0].transpose(0, 1)  # (G, B, S)
        bits, weights = ctx.saved_tensors
        bits_grad = weights_grad = None
        if ctx.needs_input_grad[0]:
            bits_grad = _softmax_product(grad, weights).transpose(0, 1)
        if ctx.needs_input_grad[1]:
            weights_grad = (2.0 * bits - 1.0).permute(1, 2, 0) @ grad
        return bits_grad, weights_grad


def _softmax_product(grad: Tensor, weights: Tensor) -> Tensor:
    """``grad @ softmax(weights / TAU).T`` in chunks of slots: (G, B, S), (G, in, S) -> (G, B, in)."""
    n_groups, n_inputs, n_slots = weights.shape
    total = grad.new_zeros(n_groups, grad.shape[1], n_inputs)
    step = max(1, _CHUNK // (n_groups * n_inputs))
    for start in range(0, n_slots, step):
        share = torch.softmax(weights[:, :, start : start + step] / TAU, 1)  # (G, in, step)
        total.baddbmm_(grad[:, :, start : start + step], share.transpose(1, 2))
    return total


def read_slots(bits: Tensor, mapping: Tensor) -> Tensor:
    """(B, G, in) bits and (G, S) indices into a group's bits -> (B, G, S)."""
    n_rows, n_groups, n_inputs = bits.shape
    chosen = (mapping + torch.arange(0, n_groups * n_inputs, n_inputs)[:, None]).flatten()
    return bits.reshape(n_rows, -1).index_select(1, chosen).view(n_rows, *mapping.shape)


def learnable_slots(bits: Tensor, weights: Tensor) -> Tensor:
    """Each slot's bit: the candidate with the largest weight.

    Slots are in G groups; those of a group read only that group's bits.

    Parameters
    ----------
    bits
        (B, G, in) of 0.0 or 1.0.
    weights
        (G, in, S) weight of each candidate for each slot.

    Returns
    -------
    (B, G, S) bits. Backward gives the weights ``(2 * bits - 1).T @ grad`` and, where it is asked for, the
    bits ``grad @ softmax(weights / TAU).T``, group by group.
    """
    slots: Tensor = _LearnableSlots.apply(bits, weights)  # type: ignore[no-untyped-call]
    return slots


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
