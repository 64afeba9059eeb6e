"""Penalties on the Walsh-Fourier spectrum of lookup tables, compiled on a CPU, torch operations elsewhere.

The coefficient of a subset S of the address bits is ``f(S) = mean over a of T[a] * product of (+-1) over S``.

References
----------
Bacellar et al., arXiv:2410.11112, spectral regularization; O'Donnell, Analysis of Boolean Functions, 2014.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dwn_asic.compiled import kernel, leaf
from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.kernels import in_ranges

__all__ = ["influence", "l1_norm", "l2_norm", "spectral_penalty"]


Kind = Literal["l2", "influence", "l1"]


def l2_norm(tables: Tensor) -> Tensor:
    """Return the L2 norm of each spectrum: (L, 2**n) tables -> (L,).

    By Parseval's theorem it is the root mean square of the table, so no transform is needed.
    """
    if kernels.on_cpu(tables):
        return _compiled(tables, l2_norms)
    return torch.linalg.vector_norm(tables, dim=1) / tables.shape[1] ** 0.5


def influence(tables: Tensor) -> Tensor:
    """Return the total influence of each table: (L, 2**n) tables -> (L,).

    It is the sum of squared coefficients, each times its degree. The share of bit k is the mean square of
    half the difference that flipping bit k makes, so no transform is needed. Functions with few influential
    bits cost few gates.
    """
    if kernels.on_cpu(tables):
        return _compiled(tables, influences)
    total = torch.zeros_like(tables[:, 0])
    for k in range(tables.shape[1].bit_length() - 1):
        pair = tables.view(len(tables), -1, 2, 1 << k)
        total = total + (pair[:, :, 0] - pair[:, :, 1]).square().flatten(1).sum(1)
    return total / (2 * tables.shape[1])


def l1_norm(tables: Tensor) -> Tensor:
    """Return the L1 norm of each spectrum, which favours few coefficients: (L, 2**n) tables -> (L,)."""
    if kernels.on_cpu(tables):
        return _compiled(tables, l1_norms)
    spectrum = tables
    for k in range(tables.shape[1].bit_length() - 1):
        pair = spectrum.view(len(tables), -1, 2, 1 << k)
        spectrum = torch.stack([pair[:, :, 0] + pair[:, :, 1], pair[:, :, 0] - pair[:, :, 1]], 2)
    return spectrum.flatten(1).abs().sum(1) / tables.shape[1]


def spectral_penalty(tables: Tensor, kind: Kind) -> Tensor:
    """Return the mean of a penalty over the LUTs, a differentiable scalar."""
    return {"l2": l2_norm, "influence": influence, "l1": l1_norm}[kind](tables).mean()


class _Penalty(torch.autograd.Function):
    """A penalty whose kernel computes both its values (L,) and their slopes (L, 2**n) in the tables."""

    @staticmethod
    def forward(ctx: Any, tables: Tensor, kernel: Any) -> Tensor:
        values, slopes = tables.new_empty(len(tables)), torch.empty_like(tables)
        arrays = (x.detach().numpy() for x in (tables, values, slopes))
        in_ranges(kernel, len(tables), tables.numel(), torch.get_num_threads(), *arrays)
        ctx.save_for_backward(slopes)
        return values

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (slopes,) = ctx.saved_tensors
        return slopes * grads[0][:, None], None


def _compiled(tables: Tensor, kernel: Any) -> Tensor:
    values: Tensor = _Penalty.apply(tables.contiguous(), kernel)  # type: ignore[no-untyped-call]
    return values


@kernel
def l2_norms(first, end, tables, values, slopes):  # type: ignore[no-untyped-def]
    """Compute root mean squares (L,) of tables (L, 2**n), and their slopes: 0 for a table of zeros."""
    size = tables.shape[1]
    for lut in range(first, end):
        total = 0.0
        for a in range(size):
            total += np.float64(tables[lut, a]) * tables[lut, a]
        norm = np.sqrt(total / size)
        values[lut] = norm
        for a in range(size):
            slopes[lut, a] = tables[lut, a] / (size * norm) if norm > 0.0 else 0.0


@kernel
def influences(first, end, tables, values, slopes):  # type: ignore[no-untyped-def]
    """Compute total influences (L,) of tables (L, 2**n), and their slopes.

    Both follow from the Laplacian on the cube: n times an entry minus its neighbours one bit away.
    """
    size = tables.shape[1]
    scale = slopes.dtype.type(1.0 / size)  # exact, as the size is a power of two
    for lut in range(first, end):
        for a in range(size):
            slopes[lut, a] = 0
        step = 1
        while step < size:
            for start in range(0, size, 2 * step):
                for a in range(start, start + step):
                    difference = tables[lut, a] - tables[lut, a + step]
                    slopes[lut, a] += difference
                    slopes[lut, a + step] -= difference
            step *= 2
        total = 0.0
        for a in range(size):
            slopes[lut, a] *= scale
            total += np.float64(tables[lut, a]) * slopes[lut, a]
        values[lut] = total / 2


@kernel
def l1_norms(first, end, tables, values, slopes):  # type: ignore[no-untyped-def]
    """Compute the L1 norms (L,) of the spectra of tables (L, 2**n), and their slopes."""
    size = tables.shape[1]
    scale = slopes.dtype.type(1.0 / size)
    for lut in range(first, end):
        for a in range(size):
            slopes[lut, a] = tables[lut, a]
        _transform(slopes, lut)
        total = 0.0
        for a in range(size):
            total += abs(np.float64(slopes[lut, a]))
            slopes[lut, a] = np.sign(slopes[lut, a]) * scale
        values[lut] = total / size
        _transform(slopes, lut)


@leaf
def _transform(rows, row):  # type: ignore[no-untyped-def]
    """Transform a row of (L, 2**n) by the Walsh-Hadamard matrix, in place."""
    size, step = rows.shape[1], 1
    while step < size:
        for start in range(0, size, 2 * step):
            for a in range(start, start + step):
                clear, flag = rows[row, a], rows[row, a + step]
                rows[row, a], rows[row, a + step] = clear + flag, clear - flag
        step *= 2
