"""Plain training in torch, as the rivals that learn by gradient have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

__all__ = ["epochs"]

_BATCH = 128
_LEARNING_RATE = 0.01


def epochs(
    model: nn.Module,
    rows: Tensor,
    labels: Tensor,
    *,
    count: int,
    generator: torch.Generator,
    after_step: Callable[[], None] = lambda: None,
) -> Iterator[int]:
    """Train by Adam on the cross entropy of batches; gives the number of each epoch after it.

    Parameters
    ----------
    model
        (B, ...) rows -> (B, C) logits.
    rows, labels
        (N, ...) and (N,) int64.
    count
        Epochs.
    generator
        Draws the order of rows.
    after_step
        Called after each step of the optimizer.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=_LEARNING_RATE)
    for epoch in range(count):
        for chosen in torch.split(torch.randperm(len(rows), generator=generator), _BATCH):
            loss = nn.functional.cross_entropy(model(rows[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            after_step()
        yield epoch
