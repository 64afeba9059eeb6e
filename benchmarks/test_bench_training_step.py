"""One training step: EFD weights computed once per step, against the per-sample formulation.

Both run side by side, on the same data, with the same learnable mapping (whose weight product both pay).
``measure_training_step`` is what a table of figures imports.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from dwn_asic.learn.efd import default_alpha, efd_lookup
from dwn_asic.learn.mapping import learnable_slots

BETA = 1 / 3
AGREEMENT = 1e-4  # largest difference of gradients, as a share of the largest gradient
SPEEDUP = 10
ATTEMPTS = 3  # threads that wait for each other on a busy machine slow the short step down most


class PerSampleLookup(torch.autograd.Function):
    """The definition, sample by sample: gather the decay of each sample's address, sum over the table."""

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
    """(2**n, n, 2**n): alpha * s_k(a') * beta**H(a without k, a' without k) at [a, k, a']."""
    address = torch.arange(1 << n)
    bits = (address[:, None] >> torch.arange(n)) & 1  # (2**n, n)
    differs = bits[:, None, :] ^ bits[None, :, :]  # (2**n, 2**n, n)
    distance = differs.sum(2)[:, None, :] - differs.permute(0, 2, 1)  # without bit k
    sign = 2.0 * bits.t() - 1.0  # (n, 2**n)
    return default_alpha(n) * sign[None] * BETA**distance


@dataclass
class Case:
    bits: Tensor
    tables: Tensor
    weights: Tensor
    grad: Tensor

    @classmethod
    def draw(cls, luts: int, n: int, batch: int, inputs: int) -> Case:
        generator = torch.Generator().manual_seed(0)
        return cls(
            (torch.rand(batch, 1, inputs, generator=generator) < 0.5).float(),
            (torch.rand(luts, 1 << n, generator=generator) * 2 - 1).requires_grad_(),
            torch.rand(1, inputs, luts * n, generator=generator).requires_grad_(),
            torch.randn(batch, luts, generator=generator),
        )

    def step(self, lookup: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Forward and backward; the gradients of tables and mapping weights."""
        slots = learnable_slots(self.bits, self.weights)
        values = lookup(slots.view(len(self.bits), len(self.tables), -1), self.tables)
        table_grad, weight_grad = torch.autograd.grad(values, (self.tables, self.weights), self.grad)
        return table_grad, weight_grad


def measure_training_step(
    *, luts: int = 1000, n: int = 6, batch: int = 256, inputs: int = 512, threads: int = 2, rounds: int = 15
) -> dict[str, float]:
    """Best times of forward + backward in seconds, and their ratio: other work on the machine only adds time.

    Returns ``ours_s``, ``per_sample_s``, ``ratio`` (per-sample over ours), and ``mapping_s``: the part that
    both pay for the learnable mapping.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        case, decay = Case.draw(luts, n, batch, inputs), decay_tensor(n)
        steps: dict[str, Callable[[], object]] = {
            "ours_s": lambda: case.step(lambda b, t: efd_lookup(b, t, default_alpha(n), BETA)),
            "per_sample_s": lambda: case.step(lambda b, t: PerSampleLookup.apply(b, t, decay)),
            "mapping_s": lambda: case.step(lambda b, t: b.sum(2) + t.sum(1)),
        }
        times: dict[str, list[float]] = {name: [] for name in steps}
        for round_ in range(rounds + 1):  # interleaved, so that both see the same machine; the first warms up
            for name, step in steps.items():
                start = time.perf_counter()
                step()
                if round_:
                    times[name].append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(before)
    result = {name: min(values) for name, values in times.items()}
    return {**result, "ratio": result["per_sample_s"] / result["ours_s"]}


def test_both_formulations_agree():
    case, n = Case.draw(luts=20, n=4, batch=32, inputs=40), 4
    decay = decay_tensor(n)
    ours = case.step(lambda b, t: efd_lookup(b, t, default_alpha(n), BETA))
    direct = case.step(lambda b, t: PerSampleLookup.apply(b, t, decay))
    for a, b in zip(ours, direct, strict=True):
        assert float((a - b).abs().max()) < AGREEMENT * float(b.abs().max())


def test_step_is_ten_times_faster():
    for _attempt in range(ATTEMPTS):
        result = measure_training_step()
        print({name: round(value, 4) for name, value in result.items()})
        if result["ratio"] >= SPEEDUP:
            break
    assert result["ratio"] >= SPEEDUP


@pytest.mark.parametrize("n", [2, 4, 6])
def test_bench_step(benchmark, n):
    case = Case.draw(luts=1000, n=n, batch=256, inputs=512)
    benchmark(lambda: case.step(lambda b, t: efd_lookup(b, t, default_alpha(n), BETA)))
