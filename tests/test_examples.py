"""The notebooks run from first to last cell; a machine on which no kernel starts fails here."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from notebooks import EXAMPLES, NOTEBOOKS, executed

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 60_000


@pytest.fixture
def _this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel, another process, import the checkout under test, whatever is installed."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))


def test_both_are_there() -> None:
    assert [path.name for path in NOTEBOOKS] == ["along_the_front.ipynb", "first_chip.ipynb"]
    assert EXAMPLES.parent == ROOT


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client", "ignore::DeprecationWarning:zmq")
@pytest.mark.usefixtures("_this_checkout")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path) -> None:
    kept, found = nbformat.read(path, as_version=4), executed(path)
    for before, after in zip(kept.cells, found.cells, strict=True):
        assert [o.output_type for o in before.get("outputs", [])] == [
            o.output_type for o in after.get("outputs", [])
        ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_small_and_its_outputs_are_kept(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) <= 6
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    assert all("Error" not in str(cell.outputs) for cell in code)
    assert sum(len(cell.source.splitlines()) for cell in code) < 50
    assert not {"/tmp", "/home", "/root"} & set(re.findall(r"/[a-z]+", path.read_text()))
