"""The registry of metrics."""

from __future__ import annotations

import re

import pytest

from dwn_asic.errors import DwnAsicError
from dwn_asic.report.metrics import METRICS, check_metrics


def test_names_of_the_design_are_there() -> None:
    assert set(METRICS) >= {
        "design__instance__area",
        "design__instance__count",
        "area__nand2_equivalent",
        "area__core",
        "area__core__nand2_equivalent",
        "area__encoder",
        "area__encoder__nand2_equivalent",
        "area__head",
        "area__registers",
        "accuracy__train",
        "accuracy__val",
        "accuracy__test",
        "logic__and__count",
        "logic__depth",
    }


def test_each_metric_is_whole() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*(__[a-z0-9]+(_[a-z0-9]+)*)+", name)
        assert metric.description[0].isupper()
        assert metric.unit in {"", "1", "um2", "NAND2", "ns", "W", "pJ"}
    assert METRICS["accuracy__test"].higher_is_better
    assert METRICS["design__instance__area"].higher_is_better is False
    assert METRICS["design__instance__area"].unit == "um2"


def test_registered_numbers_pass() -> None:
    check_metrics({"design__instance__area": 3.7536, "design__instance__count": 1, "accuracy__test": 0.85})


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"area__gates": 1.0}, "'area__gates' is not in the registry"),
        ({"accuracy__test": "0.85"}, "is '0.85', not a number"),
        ({"accuracy__test": None}, "is None, not a number"),
        ({"accuracy__test": True}, "is True, not a number"),
    ],
)
def test_others_are_errors(metrics: dict[str, object], message: str) -> None:
    with pytest.raises(DwnAsicError, match=message):
        check_metrics(metrics)
