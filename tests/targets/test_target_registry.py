"""Targets are known by what they define, also from outside of the package; nothing lists them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dwn_asic.configuration import Strict
from dwn_asic.errors import DwnAsicError
from dwn_asic.metrics import lower
from dwn_asic.report.metrics import check_metrics, metrics
from dwn_asic.targets import registry
from dwn_asic.targets.asic.target import TARGET
from dwn_asic.targets.base import Target, TargetKind
from dwn_asic.targets.registry import register, target_kind, target_kinds
from dwn_asic.verilog.config import HardwareConfig


class Paper(Strict):
    """Options of a target that needs none."""


def _open(_config: Paper, _hardware: HardwareConfig) -> Target:
    raise NotImplementedError


PAPER = TargetKind(
    kind="paper",
    config=Paper,
    open=_open,
    cost_options=(),
    files=("plan.txt",),
    metrics=(lower("paper__sheet__count", "1", "Sheets of paper"),),
    environment=lambda _: {},
)


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove after each test what it has registered."""
    monkeypatch.setattr(registry, "_registered", {})
    registry._installed.cache_clear()
    yield
    monkeypatch.undo()
    registry._installed.cache_clear()


def test_the_package_s_own_are_there() -> None:
    assert target_kind("asic") is TARGET
    assert list(target_kinds()) == [kind.kind for kind in target_kinds().values()]
    with pytest.raises(KeyError):
        target_kind("paper")


def test_a_registered_target_is_known_with_its_metrics() -> None:
    with pytest.raises(DwnAsicError, match="is not declared"):
        check_metrics({"paper__sheet__count": 3})
    register(PAPER)
    assert target_kind("paper") is PAPER
    assert metrics()["paper__sheet__count"].unit == "1"
    check_metrics({"paper__sheet__count": 3})


def test_another_distribution_adds_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "paper_plugin.py").write_text("from test_target_registry import PAPER as TARGET\n")
    information = tmp_path / "paper_plugin-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: paper-plugin\nVersion: 1.0\n")
    points = "[dwn_asic.targets]\npaper = paper_plugin:TARGET\n"
    (information / "entry_points.txt").write_text(points)
    monkeypatch.setitem(sys.modules, "test_target_registry", sys.modules[__name__])
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert target_kind("paper") is PAPER
    assert set(target_kinds()) >= {"asic", "paper"}
