from __future__ import annotations

import sys

import numpy as np
import pytest
from made_datasets import blobs, make

from dwn_asic.errors import ToolError
from dwn_asic.methods.base import Plan
from dwn_asic.methods.mlp import Mlp
from dwn_asic.methods.tabnet import Tabnet
from dwn_asic.methods.xgboost import Xgboost

pytest.importorskip("xgboost")
pytest.importorskip("pytorch_tabnet")

SOFTWARE = {"mlp": Mlp((20,)), "xgboost": Xgboost(), "tabnet": Tabnet(40)}


@pytest.mark.parametrize("fitter", SOFTWARE.values(), ids=SOFTWARE)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_software_only_and_accurate(fitter: Mlp | Xgboost | Tabnet, n_classes: int) -> None:
    dataset = blobs(n_classes)
    found = Plan("x", "x", "x", fitter).fit(dataset, 1 << 40)
    assert found.graph is None
    assert found.accuracy(dataset)["test"] > 0.85


@pytest.mark.parametrize("fitter", [Xgboost(), Tabnet(40)], ids=["xgboost", "tabnet"])
def test_classes_without_training_rows_do_not_shift_the_others(fitter: Xgboost | Tabnet) -> None:
    labels = np.repeat([0, 2], 60)
    dataset = make(np.random.default_rng(0).normal(size=(120, 2)) + labels[:, None] * 3, labels)
    assert Plan("x", "x", "x", fitter).fit(dataset, 0).accuracy(dataset)["test"] > 0.9


@pytest.mark.parametrize(
    ("package", "extra", "fitter"),
    [("xgboost", "xgboost", Xgboost()), ("pytorch_tabnet", "tabnet", Tabnet(1))],
)
def test_a_missing_package_is_named(
    package: str, extra: str, fitter: Xgboost | Tabnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "pytorch_tabnet.tab_model", raising=False)
    with pytest.raises(ToolError, match=rf"{package}.* is not installed; pip install 'dwn-asic\[{extra}\]'"):
        Plan("x", "x", "x", fitter).fit(blobs(2), 0)


def test_the_same_seed_gives_the_same_tabnet() -> None:
    dataset = blobs(2)
    one, again = (Plan("x", "x", "x", Tabnet(3)).fit(dataset, 5) for _ in range(2))
    assert one.accuracy(dataset) == again.accuracy(dataset)
