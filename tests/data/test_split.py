from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dwn_asic.data.split import stratified_split
from dwn_asic.data.table import PARTS

quick = settings(max_examples=60, deadline=None)  # a deadline fails on a busy machine


@st.composite
def labelled(draw: st.DrawFn) -> NDArray[np.int64]:
    counts = draw(st.lists(st.integers(3, 30), min_size=2, max_size=5))
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(labels)


SHARES = st.tuples(st.floats(0.01, 0.49), st.floats(0.01, 0.49))


@quick
@given(labelled(), SHARES, st.integers(0, 2**40))
def test_parts_are_ascending_and_partition_the_rows(
    labels: NDArray[np.int64], shares: tuple[float, float], seed: int
) -> None:
    split = stratified_split(labels, val=shares[0], test=shares[1], seed=seed)
    for part in PARTS:
        rows = split.rows(part)
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()
        assert not rows.flags.writeable
    everything = np.concatenate([split.train, split.val, split.test])
    assert sorted(everything.tolist()) == list(range(len(labels)))


@quick
@given(labelled(), SHARES, st.integers(0, 2**40))
def test_each_part_has_its_share_of_each_class_and_at_least_one_row(
    labels: NDArray[np.int64], shares: tuple[float, float], seed: int
) -> None:
    split = stratified_split(labels, val=shares[0], test=shares[1], seed=seed)
    for index, count in enumerate(np.bincount(labels)):
        sizes = [int((labels[split.rows(part)] == index).sum()) for part in PARTS]
        assert min(sizes) >= 1
        for size, share in zip(sizes[1:], shares, strict=True):
            assert abs(size - share * count) <= 1.0


@quick
@given(labelled(), SHARES, st.integers(0, 2**40))
def test_equal_seed_gives_an_equal_split(
    labels: NDArray[np.int64], shares: tuple[float, float], seed: int
) -> None:
    splits = [stratified_split(labels, val=shares[0], test=shares[1], seed=seed) for _ in range(2)]
    for part in PARTS:
        assert splits[0].rows(part).tobytes() == splits[1].rows(part).tobytes()


def test_another_seed_gives_another_split() -> None:
    labels = np.repeat([0, 1], 50)
    splits = [stratified_split(labels, val=0.2, test=0.2, seed=seed).test.tolist() for seed in (0, 1)]
    assert splits[0] != splits[1]


def test_the_split_is_pinned() -> None:
    """A change of the split would change every published number."""
    labels = np.array([0, 1] * 10)
    split = stratified_split(labels, val=0.2, test=0.2, seed=0)
    assert split.test.tolist() == [5, 8, 12, 19]
    assert split.val.tolist() == [4, 7, 13, 14]


def test_sizes_of_a_plain_case() -> None:
    split = stratified_split(np.repeat([0, 1], [60, 40]), val=0.2, test=0.3, seed=3)
    assert [len(split.rows(part)) for part in PARTS] == [50, 20, 30]


def test_three_rows_of_a_class_are_dealt_one_each() -> None:
    labels = np.repeat([0, 1], [3, 100])
    split = stratified_split(labels, val=0.45, test=0.45, seed=0)
    assert [int((labels[split.rows(part)] == 0).sum()) for part in PARTS] == [1, 1, 1]


def test_class_with_two_rows() -> None:
    with pytest.raises(ValueError, match="class 1 has 2 rows; the split needs 3"):
        stratified_split(np.repeat([0, 1], [9, 2]), val=0.2, test=0.2, seed=0)


@pytest.mark.parametrize(("val", "test"), [(0.0, 0.2), (0.2, 0.0), (0.5, 0.5), (-0.1, 0.2)])
def test_shares_that_leave_a_part_empty(val: float, test: float) -> None:
    with pytest.raises(ValueError, match="above 0 and together below 1"):
        stratified_split(np.repeat([0, 1], 9), val=val, test=test, seed=0)
