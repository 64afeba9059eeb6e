"""Files of a study and the page, which a browser opens."""

from __future__ import annotations

import base64
import gzip
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from study_examples import baseline, methods, saved, study_of, with_forest_circuits

from dwn_asic.errors import DataError
from dwn_asic.flow.reports import load_study, write_reports
from dwn_asic.methods.registry import method
from dwn_asic.report.result import MethodResult, Result
from dwn_asic.study.figure import set_figure
from dwn_asic.study.trace import flow_text, verilog_file
from dwn_asic.study.write import tables
from dwn_asic.tools import find_tool


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    study = load_study(saved(folder / "build" / "nine", study_of()))
    single = study.runs[0]
    write_reports([single], [study], folder / "reports")
    return folder / "reports"


def test_runs_are_found_by_set_and_seed(tmp_path: Path) -> None:
    study = load_study(saved(tmp_path / "nine", study_of()))
    assert study.name == "nine"
    assert list(study.sets) == ["alpha", "beta", "gamma"]
    assert [run.result.seed for run in study.sets["beta"]] == [0, 1, 2]
    assert study.seeds == [0, 1, 2]


def test_an_empty_folder_and_a_seed_twice_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"contains no seed-\*/FLOW/result.json"):
        load_study(tmp_path)
    folder = saved(tmp_path / "nine", study_of())
    (folder / "seed-9" / "alpha").mkdir(parents=True)
    (folder / "seed-9" / "alpha" / "result.json").write_bytes(
        (folder / "seed-0/alpha/result.json").read_bytes()
    )
    with pytest.raises(DataError, match="is of the same flow and seed as"):
        load_study(folder)


def test_every_file_is_linked_and_there(reports: Path) -> None:
    for index in (reports / "README.md", reports / "nine" / "README.md"):
        links = re.findall(r"\]\(([^)]*)\)", index.read_text())
        assert links
        assert all((index.parent / link).is_file() for link in links), links
    assert "nine/README.md" in (reports / "README.md").read_text()
    assert {"headline.csv", "ranks.csv", "equal_area.csv", "runs.csv"} <= {
        f.name for f in (reports / "nine").iterdir()
    }


def test_other_reports_in_the_folder_are_linked(tmp_path: Path) -> None:
    (tmp_path / "held_out").mkdir()
    for name in ("figures.csv", "held_out/README.md"):
        (tmp_path / name).touch()
    write_reports([], [], tmp_path)
    links = re.findall(r"\]\(([^)]*)\)", (tmp_path / "README.md").read_text())
    assert links == ["index.html", "figures.csv", "held_out/README.md"]


def test_equal_results_give_equal_bytes(reports: Path, tmp_path: Path) -> None:
    study = load_study(reports.parent / "build" / "nine")
    write_reports([study.runs[0]], [study], tmp_path / "again")
    for file in sorted(path for path in reports.rglob("*") if path.is_file()):
        assert (tmp_path / "again" / file.relative_to(reports)).read_bytes() == file.read_bytes(), file


def test_tables_leave_out_the_data_sets_without_a_shrunk_circuit_and_say_so() -> None:
    def without(seed: int) -> tuple[MethodResult, ...]:
        return tuple(method for method in methods(seed) if method.kind != "shrunk")

    whole = study_of()
    mixed = replace(whole, sets={**whole.sets, "beta": study_of(without).sets["beta"]})
    *compared, every = tables(mixed)
    assert [table.name for table in compared] == [table.name for table in tables(whole)[:-1]]
    assert all("Without beta," in table.notes[-1] for table in compared)
    assert "beta" in {row[0].shown for row in every.rows}
    assert not any("Without" in note for table in tables(whole) for note in table.notes)
    assert [table.name for table in tables(study_of(without))] == ["methods"]


def test_the_verilog_of_every_kind_of_method(tmp_path: Path) -> None:
    run = study_of(folder=tmp_path).runs[0]
    files = {name: verilog_file(method) for name, method in run.methods.items()}
    assert files["dwn"] == "design.v"
    assert files["dwn-shrunk"] == "shrunk/design.v"
    assert files["tree-4"] == "baselines/tree-4/design.v"
    assert files["gbdt"] is None
    assert "bits: 8" in flow_text(run)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in {"meta", "img", "input", "br", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_self_contained_and_holds_flow_and_verilog(reports: Path) -> None:
    text = (reports / "index.html").read_text()
    page = _Page()
    page.feed(text)
    assert not page.open
    assert page.sources
    assert all(source.startswith(("#", "data:image/svg+xml;base64,")) for source in page.sources)
    packed = re.findall(r'<script type="text/plain" id="text-\d+">([^<]*)</script>', text)
    unpacked = [gzip.decompress(base64.b64decode(data)).decode() for data in packed]
    assert "module alpha_top; // seed 0\nendmodule\n" in unpacked
    assert any("name: beta" in one for one in unpacked)
    assert len(set(unpacked)) == len(unpacked)
    places = {int(n) for n in re.findall(r'data-text="(\d+)"', text)}
    assert places == set(range(len(packed)))
    assert "build/nine/seed-1/alpha/result.json" in text


def test_figures_are_svg_and_deterministic() -> None:
    study = study_of()
    figure = set_figure(study, "alpha")
    assert ET.fromstring(figure).tag == "{http://www.w3.org/2000/svg}svg"
    assert set_figure(study, "alpha") == figure
    assert set_figure(study_of(lambda s: methods(s, gain=-0.05)), "alpha") != figure


def test_a_line_is_drawn_through_three_sizes_or_more() -> None:
    def more(seed: int) -> tuple[MethodResult, ...]:
        return (*methods(seed), baseline("tree-16", "decision_tree", 50.0, 0.82, 0.81))

    two, three = set_figure(study_of(), "alpha").decode(), set_figure(study_of(more), "alpha").decode()
    assert ("DWN, shrunk: front" in two, "decision tree: front" in two) == (True, False)
    assert "decision tree: front" in three


def test_a_baseline_with_circuits_on_some_seeds_is_a_mark_of_these_and_no_ceiling() -> None:
    def drawn(seeds: set[int]) -> str:
        return set_figure(study_of(lambda seed: with_forest_circuits(seed, seeds)), "alpha").decode()

    assert "forest 3x8" not in drawn({1, 2})
    assert method("forest").look.name in drawn({1, 2})
    assert "forest 3x8 (no circuit in time)" in drawn(set())


_CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--virtual-time-budget=4000",
    "--window-size=1400,2400",
)


def _chromium(page: Path, *options: str) -> str:
    program = find_tool("chromium")
    assert program is not None
    home = "--user-data-dir=profile"
    return subprocess.run(
        [str(program), *_CHROMIUM, home, *options, page.as_uri()],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout


@pytest.mark.tool("chromium")
def test_a_browser_draws_the_page(reports: Path, tmp_path: Path) -> None:
    shot = tmp_path / "page.png"
    _chromium(reports / "index.html", f"--screenshot={shot}")
    from matplotlib.image import imread

    pixels = imread(shot)
    assert pixels.shape[:2] == (2400, 1400)
    dark = (pixels[..., :3].mean(axis=2) < 0.5).mean(axis=1)
    assert (dark > 0).sum() > 600, "the page is mostly empty"


@pytest.mark.tool("chromium")
def test_a_browser_sorts_and_unfolds(reports: Path, tmp_path: Path) -> None:
    script = """<script>
    const table = document.getElementById("nine-methods-rows");
    const heads = [...table.tHead.rows[0].cells], total = heads.findIndex(h => h.textContent === "total");
    const column = () => [...table.tBodies[0].rows].map(r => r.cells[total].textContent);
    heads[total].firstElementChild.click();
    const up = column();
    heads[total].firstElementChild.click();
    const down = column();
    const row = [...table.tBodies[0].rows].find(r => r.cells[1].textContent === "tree 4");
    row.click();
    setTimeout(() => {
      const behind = [...row.nextElementSibling.querySelectorAll("pre")].map(p => p.textContent).join("\\n");
      const found = document.createElement("output");
      found.textContent = JSON.stringify({up: up, down: down, behind: behind});
      document.body.append(found);
    }, 500);
    </script>"""
    page = tmp_path / "driven.html"
    page.write_text((reports / "index.html").read_text().replace("</body>", script + "</body>"))
    import html
    import json

    dom = _chromium(page, "--dump-dom")
    match = re.search(r"<output>(.*?)</output>", dom, re.DOTALL)
    assert match, dom[-2000:]
    found = json.loads(html.unescape(match[1]))
    areas = [float(cell.split()[0]) for cell in found["up"] if cell != "-"]
    assert areas == sorted(areas)
    assert found["up"][-1] == "-"
    assert found["down"][-1] == "-"
    assert [float(cell.split()[0]) for cell in found["down"] if cell != "-"] == areas[::-1]
    assert "module tree; endmodule" in found["behind"]
    assert "name: " in found["behind"]


def test_the_command_takes_flows_and_studies(tmp_path: Path) -> None:
    folder = saved(tmp_path / "nine", study_of())
    command = [
        sys.executable,
        "-m",
        "dwn_asic",
        "collect",
        str(folder / "seed-0" / "alpha"),
        "--study",
        str(folder),
    ]
    done = subprocess.run(
        [*command, "--out", "out"], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert "1 flows, 1 studies" in done.stdout
    assert (tmp_path / "out" / "index.html").is_file()
    assert Result.load(folder / "seed-0" / "alpha" / "result.json").flow == "alpha"
