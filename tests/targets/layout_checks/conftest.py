"""Fixtures for tests of layouts: the process, and the SPICE netlists of the drawn cells."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts.drawn_cells import install_spice

from dwn_asic.targets.asic.layout_checks.technology import Technology, load_technology


@pytest.fixture(scope="session")
def technology() -> Technology:
    return load_technology("sky130hd")


@pytest.fixture
def spice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the SPICE netlists of the drawn cells in the home folder of the test."""
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return install_spice(tmp_path)
