from __future__ import annotations

import sys

import numpy as np
import pytest
from rival_tables import blobs, make

from dwn_asic.baselines.interface import RivalPlan
from dwn_asic.baselines.mlp import Mlp
from dwn_asic.baselines.xgboost_rival import Xgboost
from dwn_asic.errors import ToolError

pytest.importorskip("xgboost")


@pytest.mark.parametrize("fitter", [Mlp((20,)), Xgboost()], ids=["mlp", "xgboost"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_software_only_and_accurate(fitter: Mlp | Xgboost, n_classes: int) -> None:
    rival = RivalPlan("x", "x", "x", fitter).fit(blobs(n_classes), 1 << 40)
    assert rival.graph is None
    assert rival.accuracy["test"] > 0.85


def test_classes_without_training_rows_do_not_shift_the_others() -> None:
    labels = np.repeat([0, 2], 60)
    dataset = make(np.random.default_rng(0).normal(size=(120, 2)) + labels[:, None] * 3, labels)
    assert RivalPlan("x", "x", "x", Xgboost()).fit(dataset, 0).accuracy["test"] > 0.9


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ToolError, match=r"xgboost.* is not installed; pip install 'dwn-asic\[xgboost\]'"):
        RivalPlan("x", "x", "x", Xgboost()).fit(blobs(2), 0)
