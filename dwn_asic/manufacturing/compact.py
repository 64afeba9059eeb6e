"""Compaction: a small set of patterns that detects all faults that a larger set detects.

Choosing the fewest of given patterns is the set-cover problem, for which a greedy choice is good. Most is
gained by better patterns to choose from: variants of the chosen ones, some of which detect what two of them
detect.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dwn_asic.compiled import kernel

__all__ = ["compacted", "covering", "variants"]

Detections = Callable[[NDArray[np.bool_]], NDArray[np.bool_]]
"""A function from (N, I) patterns to (N, F) whether pattern n detects fault f."""
_UNIT = 1 << 30
"""Weight of a fault that one pattern detects. Integers, so that ties are the same on every machine."""
_PATIENCE = 15
"""Number of rounds without fewer patterns after which compaction ends."""


def compacted(
    patterns: NDArray[np.bool_],
    detections: Detections,
    rng: np.random.Generator,
    *,
    rounds: int,
    candidates: int,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.bool_]:
    """Return few patterns that detect all faults that the given ones detect, the most productive first.

    Each round adds variants of the patterns, and chooses as few as possible of both.

    Parameters
    ----------
    patterns
        (N, I) input values that together detect all faults of ``detections``.
    detections
        Function that simulates the faults.
    rng
        Source of the variants.
    rounds
        Maximum number of rounds.
    candidates
        Number of variants in each round.
    progress
        Function that is called with the number of finished rounds and the number of patterns.
    """
    best = patterns[covering(detections(patterns))]
    idle = 0
    for done in range(rounds):
        if idle == _PATIENCE or len(best) < 2:
            break
        pool = np.concatenate([best, variants(best, candidates, rng)])
        chosen = covering(detections(pool))
        idle = 0 if len(chosen) < len(best) else idle + 1
        # Among sets of equal size, the new one leads to other variants.
        if len(chosen) <= len(best):
            best = pool[chosen]
        if progress is not None:
            progress(done + 1, len(best))
    return best


def covering(detections: NDArray[np.bool_]) -> list[int]:
    """Return few patterns that together detect every fault that any of them detects.

    Two greedy choices are compared, one of which values a fault more if fewer patterns detect it. Superfluous
    patterns, all of whose faults others detect, are then dropped.

    Parameters
    ----------
    detections
        (N, F) whether pattern n detects fault f.

    Returns
    -------
    list[int]
        Indices of patterns; each one in turn detects most of the faults that are left.
    """
    detected = detections[:, detections.any(axis=0)]
    counts = detected.sum(axis=0, dtype=np.int64)
    plain = np.ones(len(counts), np.int64)
    found = [
        _without_superfluous(detected, _greedy(detected, weights)) for weights in (plain, _UNIT // counts)
    ]
    chosen = min(found, key=len)
    return [chosen[index] for index in _greedy(detected[chosen], plain)]


def variants(patterns: NDArray[np.bool_], count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return (count, I) patterns like the given (N, I) ones: with a few bits flipped, or mixed from two."""
    size = (count, patterns.shape[1])
    base, other = (patterns[rng.integers(0, len(patterns), count)] for _ in range(2))
    flips = rng.random(size) < rng.integers(1, 6, (count, 1)) / max(1, size[1])
    mixed = np.where(rng.random(size) < rng.choice([0.1, 0.5], (count, 1)), other, base)
    kind = rng.random((count, 1))
    # Of ten variants, six are flipped, two mixed, and two both.
    return np.where(kind < 0.6, base ^ flips, np.where(kind < 0.8, mixed, mixed ^ flips))


def _greedy(detected: NDArray[np.bool_], weights: NDArray[np.int64]) -> list[int]:
    """Choose patterns until all faults are detected, each time the one whose new faults weigh most."""
    gain, left = np.zeros(len(detected), np.int64), np.ones(len(weights), np.bool_)
    chosen = np.zeros(len(detected), np.int64)
    return chosen[: _choose(np.ascontiguousarray(detected.T), weights, gain, left, chosen)].tolist()


def _without_superfluous(detected: NDArray[np.bool_], chosen: list[int]) -> list[int]:
    """Drop patterns all of whose faults others detect, first those that detect fewest faults."""
    counts = detected[chosen].sum(axis=0)
    kept = set(chosen)
    for index in sorted(chosen, key=lambda index: int(detected[index].sum())):
        if (counts[detected[index]] > 1).all():
            counts -= detected[index]
            kept.remove(index)
    return [index for index in chosen if index in kept]


@kernel
def _choose(detected, weights, gain, left, chosen):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Write the chosen patterns of (F, N) detections to ``chosen`` and return their number."""
    n_faults, n_patterns = detected.shape
    for f in range(n_faults):
        for p in range(n_patterns):
            if detected[f, p]:
                gain[p] += weights[f]
    count = 0
    while True:
        best = 0
        for p in range(n_patterns):
            if gain[p] > gain[best]:
                best = p
        if n_patterns == 0 or gain[best] == 0:
            return count
        chosen[count] = best
        count += 1
        for f in range(n_faults):
            if left[f] and detected[f, best]:
                left[f] = False
                for p in range(n_patterns):
                    if detected[f, p]:
                        gain[p] -= weights[f]
