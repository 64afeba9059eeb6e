"""Penalties on the Walsh-Fourier spectrum of lookup tables.

The coefficient of a subset S of the address bits is ``f(S) = mean over a of T[a] * product of (+-1) over S``.

References
----------
Bacellar et al., arXiv:2410.11112, spectral regularization; O'Donnell, Analysis of Boolean Functions, 2014.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.kernels import in_ranges, laplacians

__all__ = ["influence", "l1_norm", "l2_norm", "spectral_penalty"]


Kind = Literal["l2", "influence", "l1"]


def l2_norm(tables: Tensor) -> Tensor:
    """Return the L2 norm of each spectrum: (L, 2**n) tables -> (L,).

    By Parseval's theorem it is the root mean square of the table, so no transform is needed.
    """
    return torch.linalg.vector_norm(tables, dim=1) / tables.shape[1] ** 0.5


class _Influence(torch.autograd.Function):
    """Total influence: quadratic, so one product with the cube's Laplacian yields value and gradient."""

    @staticmethod
    def forward(ctx: Any, tables: Tensor) -> Tensor:
        laplacian = (_compiled_laplacian if kernels.on_cpu(tables) else _laplacian)(tables.detach())
        ctx.save_for_backward(laplacian)
        return (tables * laplacian).sum(1) / (2 * tables.shape[1])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (laplacian,) = ctx.saved_tensors
        slope: Tensor = laplacian * (grads[0][:, None] / laplacian.shape[1])
        return slope


def _compiled_laplacian(tables: Tensor) -> Tensor:
    found = torch.empty_like(tables)
    arrays = tables.numpy(), found.numpy()
    in_ranges(laplacians, len(tables), tables.numel(), torch.get_num_threads(), *arrays)
    return found


def _laplacian(tables: Tensor) -> Tensor:
    n_inputs = tables.shape[1].bit_length() - 1
    found = n_inputs * tables
    for k in range(n_inputs):
        pairs = (len(tables), -1, 2, 1 << k)
        found.view(pairs).sub_(tables.view(pairs).flip(2))
    return found


def influence(tables: Tensor) -> Tensor:
    """Return the total influence of each table: (L, 2**n) tables -> (L,).

    It is the sum of squared coefficients, each times its degree. The share of bit k is the mean square of
    half the difference that flipping bit k makes, so no transform is needed. Functions with few influential
    bits cost few gates.
    """
    total: Tensor = _Influence.apply(tables.contiguous())  # type: ignore[no-untyped-call]
    return total


def l1_norm(tables: Tensor) -> Tensor:
    """Return the L1 norm of each spectrum, which favours few coefficients: (L, 2**n) tables -> (L,)."""
    spectrum = tables
    for k in range(tables.shape[1].bit_length() - 1):
        pair = spectrum.view(len(tables), -1, 2, 1 << k)
        spectrum = torch.stack([pair[:, :, 0] + pair[:, :, 1], pair[:, :, 0] - pair[:, :, 1]], 2)
    return spectrum.flatten(1).abs().sum(1) / tables.shape[1]


def spectral_penalty(tables: Tensor, kind: Kind) -> Tensor:
    """Return the mean of a penalty over the LUTs, a differentiable scalar."""
    return _PENALTIES[kind](tables).mean()


_PENALTIES: dict[Kind, Callable[[Tensor], Tensor]] = {"l2": l2_norm, "influence": influence, "l1": l1_norm}
