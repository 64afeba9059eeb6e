"""Files of a study and the page, which a browser opens."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from study_examples import baseline, methods, saved, study_of, with_forest_circuits

from dwn_asic.errors import DataError
from dwn_asic.flow.reports import load_study, write_reports
from dwn_asic.methods.registry import method
from dwn_asic.report.result import MethodResult, Result
from dwn_asic.study.dots import Panel, Point, Series, dot_plot
from dwn_asic.study.figure import set_figure
from dwn_asic.study.tables import Table
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
    assert all("Without beta:" in table.notes[-1] for table in compared)
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
    """The tags in their order, as ``tag``, ``tag.class`` or ``/tag``, and the sections of the tables."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.sections: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.sources += [found[name] or "" for name in ("src", "href") if name in found]
        if tag == "section":
            self.sections[found["aria-labelledby"] or ""] = []
        if "section" in self.open:
            self._here.append(f"{tag}.{found['class']}" if found.get("class") else tag)
        if tag not in {"meta", "img", "input", "br", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if "section" in self.open:
            self._here.append(f"/{tag}")

    @property
    def _here(self) -> list[str]:
        return next(reversed(self.sections.values()))


def test_a_figure_stands_before_each_table_and_notes_are_folded(reports: Path) -> None:
    page = _Page()
    page.feed((reports / "index.html").read_text())
    study = tables(study_of())
    assert list(page.sections) == [*(f"nine-{table.name}" for table in study), "flows-methods"]
    bare = {f"nine-{table.name}" for table in study if not table.figures}
    assert bare == {"nine-above_tree"}  # there, the tree never is above ours
    for name, tags in page.sections.items():
        if name not in bare:
            assert tags.index("figure") < tags.index("div.scroll"), name
        start = tags.index("details.notes")
        assert tags[start:][:4] == ["details.notes", "summary", "/summary", "ul"], name
        assert tags.index("div.scroll") < start, name
        assert tags.count("ul") == tags.count("details.notes") == 1
    more = next(table for table in study if table.name == "methods")
    assert len(more.figures) == 3
    first, *_, last = [n for n, tag in enumerate(page.sections["nine-methods"]) if tag == "figure"]
    assert first < page.sections["nine-methods"].index("details") < last


def test_only_long_tables_fold_and_have_a_filter(reports: Path) -> None:
    page = _Page()
    page.feed((reports / "index.html").read_text())
    rows = {f"nine-{table.name}": len(table.rows) for table in tables(study_of())}
    assert min(rows.values()) < 13 <= max(rows.values())
    for name, count in rows.items():
        folded = "details.more" in page.sections[name]
        assert folded == ("input" in page.sections[name]) == (count > 12), name
    text = (reports / "index.html").read_text()
    assert f"Show all {rows['nine-methods']} rows" in text
    assert "Show all 4 rows" not in text


def test_groups_span_all_columns_of_the_headline(reports: Path) -> None:
    text = (reports / "index.html").read_text()
    table = text[text.index('id="nine-headline-rows"') :].split("</thead>")[0]
    spans = [int(span) for span in re.findall(r'colspan="(\d+)"', table)]
    headline = tables(study_of())[0]
    assert spans == [1, 4, 8, 2, 2, 2, 2]
    assert sum(spans) == len(headline.columns) == table.count('scope="col"')
    assert "DWN at its accuracy</th>" in table
    assert '<button type="button">core <small>NAND2</small></button>' in table


def test_the_contents_lead_to_every_table(reports: Path) -> None:
    text = (reports / "index.html").read_text()
    contents = text[text.index("<nav") : text.index("</nav>")]
    links = re.findall(r'href="#([^"]*)"', contents)
    assert len(links) == len(tables(study_of())) + 1 + 2
    assert all(f'id="{link}"' in text for link in links)


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


def test_figures_of_tables_are_svg_and_deterministic() -> None:
    first, again = (
        {each.file: each.svg() for table in tables(study_of()) for each in table.figures} for _ in range(2)
    )
    assert first == again
    names = ("headline", "generations", "ranks", "equal_area", "equal_accuracy")
    assert {f"figures/{name}.svg" for name in names} < set(first)
    for name, image in first.items():
        assert ET.fromstring(image).tag == "{http://www.w3.org/2000/svg}svg", name
    other = {
        each.file: each.svg()
        for table in tables(study_of(lambda s: methods(s, gain=-0.2)))
        for each in table.figures
    }
    assert all(other[name] != image for name, image in first.items())


def test_a_table_without_anything_to_draw_has_no_figure() -> None:
    def above(gain: float) -> Table:
        every = tables(study_of(lambda s: methods(s, gain=gain)))
        return next(table for table in every if table.name == "above_tree")

    assert not above(0.0).figures  # the tree never is above ours
    assert "somewhere on 0 of 3 data sets; by core area on 0." in above(0.0).summary
    (figure,) = above(-0.2).figures
    assert "alpha" in figure.svg().decode()


def test_dots_stand_where_their_values_are() -> None:
    points = [Point(0, 1.0), Point(1, 10.0, error=5.0), Point(2, 100.0)]
    panel = Panel("Area", "NAND2", [Series("ours", "#123456", "o", points)], log=True, reference=10.0)
    image = dot_plot(["alpha", "beta", "gamma"], [panel]).decode()
    found = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)" style="fill: #123456[^>]*/>', image)
    (x0, y0), (x1, y1), (x2, y2) = [(float(x), float(y)) for x, y in found[:3]]
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.01) != 0.0  # decades are alike
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.01)
    assert y0 < y2  # the first row is on top


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


def _output(page: Path) -> dict[str, Any]:
    """Return what a page wrote into its ``output`` element, from JSON."""
    dom = _chromium(page, "--dump-dom")
    match = re.search(r"<output>(.*?)</output>", dom, re.DOTALL)
    assert match, dom[-2000:]
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    return found


_WIDE_STUDY = tuple(f"data_set_{n}" for n in range(9))
_PROBE = """<script>
const width = () => [document.documentElement.scrollWidth, innerWidth];
const headline = document.getElementById("nine-headline-rows");
const closed = width();
document.querySelectorAll("details").forEach(each => each.open = true);
document.querySelectorAll("tr.unfolds").forEach(each => each.click());
setTimeout(() => parent.postMessage(
  {closed, open: width(), headline: [headline.offsetWidth, headline.parentNode.clientWidth]}, "*"), 500);
</script>"""
# A window is never narrower than 500 pixels, a frame is.
_FRAME = """<body><iframe src="{page}" width="{width}" height="900" style="border: 0"></iframe><script>
addEventListener("message", event => {{
  const found = document.createElement("output");
  found.textContent = JSON.stringify(event.data);
  document.body.append(found);
}});
</script></body>"""


@pytest.mark.tool("chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways_and_the_headline_fits_a_laptop(tmp_path: Path, width: int) -> None:
    study = load_study(saved(tmp_path / "nine", study_of(flows=_WIDE_STUDY)))
    write_reports([study.runs[0]], [study], tmp_path / "reports")
    text = (tmp_path / "reports" / "index.html").read_text()
    (tmp_path / "probed.html").write_text(text.replace("</body>", _PROBE + "</body>"))
    frame = tmp_path / "frame.html"
    frame.write_text(_FRAME.format(page="probed.html", width=width))
    found = _output(frame)
    for state in ("closed", "open"):
        scrolled, inner = found[state]
        assert inner == width
        assert scrolled <= inner, state
    table, box = found["headline"]
    assert (table <= box) == (width == 1280)


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
def test_a_browser_sorts_filters_and_unfolds(reports: Path, tmp_path: Path) -> None:
    script = """<script>
    const table = document.getElementById("nine-methods-rows");
    const heads = [...table.tHead.lastElementChild.cells];
    const total = heads.findIndex(h => h.textContent === "total NAND2");
    const column = () => [...table.tBodies[0].rows].map(r => r.cells[total].textContent);
    heads[total].firstElementChild.click();
    const up = column();
    heads[total].firstElementChild.click();
    const down = column();
    const seen = () => [...table.tBodies[0].rows].filter(r => r.offsetHeight > 0).length;
    const folded = seen();
    const filter = document.querySelector("input[data-table=nine-methods-rows]");
    filter.value = "alpha tree";
    filter.dispatchEvent(new Event("input"));
    const filtered = seen();
    filter.value = "";
    filter.dispatchEvent(new Event("input"));
    const all = seen();
    const row = [...table.tBodies[0].rows].find(r => r.cells[1].textContent === "tree 4");
    row.click();
    setTimeout(() => {
      const behind = [...row.nextElementSibling.querySelectorAll("pre")].map(p => p.textContent).join("\\n");
      const found = document.createElement("output");
      found.textContent = JSON.stringify({up, down, behind, folded, filtered, all});
      document.body.append(found);
    }, 500);
    </script>"""
    page = tmp_path / "driven.html"
    page.write_text((reports / "index.html").read_text().replace("</body>", script + "</body>"))
    found = _output(page)
    areas = [float(cell.split()[0]) for cell in found["up"] if cell != "-"]
    assert areas == sorted(areas)
    assert found["up"][-1] == "-"
    assert found["down"][-1] == "-"
    assert [float(cell.split()[0]) for cell in found["down"] if cell != "-"] == areas[::-1]
    assert (found["folded"], found["filtered"], found["all"]) == (10, 2, 21)
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


def in_balanced_accuracy(seed: int) -> tuple[MethodResult, ...]:
    """Return the methods of a study in which balanced accuracy is a tenth below accuracy."""
    found = []
    for each in methods(seed):
        parts = ("train", "val", "test")
        scores = {f"balanced_accuracy__{part}": each.metrics[f"accuracy__{part}"] - 0.1 for part in parts}
        below = {"train": -0.1, "val": -0.1, "expected": -0.1, "test": -0.1}
        front = tuple(
            point.model_copy(update={key: getattr(point, key) + by for key, by in below.items()})
            for point in each.front
        )
        changes = {"metric": "balanced_accuracy", "metrics": {**each.metrics, **scores}, "front": front}
        found.append(each.model_copy(update=changes))
    return tuple(found)


def test_a_study_in_balanced_accuracy_says_so_and_compares_by_it() -> None:
    plain, study = study_of(), study_of(in_balanced_accuracy)
    assert (study.score, study.scores, study.test) == (
        "balanced accuracy",
        "balanced accuracies",
        "balanced accuracy test (%)",
    )
    for before, table in zip(tables(plain), tables(study), strict=True):
        page = table.markdown()
        for words in ("test accuracy", "test accuracies", "validation accuracy"):
            assert words not in page.lower(), (table.name, words)
        assert table.name == before.name
        assert len(table.rows) == len(before.rows)
    headline = next(table for table in tables(study) if table.name == "headline")
    row = dict(zip(headline.columns, headline.rows[0], strict=True))
    assert row["Tiny Classifier: balanced accuracy test (%)"].shown == "68.00 ± 0.00"
    assert row["DWN at its balanced accuracy: total (NAND2)"].shown == "10.0 ± 0.0"
    assert "at the tiny classifier's validation balanced accuracy" in headline.summary.lower()


def test_single_flows_of_different_objectives_share_a_table(tmp_path: Path) -> None:
    plain = study_of(seeds=1, flows=("alpha",)).runs
    balanced = study_of(in_balanced_accuracy, seeds=1, flows=("beta",)).runs
    write_reports([*plain, *balanced], [], tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert "| accuracy test |" in page
    assert "| balanced accuracy test |" in page
    assert "test accuracy against area" in page
    assert "test balanced accuracy against area" in page
