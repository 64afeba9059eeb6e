"""Extended finite difference (EFD): the gradient of a lookup table with respect to its address bits.

The gradient of LUT l with respect to its input k at address a does not depend on the sample:

    W[l, a, k] = alpha * sum over a' of  s_k(a') * d(H(a without k, a' without k)) * T[l, a']

with s_k(a') = +1 where bit k of a' is set, else -1, H the Hamming distance and d the decay. A decay
``beta**h`` factorizes over the bits: with G = T after the butterfly [[1, beta], [beta, 1]] on every bit,

    W[l, a, k] = alpha * (G[l, a with bit k set] - G[l, a with bit k clear]) / (1 - beta),

which takes O(n 2**n) per LUT for all k together, once per step. The paper's decay 1/(h + 1) is the integral
of ``x**h`` over [0, 1]; for the few h that occur, Gauss-Legendre quadrature expresses it exactly as a
weighted sum of such decays. Either way there is one spread table G per LUT, and each sample needs only
differences of two of its entries.

References
----------
Bacellar et al., Differentiable Weightless Neural Networks, ICML 2024, arXiv:2410.11112: 1/(h + 1), alpha 1.
The authors' code decays by beta**h, with beta = 1/3 and alpha = 0.5 * 0.75**(n - 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.config import EfdConfig
from dwn_asic.methods.dwn.kernels import in_ranges, spread_out

__all__ = ["Efd", "efd_weights", "spread"]


@dataclass(frozen=True)
class Efd:
    """A decay as a sum of terms ``weight * beta**h``, with alpha included in the weights.

    Attributes
    ----------
    terms
        Pairs of weight and beta, 0 <= beta < 1.
    """

    terms: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, config: EfdConfig, n_inputs: int) -> Efd:
        """Return the decay that the configuration describes, for LUTs of n inputs."""
        if config.decay == "exponential":
            alpha = 0.5 * 0.75 ** (n_inputs - 1) if config.alpha is None else config.alpha
            return cls(((alpha, config.beta),))
        alpha = 1.0 if config.alpha is None else config.alpha
        nodes, weights = np.polynomial.legendre.leggauss((n_inputs + 1) // 2)  # exact up to h = n - 1
        return cls(
            tuple((alpha * float(w) / 2, (float(x) + 1) / 2) for x, w in zip(nodes, weights, strict=True))
        )


def spread(tables: Tensor, efd: Efd) -> Tensor:
    """Spread tables (L, 2**n) into G (L, 2**n), whose difference over bit k is the gradient to input k."""
    return (_compiled_spread if kernels.on_cpu(tables) else _spread)(tables, efd)


def _compiled_spread(tables: Tensor, efd: Efd) -> Tensor:
    total, array = torch.empty_like(tables), tables.contiguous().numpy()
    weights = np.array([weight / (1.0 - beta) for weight, beta in efd.terms], array.dtype)
    betas = np.array([beta for _, beta in efd.terms], array.dtype)
    work = array.size * len(efd.terms)
    in_ranges(spread_out, len(tables), work, torch.get_num_threads(), array, weights, betas, total.numpy())
    return total


def _spread(tables: Tensor, efd: Efd) -> Tensor:
    total = torch.zeros_like(tables)
    for weight, beta in efd.terms:
        term = tables
        for k in range(tables.shape[1].bit_length() - 1):
            pair = term.reshape(len(tables), -1, 2, 1 << k)
            term = torch.add(pair, pair.flip(2), alpha=beta)
        total.add_(term.reshape_as(tables), alpha=weight / (1.0 - beta))
    return total


def efd_weights(tables: Tensor, efd: Efd) -> Tensor:
    """Return the gradient of each LUT with respect to each input, at each address.

    Parameters
    ----------
    tables
        (L, 2**n) table values.
    efd
        Decay and scale.

    Returns
    -------
    (L, 2**n, n): entry ``[l, a, k]`` is W as defined in the docstring of the module.
    """
    n_luts, size = tables.shape
    bit = 1 << torch.arange(size.bit_length() - 1, device=tables.device)  # (n,)
    address = torch.arange(size, device=tables.device)[:, None]  # (2**n, 1)
    g = spread(tables, efd)
    difference = g[:, (address | bit).flatten()] - g[:, (address & ~bit).flatten()]
    return difference.view(n_luts, size, -1)
