"""Benchmark of a layer of two-input LUTs against a layer of two-input gates of torchlogix.

torchlogix is not a dependency; install it with `pip install --no-deps torchlogix==0.1.1` (0.2 needs Python
3.12).
"""

from __future__ import annotations

import pytest
import torch

from benchmarks.test_bench_training_step import ATTEMPTS, best_times
from dwn_asic.methods.dwn.config import EfdConfig, LayerConfig
from dwn_asic.methods.dwn.layers import LutLayer


def measure_against_torchlogix(
    *, width: int = 2000, batch: int = 256, threads: int = 2, rounds: int = 15
) -> dict[str, float]:
    """Measure ``ours_s``, ``torchlogix_s`` and ``ratio`` (theirs over ours) of both passes on a CPU.

    Both layers have as many outputs as inputs and fixed random wiring, and both compute gradients of inputs
    and parameters.
    """
    from torchlogix.layers import LogicDense

    theirs = LogicDense(width, width)
    config = LayerConfig(luts=width, inputs=(2,), mapping="random")
    generator = torch.Generator().manual_seed(0)
    ours = LutLayer(width, config, starts=1, efd=EfdConfig(), generator=generator)
    rows = torch.rand(batch, width, generator=generator).requires_grad_()
    bits = (torch.rand(1, width, batch, generator=generator) < 0.5).float().requires_grad_()
    grad = torch.randn(batch, width, generator=generator)
    steps = {
        "ours_s": lambda: torch.autograd.grad(ours(bits), [bits, *ours.parameters()], grad.t()[None]),
        "torchlogix_s": lambda: torch.autograd.grad(theirs(rows), [rows, *theirs.parameters()], grad),
    }
    result = best_times(dict(steps), threads=threads, rounds=rounds)
    return {**result, "ratio": result["torchlogix_s"] / result["ours_s"]}


def test_a_layer_is_at_least_as_fast():
    pytest.importorskip("torchlogix", reason="pip install --no-deps torchlogix==0.1.1")
    for _attempt in range(ATTEMPTS):
        result = measure_against_torchlogix()
        print({name: round(value, 4) for name, value in result.items()})
        if result["ratio"] >= 1.0:
            break
    assert result["ratio"] >= 1.0
