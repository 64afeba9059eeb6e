"""Imports run one way: each package may import those before it in this list, also inside functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "dwn_asic"

ORDER = (
    "errors compiled elementary configuration yaml_file discovery files tools metrics",
    "encode",
    "boolean",
    "equivalence",
    "data",
    "verilog",
    "manufacturing",
    "optimize",
    "targets",
    "methods",
    "exchange",
    "report",
    "study",
    "flow",
    "api arguments estimators",
    "cli",
)
"""Packages and modules from the bottom up; those of one line may import each other."""
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names.split()}
TOP = {"__init__", "__main__"}
"""Modules of the package itself: its version may be read anywhere, and what it offers is imported lazily."""


def unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the packages below dwn_asic that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "dwn_asic" and len(parts) > 1 and parts[1] != "__version__":
                yield parts[1]


FILES = sorted(path for path in PACKAGE.rglob("*.py") if unit(path) not in TOP)


def test_every_package_has_its_place() -> None:
    assert {unit(path) for path in FILES} <= set(RANK)


@pytest.mark.parametrize("name", sorted({unit(path) for path in FILES}))
def test_a_package_imports_only_what_is_below_it(name: str) -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in FILES
        if unit(path) == name
        for other in imported(path)
        if other != name and RANK[other] > RANK[name]
    }
    assert not wrong
