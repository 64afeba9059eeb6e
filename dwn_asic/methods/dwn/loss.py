"""The training loss, softmax cross entropy: compiled on a CPU, torch operations elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dwn_asic.compiled import allocating, leaf
from dwn_asic.elementary import exponential, logarithm
from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.kernels import in_ranges

__all__ = ["cross_entropy"]


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross entropy of each start, which is differentiable with respect to the logits.

    Parameters
    ----------
    logits
        (R, C, B) of starts, classes and rows of data.
    targets
        (C, B) soft labels; those of a row may add up to any weight.

    Returns
    -------
    (R,) losses. On a CPU they and the gradient are computed in float64, in a fixed order, and then rounded.
    """
    if kernels.on_cpu(logits):
        losses: Tensor = _CrossEntropy.apply(logits.contiguous(), targets)  # type: ignore[no-untyped-call]
        return losses
    return -(targets * logits.log_softmax(1)).sum(1).mean(1)


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        losses, slopes = logits.new_empty(len(logits)), torch.empty_like(logits)
        arrays = (x.detach().numpy() for x in (logits, targets.contiguous(), losses, slopes))
        in_ranges(softmax_losses, len(logits), logits.numel() * 8, torch.get_num_threads(), *arrays)
        ctx.save_for_backward(slopes)
        return losses

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (slopes,) = ctx.saved_tensors
        return slopes * grads[0][:, None, None], None


@allocating
def softmax_losses(first, end, logits, targets, losses, slopes):  # type: ignore[no-untyped-def]
    """Compute the mean cross entropies (R,) of logits (R, C, B) with targets (C, B), and their gradients."""
    n_classes, n_rows = targets.shape
    most, total, weight = np.empty(n_rows), np.empty(n_rows), np.zeros(n_rows)
    shares = np.empty((n_classes, n_rows))
    for c in range(n_classes):
        for b in range(n_rows):
            weight[b] += targets[c, b]
    for start in range(first, end):
        _exponentials(logits, start, most, shares, total)
        for c in range(n_classes):
            for b in range(n_rows):
                share = weight[b] * (shares[c, b] / total[b])
                slopes[start, c, b] = (share - targets[c, b]) / n_rows
        for b in range(n_rows):
            total[b] = weight[b] * (most[b] + logarithm(total[b]))
        for c in range(n_classes):
            for b in range(n_rows):
                total[b] -= targets[c, b] * np.float64(logits[start, c, b])
        loss = 0.0
        for b in range(n_rows):
            loss += total[b]
        losses[start] = loss / n_rows


@leaf
def _exponentials(logits, start, most, shares, total):  # type: ignore[no-untyped-def]
    """Compute, for each row of data, the largest logit, the exponentials relative to it, and their sum."""
    n_classes, n_rows = shares.shape
    for b in range(n_rows):
        most[b], total[b] = logits[start, 0, b], 0
    for c in range(1, n_classes):
        for b in range(n_rows):
            logit = np.float64(logits[start, c, b])
            most[b] = max(most[b], logit)
    for c in range(n_classes):
        for b in range(n_rows):
            shares[c, b] = exponential(logits[start, c, b] - most[b])
            total[b] += shares[c, b]
