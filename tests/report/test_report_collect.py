"""Report folders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from report_examples import circuit, result, software

from dwn_asic.errors import DwnAsicError
from dwn_asic.report.collect import collect, flow_pages
from dwn_asic.report.result import Result
from dwn_asic.report.table import comparison_csv, comparison_markdown


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def small(flow: str) -> Result:
    return result(flow, methods=(circuit("dwn", "dwn", 0.85, 20.0, 30.0), software()))


def test_pages_of_a_flow_are_tables_and_figures() -> None:
    files = flow_pages(result())
    assert set(files) == {"comparison.md", "comparison.csv", "accuracy_area.svg", "accuracy_area.png"}
    assert files["accuracy_area.svg"].startswith(b"<?xml")
    assert files["accuracy_area.png"].startswith(b"\x89PNG")
    assert comparison_markdown(result()) in files["comparison.md"].decode()
    assert "(accuracy_area.svg)" in files["comparison.md"].decode()
    assert files["comparison.csv"].decode() == comparison_csv(result())


def test_collect_writes_pages_and_index(tmp_path: Path) -> None:
    paths = collect([small("beta"), small("alpha")], tmp_path)
    files = tree(tmp_path)
    page = ("comparison.md", "comparison.csv", "accuracy_area.svg")
    assert set(files) == {"README.md", *(f"{flow}/{name}" for flow in ("alpha", "beta") for name in page)}
    assert paths[-1] == tmp_path / "README.md"
    index = files["README.md"].decode()
    links = re.findall(r"\]\(([^)]*)\)", index)
    assert links
    assert all((tmp_path / link).is_file() for link in links)
    assert index.index("## alpha") < index.index("## beta")
    assert index.count("| [alpha](alpha/comparison.md) |") == 2
    assert index.count("yosys 0.70") == 2


def test_collect_is_deterministic(tmp_path: Path) -> None:
    collect([small("beta"), small("alpha")], tmp_path / "one")
    collect([small("alpha"), small("beta")], tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@pytest.mark.parametrize("other", ["phoneme", "Phoneme"])
def test_flows_of_one_folder_are_refused(tmp_path: Path, other: str) -> None:
    with pytest.raises(DwnAsicError, match="two results for one report folder"):
        collect([result("phoneme"), result(other)], tmp_path)
    assert not tree(tmp_path)


def test_nothing_is_an_empty_index(tmp_path: Path) -> None:
    assert collect([], tmp_path, ["- [more](more)"]) == (tmp_path / "README.md",)
    assert (tmp_path / "README.md").read_text() == "# Reports\n\n- [more](more)\n"
