"""Penalties on the Walsh-Fourier spectrum of lookup tables.

The coefficient of a subset S of the address bits is ``f(S) = mean over a of T[a] * product of (+-1) over S``.

References
----------
Bacellar et al., arXiv:2410.11112, spectral regularization; O'Donnell, Analysis of Boolean Functions, 2014.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

__all__ = ["influence", "l2_norm", "spectral_penalty"]


def l2_norm(tables: Tensor) -> Tensor:
    """(L, 2**n) tables -> (L,) L2 norm of each spectrum.

    By Parseval that is the root mean square of the table, so no transform is needed.
    """
    return torch.linalg.vector_norm(tables, dim=1) / tables.shape[1] ** 0.5


class _Influence(torch.autograd.Function):
    """Quadratic in the table, so one product with the cube's Laplacian gives value and slope."""

    @staticmethod
    def forward(ctx: Any, tables: Tensor) -> Tensor:
        n_luts, size = tables.shape
        n_inputs = size.bit_length() - 1
        laplacian = n_inputs * tables
        for k in range(n_inputs):
            laplacian.view(n_luts, -1, 2, 1 << k).sub_(tables.view(n_luts, -1, 2, 1 << k).flip(2))
        ctx.save_for_backward(laplacian)
        return (tables * laplacian).sum(1) / (2 * size)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (laplacian,) = ctx.saved_tensors
        slope: Tensor = laplacian * (grads[0][:, None] / laplacian.shape[1])
        return slope


def influence(tables: Tensor) -> Tensor:
    """(L, 2**n) tables -> (L,) total influence: the sum of squared coefficients, each times its degree.

    The share of bit k is the mean square of half the difference that flipping bit k makes, so no transform
    is needed. Functions of few influential bits cost few gates.
    """
    total: Tensor = _Influence.apply(tables.contiguous())  # type: ignore[no-untyped-call]
    return total


def spectral_penalty(tables: Tensor, kind: Literal["l2", "influence"]) -> Tensor:
    """Mean over the LUTs of :func:`l2_norm` or :func:`influence`; a differentiable scalar."""
    return (l2_norm if kind == "l2" else influence)(tables).mean()
