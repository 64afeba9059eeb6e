"""Extended finite difference (EFD): the gradient of a lookup table with respect to its address bits.

The gradient of LUT l with respect to its input k at address a does not depend on the sample:

    W[l, a, k] = alpha * sum over a' of  s_k(a') * beta**H(a without k, a' without k) * T[l, a']

with s_k(a') = +1 where bit k of a' is set, else -1, and H the Hamming distance. The decay factorizes over
the bits, so that with G = T, the butterfly [[1, beta], [beta, 1]] applied on every bit,

    W[l, a, k] = alpha * (G[l, a with bit k set] - G[l, a with bit k clear]) / (1 - beta),

which is O(n 2**n) per LUT for all k together, once per step. Each sample then only gathers its row of W.

References
----------
Bacellar et al., Differentiable Weightless Neural Networks, ICML 2024, arXiv:2410.11112.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    pass

__all__ = ["default_alpha", "efd_lookup", "efd_weights"]


def default_alpha(n_inputs: int) -> float:
    """Scale of the gradient in the paper's authors' code."""
    return 0.5 * 0.75 ** (n_inputs - 1)


def efd_weights(tables: Tensor, alpha: float, beta: float) -> Tensor:
    """Gradient of each LUT with respect to each input, at each address.

    Parameters
    ----------
    tables
        (L, 2**n) table values.
    alpha, beta
        Scale, and decay per bit of Hamming distance (0 <= beta < 1).

    Returns
    -------
    (L, 2**n, n): entry ``[l, a, k]`` is W of the module's docstring.
    """
    n_luts, size = tables.shape
    spread = tables
    for k in range(size.bit_length() - 1):
        pair = spread.view(n_luts, -1, 2, 1 << k)
        spread = torch.add(pair, pair.flip(2), alpha=beta)
    clear, flag = _neighbours(size)
    spread = spread.view(n_luts, size) * (alpha / (1.0 - beta))
    difference = spread.index_select(1, flag) - spread.index_select(1, clear)
    return difference.view(n_luts, size, -1)


@lru_cache(maxsize=16)
def _neighbours(size: int) -> tuple[Tensor, Tensor]:
    """Two (2**n * n,) address lists: at ``a * n + k`` is address a with bit k clear, and with it set."""
    bit = 1 << torch.arange(size.bit_length() - 1)  # (n,)
    address = torch.arange(size)[:, None]  # (2**n, 1)
    return (address & ~bit).flatten(), (address | bit).flatten()


@lru_cache(maxsize=16)
def _place_values(n_inputs: int, dtype: torch.dtype) -> Tensor:
    return (1 << torch.arange(n_inputs)).to(dtype)


class _EfdLookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, bits: Tensor, tables: Tensor, alpha: float, beta: float) -> Tensor:
        n_luts, size = tables.shape
        address = (bits @ _place_values(bits.shape[2], bits.dtype)).long()  # (B, L)
        entry = address + torch.arange(0, n_luts * size, size)  # (B, L) in the flattened tables
        ctx.save_for_backward(entry, tables)
        ctx.alpha, ctx.beta = alpha, beta
        return torch.take(tables, entry)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grads  # (B, L)
        entry, tables = ctx.saved_tensors
        flat = entry.flatten()
        bits_grad = table_grad = None
        if ctx.needs_input_grad[0]:
            weights = efd_weights(tables, ctx.alpha, ctx.beta).view(tables.numel(), -1)  # (L * 2**n, n)
            bits_grad = weights.index_select(0, flat).view(*entry.shape, -1).mul_(grad[..., None])
        if ctx.needs_input_grad[1]:
            table_grad = torch.zeros_like(tables).view(-1).index_add_(0, flat, grad.flatten())
            table_grad = table_grad.view_as(tables)
        return bits_grad, table_grad, None, None


def efd_lookup(bits: Tensor, tables: Tensor, alpha: float, beta: float) -> Tensor:
    """Table values at the addresses that the bits spell, with the EFD gradient.

    Parameters
    ----------
    bits
        (B, L, n) of exactly 0.0 or 1.0; slot 0 is the least significant bit.
    tables
        (L, 2**n) values in [-1, 1].
    alpha, beta
        See :func:`efd_weights`.

    Returns
    -------
    (B, L). Backward gives ``bits`` its EFD gradient and ``tables`` the sum of gradients per address.
    """
    values: Tensor = _EfdLookup.apply(bits, tables, alpha, beta)  # type: ignore[no-untyped-call]
    return values
