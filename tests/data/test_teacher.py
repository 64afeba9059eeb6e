from __future__ import annotations

import numpy as np
import pytest

from dwn_asic.data.teacher import taught_rows


def noisy(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return codes of four features, true labels by two of them, and labels of which 15% are wrong."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, size=(rows, 4))
    true = (codes[:, 0] + codes[:, 1] > 255).astype(np.int64)
    return codes, true, np.where(rng.random(rows) < 0.15, 1 - true, true)


def test_every_feature_of_a_made_up_row_comes_from_a_training_row() -> None:
    codes, _, labels = noisy(50)
    rows, taught = taught_rows(codes, labels, 1000, 0)
    assert rows.shape == (1000, 4)
    assert taught.shape == (1000,)
    assert taught.dtype == np.int64
    for feature in range(4):
        assert np.isin(rows[:, feature], codes[:, feature]).all()
    known = {tuple(row) for row in codes.tolist()}
    assert sum(tuple(row) not in known for row in rows.tolist()) > 500


def test_made_up_rows_mix_neighbours() -> None:
    # Two clusters that are far apart: no row has features of both.
    codes = np.concatenate([np.arange(20)[:, None] + [0, 0], np.arange(20)[:, None] + [200, 200]])
    rows, taught = taught_rows(codes, np.repeat([0, 1], 20), 500, 0)
    assert ((rows[:, 0] < 100) == (rows[:, 1] < 100)).all()
    np.testing.assert_array_equal(taught, rows[:, 0] >= 100)


def test_the_teacher_smooths_noise() -> None:
    codes, true, labels = noisy(400)
    rows, taught = taught_rows(codes, labels, 5000, 0)
    wanted = (rows[:, 0] + rows[:, 1] > 255).astype(np.int64)
    assert np.mean(taught == wanted) > np.mean(labels == true) + 0.05


def test_equal_seeds_make_up_equal_rows() -> None:
    codes, _, labels = noisy(80)
    runs = [taught_rows(codes, labels, 300, seed) for seed in (1 << 40, 1 << 40, 2)]
    for first, second in zip(runs[0], runs[1], strict=True):
        np.testing.assert_array_equal(first, second)
    assert (runs[0][0] != runs[2][0]).any()


@pytest.mark.parametrize("rows", [1, 3])
def test_a_few_rows_and_one_class_are_enough(rows: int) -> None:
    codes = np.arange(2 * rows).reshape(rows, 2)
    made, taught = taught_rows(codes, np.full(rows, 2), 20, 0)
    assert len(made) == 20
    assert set(taught) == {2}
