"""The description of a process: what it must say, and what errors name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dwn_asic.errors import ConfigError, PdkError
from dwn_asic.targets.asic.layout_checks.technology import load_technology
from dwn_asic.targets.asic.pdk import list_pdks

CONFIGS = Path(__file__).parents[3] / "pdk_configs"


def test_the_checks_of_a_pdk_are_no_pdk() -> None:
    assert "sky130hd.checks" not in list_pdks()


def test_checks_are_beside_the_file_of_the_pdk(tmp_path: Path) -> None:
    shutil.copy(CONFIGS / "sky130hd.checks.yaml", tmp_path / "mine.checks.yaml")
    assert load_technology(tmp_path / "mine.yaml") == load_technology("sky130hd")
    with pytest.raises(PdkError, match=r"other\.checks\.yaml: not found.*\(PDKs with checks: mine\)"):
        load_technology(tmp_path / "other.yaml")


def _rule(content: Any, **changes: object) -> None:
    content["rules"][0] |= changes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: _rule(c, check="thick"), r"rules\.0\.check: is 'thick' \(allowed: 'width', "),
        (lambda c: _rule(c, um=None), "rule nwell.1: the keys layer, um"),
        (lambda c: _rule(c, other="met1"), "rule nwell.1: the keys layer, um"),
        (lambda c: _rule(c, layer="metal9"), "rule nwell.1: layers that are declared, not metal9"),
        (lambda c: _rule(c, rule="nwell.2a"), "rule nwell.2a: each name once"),
        (lambda c: c["derived"].update(strange="met1 xor met2"), "derived.strange: `A and B`"),
        (lambda c: c["derived"].update(strange="met1 and later"), "derived.strange: `A and B`"),
        (lambda c: c["layers"].update(met1=[68]), r"layers\.met1"),
        (lambda c: c.pop("supplies"), "supplies: missing"),
        (lambda c: c["spice"].pop("package"), "package and package_folder: both, or none of them"),
        (lambda c: c["devices"].update(unit="mil"), r"devices\.unit: is 'mil' \(allowed: 'um' or 'm'\)"),
    ],
)
def test_mistakes_are_named(change: Callable[[Any], object], message: str, tmp_path: Path) -> None:
    content = yaml.safe_load((CONFIGS / "sky130hd.checks.yaml").read_text())
    change(content)
    (tmp_path / "mine.checks.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(ConfigError, match=message):
        load_technology(tmp_path / "mine.yaml")
