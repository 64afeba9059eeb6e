"""Benchmark of a LUT layer, forward and backward: EFD weights once per step against the direct formulation.

Both run alternately on the same data. The table of figures imports ``measure_lookup``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from dwn_asic.methods.dwn.config import EfdConfig
from dwn_asic.methods.dwn.efd import Efd
from dwn_asic.methods.dwn.lookup import lut_lookup

AGREEMENT = 1e-4  # largest difference of gradients, as a fraction of the largest gradient
SPEEDUP = 80
GROWTH = 4.0  # from n = 2 to n = 8: linear
ATTEMPTS = 3  # on a busy machine the short step slows down most, since its threads wait for each other


class PerSampleLookup(torch.autograd.Function):
    """The definition of EFD: for each sample, the decay at its address is summed over the table."""

    @staticmethod
    def forward(ctx, bits: Tensor, tables: Tensor, decay: Tensor) -> Tensor:
        n_luts, size = tables.shape
        address = (bits @ (1 << torch.arange(bits.shape[2])).to(bits.dtype)).long()  # (B, L)
        entry = address + torch.arange(0, n_luts * size, size)
        ctx.save_for_backward(address, entry, tables, decay)
        return torch.take(tables, entry)

    @staticmethod
    def backward(ctx, grad: Tensor):
        address, entry, tables, decay = ctx.saved_tensors
        per_sample = decay[address]  # (B, L, n, 2**n)
        bits_grad = torch.einsum("blka,la->blk", per_sample, tables) * grad[..., None]
        table_grad = torch.zeros_like(tables).view(-1).index_add_(0, entry.flatten(), grad.flatten())
        return bits_grad, table_grad.view_as(tables), None


def decay_tensor(n: int) -> Tensor:
    """Return (2**n, n, 2**n) decays: alpha * s_k(a') * beta**H(a without k, a' without k) at [a, k, a']."""
    ((alpha, beta),) = Efd.of(EfdConfig(), n).terms
    address = torch.arange(1 << n)
    bits = (address[:, None] >> torch.arange(n)) & 1  # (2**n, n)
    differs = bits[:, None, :] ^ bits[None, :, :]  # (2**n, 2**n, n)
    distance = differs.sum(2)[:, None, :] - differs.permute(0, 2, 1)  # without bit k
    sign = 2.0 * bits.t() - 1.0  # (n, 2**n)
    return alpha * sign[None] * beta**distance


@dataclass
class Case:
    """The data of a step: slots (L * n, B), tables (L, 2**n), and gradients of the values (L, B)."""

    slots: Tensor
    tables: Tensor
    grad: Tensor

    @classmethod
    def draw(cls, luts: int, n: int, batch: int) -> Case:
        generator = torch.Generator().manual_seed(0)
        return cls(
            (torch.rand(luts * n, batch, generator=generator) < 0.5).float().requires_grad_(),
            (torch.rand(luts, 1 << n, generator=generator) * 2 - 1).requires_grad_(),
            torch.randn(luts, batch, generator=generator),
        )

    def ours(self) -> tuple[Tensor, Tensor]:
        """Compute the gradients of the slots (L * n, B) and of the tables."""
        n = self.tables.shape[1].bit_length() - 1
        values = lut_lookup(self.slots, self.tables, Efd.of(EfdConfig(), n))
        slot_grad, table_grad = torch.autograd.grad(values, (self.slots, self.tables), self.grad)
        return slot_grad, table_grad

    def direct(self) -> Callable[[], tuple[Tensor, Tensor]]:
        """Return a function that computes them by the direct formulation, with the batch as first axis."""
        luts, n = len(self.tables), self.tables.shape[1].bit_length() - 1
        decay, grad = decay_tensor(n), self.grad.t().contiguous()
        bits = self.slots.detach().view(luts, n, -1).permute(2, 0, 1).contiguous().requires_grad_()

        def step() -> tuple[Tensor, Tensor]:
            values = PerSampleLookup.apply(bits, self.tables, decay)
            bits_grad, table_grad = torch.autograd.grad(values, (bits, self.tables), grad)
            return bits_grad, table_grad

        return step


def best_times(steps: dict[str, Callable[[], object]], *, threads: int, rounds: int) -> dict[str, float]:
    """Measure the best time of each step in seconds, since other work on the machine can only add time.

    The steps take turns, so that they run under equal conditions; the first round is a warm-up.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    times: dict[str, list[float]] = {name: [] for name in steps}
    try:
        for round_ in range(rounds + 1):
            for name, step in steps.items():
                start = time.perf_counter()
                step()
                if round_:
                    times[name].append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(before)
    return {name: min(values) for name, values in times.items()}


def measure_lookup(
    *, luts: int = 2000, n: int = 6, batch: int = 256, threads: int = 2, rounds: int = 10
) -> dict[str, float]:
    """Measure ``ours_s``, ``direct_s`` and ``ratio`` (direct over ours) of the forward and backward pass."""
    case = Case.draw(luts, n, batch)
    result = best_times({"ours_s": case.ours, "direct_s": case.direct()}, threads=threads, rounds=rounds)
    return {**result, "ratio": result["direct_s"] / result["ours_s"]}


def measure_growth(
    *, luts: int = 2000, batch: int = 256, threads: int = 2, rounds: int = 40
) -> dict[str, float]:
    """Measure the seconds of both passes for ``n2`` to ``n8`` inputs, and the ratio of last to first."""
    cases = {f"n{n}": Case.draw(luts, n, batch).ours for n in range(2, 9)}
    result = best_times(dict(cases), threads=threads, rounds=rounds)
    return {**result, "ratio": result["n8"] / result["n2"]}


@pytest.mark.parametrize("n", [1, 4, 6])
def test_both_formulations_agree(n):
    case = Case.draw(luts=20, n=n, batch=32)
    (slot_grad, table_grad), (bits_grad, direct_table_grad) = case.ours(), case.direct()()
    expected = bits_grad.permute(1, 2, 0).flatten(0, 1)
    for a, b in ((slot_grad, expected), (table_grad, direct_table_grad)):
        assert float((a - b).abs().max()) < AGREEMENT * float(b.abs().max())


def test_a_layer_is_eighty_times_faster():
    for _attempt in range(ATTEMPTS):
        result = measure_lookup()
        print({name: round(value, 4) for name, value in result.items()})
        if result["ratio"] >= SPEEDUP:
            break
    assert result["ratio"] >= SPEEDUP


def test_time_grows_at_most_linearly_with_the_inputs():
    for _attempt in range(ATTEMPTS):
        result = measure_growth()
        print({name: round(value, 5) for name, value in result.items()})
        if result["ratio"] <= GROWTH:
            break
    assert result["ratio"] <= GROWTH


@pytest.mark.parametrize("n", [2, 4, 6, 8])
def test_bench_layer(benchmark, n):
    benchmark(Case.draw(luts=1000, n=n, batch=256).ours)
