"""Collection of results into a report's folder."""

from __future__ import annotations

import re

import pytest
from report_examples import circuit, result, software

from dwn_asic.errors import DwnAsicError
from dwn_asic.report.collect import collect, flow_pages
from dwn_asic.report.result import Result
from dwn_asic.report.table import comparison_csv, comparison_markdown


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


def test_collect_makes_pages_and_index() -> None:
    files = collect([small("beta"), small("alpha")])
    page = ("comparison.md", "comparison.csv", "accuracy_area.svg")
    assert set(files) == {"README.md", *(f"{flow}/{name}" for flow in ("alpha", "beta") for name in page)}
    assert list(files)[-1] == "README.md"
    index = files["README.md"].decode()
    links = re.findall(r"\]\(([^)]*)\)", index)
    assert links
    assert set(links) <= set(files)
    assert index.index("## alpha") < index.index("## beta")
    assert index.count("| [alpha](alpha/comparison.md) |") == 2
    assert index.count("yosys 0.70") == 2


def test_collect_is_deterministic() -> None:
    assert collect([small("beta"), small("alpha")]) == collect([small("alpha"), small("beta")])


@pytest.mark.parametrize("other", ["phoneme", "Phoneme"])
def test_flows_of_one_folder_are_refused(other: str) -> None:
    with pytest.raises(DwnAsicError, match="two results for one report folder"):
        collect([result("phoneme"), result(other)])


def test_nothing_is_an_empty_index() -> None:
    assert collect([], ["- [more](more)"]) == {"README.md": b"# Reports\n\n- [more](more)\n"}
