"""Mappings of LUT slots to bits: learned (the heaviest candidate), random, or consecutive.

Bits are (G, in, B): groups, bits of a group, rows of data. Slots are (R, S): the slots of start r read group
r, or the only group if there is one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.kernels import heaviest, in_ranges, near_heaviest, share_out
from dwn_asic.methods.dwn.products import candidate_products, sign_products, thermometer_products

__all__ = [
    "TAU",
    "arange_mapping",
    "learnable_slots",
    "random_candidates",
    "random_mapping",
    "read_slots",
    "renew_candidates",
    "slot_mapping",
]

TAU = 0.001
"""Default softmax temperature of the gradient that a learnable mapping passes to its input."""

_NEGLIGIBLE = 20.0  # a candidate this many temperatures below the heaviest has a share below 2.1e-9
_FEW = 32  # usual number of candidates per slot whose share is not negligible
_BITS_OF_A_FEATURE = 6  # with more bits per feature, sums by level are faster than sums by pattern
_CHUNK = 1 << 22  # numbers in memory at a time where a product is computed in parts


def read_slots(bits: Tensor, mapping: Tensor) -> Tensor:
    """Read (R, S) slots, indices into the bits of a group, from (G, in, B) bits -> (R * S, B)."""
    n_groups, n_inputs, n_rows = bits.shape
    if n_groups > 1:
        mapping = mapping + n_inputs * torch.arange(n_groups, device=bits.device)[:, None]
    return bits.reshape(-1, n_rows).index_select(0, mapping.flatten())


def slot_mapping(weights: Tensor, candidates: Tensor | None) -> Tensor:
    """Return the (R, S) bit that each slot reads: its candidate with the largest weight."""
    chosen = _heaviest(weights.detach())
    return chosen if candidates is None else candidates.gather(2, chosen[:, :, None])[:, :, 0].long()


def learnable_slots(
    bits: Tensor,
    weights: Tensor,
    candidates: Tensor | None = None,
    tau: float = TAU,
    features: Tensor | None = None,
) -> Tensor:
    """Return each slot's bit.

    Parameters
    ----------
    bits
        (G, in, B) of 0.0 or 1.0.
    weights
        (R, S, K) weight of each candidate for each slot.
    candidates
        (R, S, K) int32 indices of the bits that the weights refer to. Without them K is in, and candidate i
        is bit i.
    tau
        Softmax temperature of the gradient to the bits.
    features
        (F + 1,) int64, if all bits belong to ordered thermometers: the first bit of each feature, then in. It
        speeds up the gradient of many weights on a CPU.

    Returns
    -------
    (R * S, B) bits. The backward pass gives the weight of a candidate the product of its ``2 * bit - 1`` with
    the slot's gradient. If it is needed, each bit gets the gradients of all slots times its share in
    ``softmax(weights / tau)``; on a CPU, shares below 2.1e-9 are dropped.
    """
    slots: Tensor = _LearnableSlots.apply(bits, weights, candidates, tau, features)  # type: ignore[no-untyped-call]
    return slots


class _LearnableSlots(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        bits: Tensor,
        weights: Tensor,
        candidates: Tensor | None,
        tau: float,
        features: Tensor | None,
    ) -> Tensor:
        ctx.save_for_backward(bits, weights, candidates, features)
        ctx.tau = tau
        return read_slots(bits, slot_mapping(weights, candidates))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        grad = grads[0].contiguous()  # (R * S, B)
        bits, weights, candidates, features = ctx.saved_tensors
        bits_grad = weights_grad = None
        if ctx.needs_input_grad[0]:
            bits_grad = _bits_gradient(grad, bits, weights, candidates, ctx.tau)
        if ctx.needs_input_grad[1]:
            weights_grad = _weights_gradient(grad, bits, weights, candidates, features)
        return bits_grad, weights_grad, None, None, None


def _weights_gradient(
    grad: Tensor, bits: Tensor, weights: Tensor, candidates: Tensor | None, features: Tensor | None
) -> Tensor:
    if kernels.on_cpu(grad):
        return _compiled_weights_gradient(grad, bits, candidates, features).view_as(weights)
    signs, n_starts = 2.0 * bits - 1.0, len(weights)
    if candidates is None:
        if len(bits) == 1:
            return (grad @ signs[0].t()).view_as(weights)
        return grad.view(n_starts, -1, bits.shape[2]) @ signs.transpose(1, 2)
    rows = _rows(candidates, bits)  # (R * S, K)
    flat = signs.view(-1, bits.shape[2])
    step = max(1, _CHUNK // (rows.shape[1] * grad.shape[1]))
    parts = [
        (flat[some] @ part[:, :, None])[:, :, 0]
        for some, part in zip(torch.split(rows, step), torch.split(grad, step), strict=True)
    ]
    return torch.cat(parts).view_as(weights)


def _compiled_weights_gradient(
    grad: Tensor, bits: Tensor, candidates: Tensor | None, features: Tensor | None
) -> Tensor:
    n_groups, n_inputs, n_rows = bits.shape
    is_set, threads = (bits > 0.5).numpy(), torch.get_num_threads()
    if candidates is not None:
        rows, flat = _rows(candidates, bits).numpy(), is_set.reshape(-1, n_rows)
        return torch.from_numpy(candidate_products(grad.numpy(), flat, rows, threads))
    if features is not None and n_groups == 1 and n_inputs > _BITS_OF_A_FEATURE * (len(features) - 1):
        return torch.from_numpy(thermometer_products(grad.numpy(), is_set[0], features.numpy(), threads))
    by_group = grad.view(n_groups, -1, n_rows).numpy()
    return torch.from_numpy(sign_products(by_group, is_set, threads))


def _bits_gradient(
    grad: Tensor, bits: Tensor, weights: Tensor, candidates: Tensor | None, tau: float
) -> Tensor:
    n_groups, n_inputs, n_rows = bits.shape
    total = torch.zeros_like(bits)
    if kernels.on_cpu(grad):
        places, shares, counts = _shares(weights, tau)
        if candidates is not None:
            places = candidates.view(len(places), -1).gather(1, places.long())
        if n_groups > 1:
            places = places.view(n_groups, -1) + n_inputs * torch.arange(n_groups, dtype=torch.int32)[:, None]
        arrays = (x.numpy() for x in (grad, counts, places.view_as(shares), shares, total.view(-1, n_rows)))
        in_ranges(share_out, n_rows, grad.numel(), torch.get_num_threads(), *arrays)
        return total
    if candidates is None:
        return _dense_bits_gradient(grad, total, weights, tau)
    flat, rows = total.view(-1, n_rows), _rows(candidates, bits)
    step = max(1, _CHUNK // (rows.shape[1] * n_rows))
    parts = (torch.split(x, step) for x in (grad, rows, weights.flatten(0, 1)))
    for part, some, weight in zip(*parts, strict=True):
        products = torch.softmax(weight / tau, 1)[:, :, None] * part[:, None]
        flat.index_add_(0, some.flatten(), products.flatten(0, 1))
    return total


def _dense_bits_gradient(grad: Tensor, total: Tensor, weights: Tensor, tau: float) -> Tensor:
    by_start = grad.view(*weights.shape[:2], -1)  # (R, S, B)
    step = max(1, _CHUNK // (len(weights) * weights.shape[2]))
    for part, weight in zip(torch.split(by_start, step, 1), torch.split(weights, step, 1), strict=True):
        shared = torch.softmax(weight / tau, 2).transpose(1, 2) @ part  # (R, in, B)
        total += shared if len(total) > 1 else shared.sum(0, keepdim=True)
    return total


def _rows(candidates: Tensor, bits: Tensor) -> Tensor:
    """Return the (R * S, K) rows of the flattened bits that the candidates refer to."""
    n_groups, n_inputs, _ = bits.shape
    first = n_inputs * torch.arange(n_groups, dtype=torch.int32, device=bits.device)[:, None, None]
    return (candidates + first if n_groups > 1 else candidates).flatten(0, 1)


def _heaviest(weights: Tensor) -> Tensor:
    """Return the index of the largest weight of each slot: (R, S, K) -> (R, S)."""
    if not kernels.on_cpu(weights):
        return weights.argmax(2)
    flat = weights.reshape(-1, weights.shape[2])
    chosen = torch.empty(len(flat), dtype=torch.int64)
    in_ranges(heaviest, len(flat), flat.numel(), torch.get_num_threads(), flat.numpy(), chosen.numpy())
    return chosen.view(weights.shape[:2])


def _shares(weights: Tensor, tau: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return (R * S, M) the candidates that are not negligible, their shares, and their number per slot."""
    flat = weights.reshape(-1, weights.shape[2])
    counts = torch.empty(len(flat), dtype=torch.int32)
    most = min(_FEW, flat.shape[1])
    while True:
        places = torch.zeros(len(flat), most, dtype=torch.int32)
        shares = torch.empty(len(flat), most, dtype=flat.dtype)
        arrays = (x.numpy() for x in (flat, counts, places, shares))
        in_ranges(near_heaviest, len(flat), flat.numel(), torch.get_num_threads(), *arrays, tau, _NEGLIGIBLE)
        needed = int(counts.max())
        if needed <= most:
            return places, shares, counts
        most = needed


def random_candidates(
    n_inputs: int, n_candidates: int, slots: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Draw K different bits in random order for each slot: (R, S, K) int32."""
    rows = [torch.randperm(n_inputs, generator=generator)[:n_candidates] for _ in range(slots[0] * slots[1])]
    return torch.stack(rows).to(torch.int32).view(*slots, n_candidates)


def renew_candidates(
    weights: Tensor, candidates: Tensor, n_inputs: int, share: float, generator: torch.Generator
) -> None:
    """Replace the candidates of least weight of each slot by random bits that are not candidates yet.

    A new candidate starts with the median weight of its slot.

    Parameters
    ----------
    weights, candidates
        (R, S, K), changed in place.
    n_inputs
        Number of bits to choose from.
    share
        Share of the candidates to replace; the heaviest one always stays.
    generator
        Draws the new candidates.
    """
    n_starts, n_slots, n_candidates = weights.shape
    count = min(int(share * n_candidates), n_candidates - 1, n_inputs - n_candidates)
    if count < 1:
        return
    lightest = weights.topk(count, dim=2, largest=False).indices
    drawn = random_candidates(n_inputs, min(n_inputs, n_candidates + count), (n_starts, n_slots), generator)
    drawn = drawn.to(candidates.device)
    taken = (drawn[..., None] == candidates[:, :, None]).any(3)
    fresh = taken.to(torch.int8).argsort(dim=2, stable=True)[:, :, :count]  # K + count draws suffice
    candidates.scatter_(2, lightest, drawn.gather(2, fresh))
    weights.scatter_(2, lightest, weights.median(2, keepdim=True).values.expand_as(lightest))


def random_mapping(n_inputs: int, n_luts: int, n_slots: int, generator: torch.Generator) -> Tensor:
    """Draw (L, n) random wiring: every input bit is used before one repeats, and no LUT repeats a bit.

    A LUT repeats a bit only if it has more slots than there are bits.
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
    """Return (L, n) consecutive wiring that wraps around."""
    return (torch.arange(n_luts * n_slots) % n_inputs).view(n_luts, n_slots)
