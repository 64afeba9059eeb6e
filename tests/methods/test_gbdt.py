from __future__ import annotations

import pytest
from rival_tables import blobs, load

from dwn_asic.methods.base import RivalPlan
from dwn_asic.methods.gbdt import GradientBoosting

PLAN = RivalPlan("gbdt", "gradient boosting", "gbdt", GradientBoosting())


def test_software_only_and_accurate() -> None:
    rival = PLAN.fit(load("sklearn:breast_cancer", input_bits=1), 1 << 40)
    assert rival.graph is None
    assert rival.accuracy["test"] > 0.9  # from raw values: one-bit codes don't hold it back
    assert rival.details == {"trees": 100}


@pytest.mark.parametrize("n_classes", [3, 5])
def test_more_classes(n_classes: int) -> None:
    rival = PLAN.fit(blobs(n_classes), 0)
    assert rival.accuracy["test"] > 1.5 / n_classes
    assert rival.details == {"trees": 100 * n_classes}
