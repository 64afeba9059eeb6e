"""The rows that circuits are scored on, in the order in which the annealing reads them, and their costs.

Where a wrong prediction costs the same on every row, rows are in any order. Otherwise rows form groups of
equal costs, and all rows of a word of 64 are of one group, so that the cost of wrong rows is the number of
set bits times that of the word. Words are filled up with rows that do not count.

Most proposals fail on the first words, which must represent the others. Every group has its share of them: in
proportion to the total cost of its rows, so that a rare and expensive group is not estimated from a few rows.
The words that follow are spread evenly.

Where the cost depends on the predicted class, it is a sum over levels: a row is counted once for each level
that its cost reaches, and each level adds to the cost what it has more than the one below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.objective import Costs
from dwn_asic.optimize.lossy.anneal.state import BLOCK, FIRST_BLOCK

__all__ = ["ScoredRows"]

_WORD = 64


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows in the order of the annealing.

    Attributes
    ----------
    codes, labels
        (M, F) codes and (M,) class indices, those of a row that does not count where ``valid`` is False.
    valid
        (M,) whether there is a row in this place.
    weights
        (P, W) int64: what each level adds to the cost of a row, for the W words of rows.
    word_label
        (W,) int64: label of all rows of a word, if there is more than one level.
    levels
        (C, C + 1) int64: number of levels that the cost of each prediction reaches, by label.
    word_group
        (W,) int64: group of the rows of a word, -1 for an empty word.
    mixed
        Whether words may hold rows of all labels, since all rows cost the same.
    scale
        Total cost that one unit of score is worth.
    """

    codes: NDArray[np.int64]
    labels: NDArray[np.int64]
    valid: NDArray[np.bool_]
    weights: NDArray[np.int64]
    word_label: NDArray[np.int64]
    levels: NDArray[np.int64]
    word_group: NDArray[np.int64]
    mixed: bool
    scale: int

    @classmethod
    def as_they_are(cls, codes: NDArray[np.int64], labels: NDArray[np.int64]) -> ScoredRows:
        """Return rows in the given order, of which each wrong one costs 1."""
        n_words = -(-len(labels) // _WORD)
        return cls(
            codes,
            labels,
            valid=np.ones(len(labels), np.bool_),
            weights=np.ones((1, n_words), np.int64),
            word_label=np.zeros(n_words, np.int64),
            levels=np.zeros((1, 2), np.int64),
            word_group=np.zeros(n_words, np.int64),
            mixed=True,
            scale=max(1, len(labels)),
        )

    @classmethod
    def arranged(
        cls, codes: NDArray[np.int64], labels: NDArray[np.int64], costs: Costs, *, shuffled: bool = True
    ) -> ScoredRows:
        """Return rows in random order or, if their costs differ, in words of equal costs.

        Parameters
        ----------
        codes, labels
            (N, F) codes and (N,) class indices in any order.
        costs
            Cost of each prediction.
        shuffled
            Whether rows that all cost the same are put in random order, so that the first ones represent the
            others.
        """
        order = np.random.default_rng(0).permutation(len(labels)) if shuffled else np.arange(len(labels))
        codes, labels = codes[order], labels[order]
        if costs.are_errors or not len(labels):
            return cls.as_they_are(codes, labels)
        steps, levels = _levels(costs)
        # With a single level, rows of different labels may share words if they cost the same.
        group_of = np.arange(len(steps)) if steps.shape[1] > 1 else np.unique(steps, return_inverse=True)[1]
        group_of = group_of.ravel()
        costs_of_groups = np.array([costs.worst[group_of == g].max() for g in range(int(group_of.max()) + 1)])
        places, word_group = _words(group_of[labels], costs_of_groups)
        of_group = np.array([np.flatnonzero(group_of == g)[0] for g in range(int(group_of.max()) + 1)])
        word_label = np.where(word_group >= 0, of_group[word_group], 0)
        return cls(
            codes[np.maximum(places, 0)],
            labels[np.maximum(places, 0)],
            valid=places >= 0,
            weights=np.where(word_group >= 0, steps[word_label].T, 0),
            word_label=word_label,
            levels=levels,
            word_group=word_group,
            mixed=False,
            scale=costs.scale,
        )


def _levels(costs: Costs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (C, P) what each level adds to the cost of a label, and (C, C + 1) levels reached."""
    distinct = [np.unique(row[row > 0]) for row in costs.matrix]
    steps = np.zeros((len(distinct), max(1, *map(len, distinct))), np.int64)
    levels = np.zeros(costs.matrix.shape, np.int64)
    for label, values in enumerate(distinct):
        steps[label, : len(values)] = np.diff(values, prepend=0)
        levels[label] = np.searchsorted(values, costs.matrix[label], side="right")
    return steps, levels


def _words(
    groups: NDArray[np.int64], costs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide rows into words of one group each.

    Parameters
    ----------
    groups
        (N,) group of each row.
    costs
        (G,) cost of a row of each group.

    Returns
    -------
    places
        (64 * W,) row in each place, -1 for none.
    word_group
        (W,) group of each word, -1 for an empty word.
    """
    members = [np.flatnonzero(groups == g) for g in range(len(costs))]
    counts = np.array([len(rows) for rows in members])
    known = int((counts > 0).sum())
    # With many groups, only the first two blocks together have room for words of all of them.
    room = next((size for size in (FIRST_BLOCK, FIRST_BLOCK + BLOCK) if known <= size), 0)
    taken = 64 * _allotted(counts, counts * costs, room)
    halves = [(rows[:n], rows[n:]) for rows, n in zip(members, taken, strict=True)]
    first, rest = (_spread([_packed(own[i], g) for g, own in enumerate(halves)]) for i in range(2))
    words = first + [(np.full(_WORD, -1), -1)] * (room - len(first)) + rest
    # The words of a group that are in one block stand together.
    bounds = [0, *range(FIRST_BLOCK, len(words), BLOCK), len(words)]
    words = [word for a, b in pairwise(bounds) for word in sorted(words[a:b], key=_empty_last)]
    return np.concatenate([rows for rows, _ in words]), np.array([g for _, g in words])


def _allotted(counts: NDArray[np.int64], totals: NDArray[np.int64], room: int) -> NDArray[np.int64]:
    """Return the number of words of each group among the first: at least one, then by total cost."""
    words = np.minimum(counts, 1) if room else np.zeros_like(counts)
    for _ in range(room - int(words.sum())):
        wanting = np.where(words * _WORD < counts, totals / np.maximum(words, 1), -1.0)
        if wanting.max() < 0.0:
            break
        words[wanting.argmax()] += 1
    return words


_Word = tuple[NDArray[np.int64], int]
"""(64,) rows, -1 for none, and their group."""


def _spread(groups: Sequence[Sequence[_Word]]) -> list[_Word]:
    """Put the words of each group at even distances, so that a stretch of them holds all in proportion."""
    placed = [(i / len(own), g, word) for g, own in enumerate(groups) for i, word in enumerate(own)]
    return [word for _, _, word in sorted(placed, key=lambda each: each[:2])]


def _empty_last(word: _Word) -> tuple[bool, int]:
    return word[1] < 0, word[1]


def _packed(rows: NDArray[np.int64], group: int) -> list[_Word]:
    """Return words of 64 rows of a group, the last one filled up with -1."""
    padded = np.pad(rows, (0, -len(rows) % _WORD), constant_values=-1)
    return [(word, group) for word in padded.reshape(-1, _WORD)]
