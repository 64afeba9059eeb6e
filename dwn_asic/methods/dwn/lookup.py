"""The LUT lookup as a differentiable operation: compiled on a CPU, torch operations elsewhere."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.efd import Efd, spread
from dwn_asic.methods.dwn.kernels import in_ranges, look_up, pull_back

__all__ = ["lut_lookup"]


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, slots: Tensor, tables: Tensor, efd: Efd) -> Tensor:
        values, addresses = (_compiled_values if kernels.on_cpu(slots) else _values)(slots, tables)
        ctx.save_for_backward(addresses, tables)
        ctx.efd = efd
        return values

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        addresses, tables = ctx.saved_tensors
        grad, g = grads[0].contiguous(), spread(tables, ctx.efd)
        pulled = _compiled_gradients if kernels.on_cpu(grad) else _gradients
        slot_grad, table_grad = pulled(grad, addresses, g)
        return slot_grad, table_grad, None


def lut_lookup(slots: Tensor, tables: Tensor, efd: Efd) -> Tensor:
    """Return table values at the addresses that the slots form, with the EFD gradient.

    Parameters
    ----------
    slots
        (L * n, B) of 0.0 or 1.0; row ``l * n + k`` is bit k of LUT l's address, bit 0 the least significant.
    tables
        (L, 2**n) values in [-1, 1], n at most 8.
    efd
        Decay and scale of the gradient.

    Returns
    -------
    (L, B) values. The backward pass gives ``slots`` the EFD gradient, and ``tables`` the sum of gradients per
    address.
    """
    values: Tensor = _Lookup.apply(slots, tables, efd)  # type: ignore[no-untyped-call]
    return values


def _compiled_values(slots: Tensor, tables: Tensor) -> tuple[Tensor, Tensor]:
    n_luts, n_rows = len(tables), slots.shape[1]
    values = tables.new_empty(n_luts, n_rows)
    addresses = torch.empty(n_luts, n_rows, dtype=torch.uint8)
    arrays = (x.detach().numpy() for x in (slots.contiguous(), tables.contiguous(), addresses, values))
    in_ranges(look_up, n_luts, slots.numel(), torch.get_num_threads(), *arrays)
    return values, addresses


def _compiled_gradients(grad: Tensor, addresses: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    n_luts, n_rows = grad.shape
    table_grad = torch.zeros_like(g)
    slot_grad = grad.new_empty(n_luts * (g.shape[1].bit_length() - 1), n_rows)
    arrays = (x.numpy() for x in (grad, addresses, g, table_grad, slot_grad))
    in_ranges(pull_back, n_luts, slot_grad.numel(), torch.get_num_threads(), *arrays)
    return slot_grad, table_grad


def _values(slots: Tensor, tables: Tensor) -> tuple[Tensor, Tensor]:
    n_luts, size = tables.shape
    bits = slots.view(n_luts, size.bit_length() - 1, -1)
    place = 1 << torch.arange(bits.shape[1], device=slots.device)
    addresses = (bits.long() * place[:, None]).sum(1)
    return tables.gather(1, addresses), addresses


def _gradients(grad: Tensor, addresses: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    table_grad = torch.zeros_like(g).scatter_add_(1, addresses, grad)
    bits = [1 << k for k in range(g.shape[1].bit_length() - 1)]
    slot_grad = [grad * (g.gather(1, addresses | bit) - g.gather(1, addresses & ~bit)) for bit in bits]
    return torch.stack(slot_grad, 1).flatten(0, 1), table_grad
