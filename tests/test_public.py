"""Public names of `import dwn_asic`, and the time that the import takes."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import dwn_asic

PACKAGE = Path(__file__).resolve().parents[1] / "dwn_asic"
SECONDS = 0.2
HEAVY = "numpy torch networkx numba sklearn scipy pydantic matplotlib yaml"


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=PACKAGE.parent).stdout


def test_importing_it_takes_no_time_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import dwn_asic; "
        "print(time.perf_counter() - start); "
        f"print(*sorted(set({HEAVY!r}.split()) & set(sys.modules)))"
    )
    results = [run(code).splitlines() for _ in range(3)]
    assert min(float(seconds) for seconds, *_ in results) < SECONDS
    assert {heavy for _, heavy in results} == {""}


def test_every_name_is_there_and_known_to_type_checkers() -> None:
    block = next(
        node
        for node in ast.parse((PACKAGE / "__init__.py").read_text()).body
        if isinstance(node, ast.If)  # TYPE_CHECKING
    )
    typed = {alias.name for alias in imported(block)}
    assert typed == set(dwn_asic.__all__) - {"__version__"}
    assert sorted(dwn_asic.__all__) == dwn_asic.__all__
    assert set(dwn_asic.__all__) <= set(dir(dwn_asic))
    for name in dwn_asic.__all__:
        found = getattr(dwn_asic, name)
        assert found.__doc__


def imported(block: ast.If) -> Iterator[ast.alias]:
    """Yield the names of the block, each from the module that really defines it."""
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        home = importlib.import_module(str(node.module))
        for alias in node.names:
            assert alias.name in home.__all__
            assert getattr(dwn_asic, alias.name) is getattr(home, alias.name)
            yield alias


def test_an_unknown_name_is_an_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'dwn_asic' has no attribute 'fitt'"):
        dwn_asic.fitt  # noqa: B018
    assert not hasattr(dwn_asic, "__path_of_nothing__")


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    assert dwn_asic.__version__ == project["version"]
    assert (PACKAGE / "py.typed").exists()


# ---- doctests ----------------------------------------------------------------------------------------------
def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


WITH_EXAMPLES = [
    module_name(path) for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")
]


def test_the_public_api_has_examples() -> None:
    api = {f"dwn_asic.api.{module}" for module in ("models", "circuits", "hardware", "signoff")}
    assert {"dwn_asic", *api, "dwn_asic.estimators", "dwn_asic.flow.finished"} <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_docstrings_hold(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


# ---- dependencies ------------------------------------------------------------------------------------------
def third_party() -> dict[str, str]:
    """Return, for each top-level package, a file that imports it."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            for name in names:
                found.setdefault(name.split(".")[0], str(path))
    return {name: file for name, file in found.items() if name not in {*sys.stdlib_module_names, "dwn_asic"}}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_everything_that_is_imported_is_declared() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    optional = [line for name, lines in extras.items() if name != "dev" for line in lines]
    lines = [*project["dependencies"], *optional]
    declared = {normalized(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in lines}
    homes = importlib.metadata.packages_distributions()
    undeclared = {
        f"{name}, of {file}"
        for name, file in third_party().items()
        if not {normalized(home) for home in homes.get(name, [name])} & declared
    }
    assert not undeclared
