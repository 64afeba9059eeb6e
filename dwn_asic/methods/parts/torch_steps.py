"""Plain training in torch, shared by the methods that learn by gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dwn_asic.methods.dwn.adam import Adam
from dwn_asic.methods.dwn.loss import cross_entropy

__all__ = ["train"]

_BATCH = 128
_LEARNING_RATE = 0.01
_LOOKS = 60


def train(
    model: nn.Module,
    rows: Tensor,
    labels: Tensor,
    *,
    steps: int,
    generator: torch.Generator,
    weights: NDArray[np.float64] | None = None,
    after_step: Callable[[], None] = lambda: None,
) -> Iterator[int]:
    """Train with Adam on the cross entropy of batches; yields the steps done, up to 60 evenly spaced times.

    The length is given in steps, not in passes over the rows, since a small table would otherwise end long
    before the training has converged.

    Parameters
    ----------
    model
        Module that maps (B, ...) rows to (B, C) logits.
    rows, labels
        (N, ...) values and (N,) int64 class indices.
    steps
        Number of optimizer steps.
    generator
        Draws the order of rows.
    weights
        (N,) weights of the rows in the loss, 1 on average; by default equal ones.
    after_step
        Called after each optimizer step.
    """
    optimizer = Adam(model.parameters())
    batches = _batches(len(rows), generator)
    weighted = None if weights is None else torch.from_numpy(weights).float()
    for step in range(1, steps + 1):
        chosen = next(batches)
        logits = model(rows[chosen])
        targets = nn.functional.one_hot(labels[chosen], logits.shape[1]).t().to(logits.dtype)
        if weighted is not None:
            targets *= weighted[chosen]
        cross_entropy(logits.t()[None], targets).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step(_LEARNING_RATE)
        after_step()
        if step * _LOOKS // steps > (step - 1) * _LOOKS // steps:
            yield step


def _batches(n_rows: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield batches of row numbers without end, in a new order for each pass over the rows."""
    while True:
        yield from torch.split(torch.randperm(n_rows, generator=generator), _BATCH)
