"""Fixtures for all tests: a scratch working directory, the embedded cell library, and optional tools."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from dwn_asic.flow import Flow
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.cost import CellCost
from dwn_asic.tools import find_tool
from flows import finished_flow

ROOT = Path(__file__).resolve().parents[1]

# Deadlines would measure the machine (and the compiler, on first use), not the code.
settings.register_profile("dwn-asic", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("dwn-asic")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("tool"):
        for name in marker.args:
            if find_tool(name) is None:
                if os.environ.get("DWN_ASIC_REQUIRE_TOOLS") == "1":
                    pytest.fail(f"{name} is required (DWN_ASIC_REQUIRE_TOOLS=1) and not installed")
                pytest.skip(f"{name} is not installed")


@pytest.fixture(autouse=True, scope="session")
def _no_pdk_of_the_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the machine's PDKs from session fixtures as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PDK_ROOT", raising=False)
        base = tmp_path_factory.getbasetemp()
        patch.setenv("HOME", str(base))
        # Libraries that were read once are kept here for all tests.
        patch.setenv("XDG_CACHE_HOME", str(base / "cache"))
        yield


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in its own directory, without the machine's PDKs unless it asks for one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """Return a finished tiny flow, which runs once for all tests; they must not change it.

    The processes of pytest-xdist share its folder; the second one waits, and finds everything up to date.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return finished_flow(folder / "finished")


@pytest.fixture(scope="session")
def library() -> CellLibrary:
    """Load the embedded sky130hd library, whatever is installed."""
    return CellLibrary.load_table(ROOT / "pdk_configs" / "sky130hd.cells.csv")


@pytest.fixture(scope="session")
def cost(library: CellLibrary) -> CellCost:
    """Return the cost of circuits in the cells of the library, without registers."""
    return CellCost(library)


@pytest.fixture
def shared_pdk() -> Path:
    """Return the folder of real PDK files, beside the checkout or named by DWN_ASIC_SHARED_PDK."""
    folder = Path(os.environ.get("DWN_ASIC_SHARED_PDK", ROOT.parent / "shared" / "pdk"))
    if not folder.is_dir():
        pytest.skip(f"no real PDK files in {folder}")
    return folder
