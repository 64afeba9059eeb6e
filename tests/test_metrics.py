"""Metrics: their declarations, which of them a result may hold, and that each is measured."""

from __future__ import annotations

import re

import pytest

from dwn_asic.data.table import PARTS
from dwn_asic.errors import DwnAsicError
from dwn_asic.flow import Flow
from dwn_asic.flow.artifacts import RESULT
from dwn_asic.report.metrics import check_metrics, metrics
from dwn_asic.targets.registry import target_kinds


def test_names_of_the_design_are_there() -> None:
    assert set(metrics()) >= {
        "design__instance__area",
        "design__instance__count",
        "area__nand2_equivalent",
        "area__core",
        "area__core__nand2_equivalent",
        "area__encoder",
        "area__encoder__nand2_equivalent",
        "area__registers",
        "accuracy__train",
        "accuracy__val",
        "accuracy__test",
        "logic__and__count",
    }


def test_a_finished_flow_measures_every_metric_and_no_other(finished: Flow) -> None:
    of_others = {m.name for kind, target in target_kinds().items() if kind != "asic" for m in target.metrics}
    if_asked = {"energy__glitches", "timing__clock", "timing__slack"}
    wanted = set(metrics()) - of_others - if_asked
    methods = {method.name: method for method in finished.read(RESULT).methods}
    of_objectives = {f"{score}__{part}" for score in ("f1", "cost_score") for part in PARTS}
    assert set(methods["dwn"].metrics) == wanted - of_objectives
    assert set(methods["tree-3"].metrics) == wanted - of_objectives
    scores = ("accuracy", "balanced_accuracy", "macro_f1")
    assert set(methods["gbdt"].metrics) == {f"{score}__{part}" for score in scores for part in PARTS}


def test_each_metric_is_whole() -> None:
    for name, metric in metrics().items():
        assert metric.name == name
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*(__[a-z0-9]+(_[a-z0-9]+)*)+", name)
        assert metric.description[0].isupper()
        assert metric.unit in {"", "1", "um2", "NAND2", "ns", "MHz", "nW", "uW", "pJ", "pJ ns"}
    assert metrics()["accuracy__test"].higher_is_better
    assert metrics()["design__instance__area"].higher_is_better is False
    assert metrics()["design__instance__area"].unit == "um2"


def test_registered_numbers_pass() -> None:
    check_metrics({"design__instance__area": 3.7536, "design__instance__count": 1, "accuracy__test": 0.85})


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"area__gates": 1.0}, "'area__gates' is not declared by the data, a circuit or a target"),
        ({"accuracy__test": "0.85"}, "is '0.85', not a number"),
        ({"accuracy__test": None}, "is None, not a number"),
        ({"accuracy__test": True}, "is True, not a number"),
    ],
)
def test_others_are_errors(found: dict[str, object], message: str) -> None:
    with pytest.raises(DwnAsicError, match=message):
        check_metrics(found)
