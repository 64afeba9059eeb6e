"""The measuring code of reports/figures.csv keeps up with the package: each module can be imported."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "benchmarks").rglob("[!_]*.py")
)


@pytest.mark.parametrize("module", [*MODULES, "benchmarks.figures.__main__"])
def test_it_can_be_imported(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    importlib.import_module(module)
