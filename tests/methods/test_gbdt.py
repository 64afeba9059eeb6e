from __future__ import annotations

import pytest
from made_datasets import blobs, load

from dwn_asic.methods.base import Plan
from dwn_asic.methods.gbdt import GradientBoosting

PLAN = Plan("gbdt", "gradient boosting", "gbdt", GradientBoosting())


def test_software_only_and_accurate() -> None:
    dataset = load("sklearn:breast_cancer", input_bits=1)
    found = PLAN.fit(dataset, 1 << 40)
    assert found.graph is None
    assert found.accuracy(dataset)["test"] > 0.9  # learns from raw values: one-bit codes don't limit it
    assert found.details == {"trees": 100}


@pytest.mark.parametrize("n_classes", [3, 5])
def test_more_classes(n_classes: int) -> None:
    dataset = blobs(n_classes)
    found = PLAN.fit(dataset, 0)
    assert found.accuracy(dataset)["test"] > 1.5 / n_classes
    assert found.details == {"trees": 100 * n_classes}
