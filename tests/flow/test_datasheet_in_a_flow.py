"""The data sheet alone suffices to use a chip: from raw rows to input bits, from output bits to classes."""

from __future__ import annotations

import csv
import gzip
import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

from dwn_asic.boolean.graph import CodeBit, Interface
from dwn_asic.errors import DataError
from dwn_asic.flow import Flow, Reporter, open_flow, run_flow
from dwn_asic.flow.artifacts import NETWORK, PREDICTIONS
from dwn_asic.flow.finished import load
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.verilog.elaborate import elaborate
from dwn_asic.verilog.reader import parse_verilog

ROOT = Path(__file__).resolve().parents[2]
SHEETS = ("datasheet.md", "shrunk/datasheet.md")
NO_CLASS = "no class"
PAGES = tuple(name.replace(".md", ".html") for name in SHEETS)
QUICK: dict[str, Any] = {
    "training": {"epochs": 2, "threads": 1, "restarts": 1, "halvings": 0},
    "minimize": {"effort": "low"},
    "shrink": {"prices": [8.0], "temperatures": [0.5], "proposals": 5000, "votes": [[2, 25.0]]},
    "baselines": [],
}
COLOURS = ("a|b", "<deep> *red*", "green_", "never\\seen")

Row = dict[str, str]


# ---- reading a data sheet like its user --------------------------------------------------------------------
def tables(text: str, section: str) -> list[list[Row]]:
    """Return the tables below a heading; each row maps column headings to cells."""
    _, _, rest = text.partition(f"\n## {section}\n")
    assert rest, f"no section {section}"
    found: list[list[list[str]]] = [[]]
    for line in rest.split("\n## ")[0].splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            found[-1].append([plain(cell) for cell in cells])
        elif found[-1]:
            found.append([])
    return [[dict(zip(table[0], row, strict=True)) for row in table[2:]] for table in found if table]


def plain(cell: str) -> str:
    cell = cell.strip()
    if cell.startswith("`"):
        return cell.strip("`")
    return html.unescape(re.sub(r"\\([^A-Za-z0-9\s])", r"\1", cell.strip("*") if cell[:2] == "**" else cell))


@dataclass(frozen=True)
class Sheet:
    """The content of the tables of a Markdown data sheet, and nothing else."""

    ports: list[Row]
    scaling: list[Row]
    categories: dict[str, dict[str, int]]
    class_names: dict[int, str]
    thresholds: list[Row]

    @classmethod
    def of(cls, text: str) -> Sheet:
        features = tables(text, "From a feature to its code")
        categories: dict[str, dict[str, int]] = {}
        for row in features[1] if "category" in features[1][0] else ():
            categories.setdefault(row["feature"], {})[row["category"]] = int(row["code"])
        (classes,), thresholds = (
            tables(text, "From the answer to its class"),
            tables(text, "Thresholds in use"),
        )
        names = {int(row["class_index"]): row["class"] for row in classes}
        return cls(tables(text, "Ports")[0], features[0], categories, names, thresholds[0])

    def codes(self, row: Row) -> dict[str, int]:
        """Return port and code of each input for one raw row."""
        return {scale["port"]: self.code(scale, row[scale["feature"]]) for scale in self.scaling}

    def code(self, scale: Row, cell: str) -> int:
        if cell in ("", "?"):
            return int(scale["code if missing"])
        if scale["feature"] in self.categories:
            return self.categories[scale["feature"]][cell]
        code = round((float(cell) - float(scale["value of code 0"])) / float(scale["step"]))
        return min(max(code, 0), int(scale["highest code"]))


def answers(sheet: Sheet, netlist: str, top: str, rows: list[Row], library: CellLibrary) -> list[str]:
    """Return the class name that the netlist returns for each raw row, with codes computed from the sheet."""
    inputs = [port for port in sheet.ports if port["direction"] == "input" and port["port"] != "clk"]
    places = {port["port"]: place for place, port in enumerate(inputs)}
    widths = tuple(int(port["bits"]) for port in inputs)
    interface = Interface(tuple(places), widths, tuple(sheet.class_names.values()))
    design = parse_verilog(netlist, "netlist.v")
    declared = design.modules[top]
    assert [port for port in declared.inputs if port != "clk"] == list(places)
    for port, width in zip(places, widths, strict=True):
        assert len(list(declared.bits(port))) == width
    circuit = elaborate(design, top, lambda port, bit: CodeBit(places[port], bit), interface, library)
    codes = [[sheet.codes(row)[port] for port in places] for row in rows]
    return [sheet.class_names.get(int(index), NO_CLASS) for index in circuit.graph.predict(np.array(codes))]


# ---- flows and their raw rows ------------------------------------------------------------------------------
def csv_rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return list(csv.DictReader(file))


def digit_rows() -> list[Row]:
    digits = load_digits()
    return [dict(zip(digits.feature_names, map(str, row), strict=True)) for row in digits.data.tolist()]


def coloured(path: Path) -> Path:
    """Write a table with a text column, texts that are special in Markdown, and missing cells."""
    random = np.random.default_rng(5)
    lines = ["size,colour,weight,kind"]
    for n in range(400):
        size, colour, weight = random.normal(3, 2), int(random.integers(3)), float(random.integers(0, 9))
        cells = [f"{size:.3f}", f'"{COLOURS[colour]}"', f"{weight:g}"]
        if n % 11 == 0:
            cells[int(random.integers(3))] = "?"
        if n == 399:
            cells[1] = COLOURS[3]
        lines.append(",".join([*cells, "sweet | <sour>" if colour == 1 or size > 6 else "other"]))
    path.write_text("\n".join(lines) + "\n")
    return path


def sections(name: str, folder: Path) -> tuple[dict[str, Any], list[Row]]:
    """Return the content of a flow file in addition to QUICK, and the raw rows of the flow."""
    if name == "coloured":
        path = coloured(folder / "coloured.csv")
        model = {"layers": [{"luts": 12, "inputs": 3}], "head": "popcount", "temperature": 2.0}
        data = {"source": f"csv:{path}", "label": "kind", "impute": "median"}
        encoder = {"input_bits": 5, "bits": 2}  # few thresholds, so that the network reads all of them
        return {"data": data, "encoder": encoder, "model": model}, csv_rows(path)
    extended: dict[str, Any] = {"extends": str(ROOT / "flows" / f"{name}.yaml")}
    match name:
        case "phoneme":
            model = {"layers": [{"luts": 12, "inputs": 3}, {"luts": 1, "inputs": 4}]}
            rows = csv_rows(ROOT / "dwn_asic" / "data" / "bundled" / "phoneme.csv.gz")
            return {**extended, "model": model}, rows
        case "digits":
            model = {"layers": [{"luts": 20, "inputs": 3}], "head": "popcount", "temperature": 2.0}
            return {**extended, "model": model}, digit_rows()
        case _:
            return extended, csv_rows(ROOT / "flows" / "iris.csv")


@dataclass(frozen=True)
class Ran:
    flow: Flow
    rows: list[Row]

    def text(self, name: str) -> str:
        return (self.flow.folder / name).read_text()


@pytest.fixture(scope="module", params=["phoneme", "digits", "iris_csv", "coloured"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp(request.param)
    content, rows = sections(request.param, folder)
    (folder / f"{request.param}.yaml").write_text(yaml.safe_dump({**content, **QUICK}))
    flow = open_flow(folder / f"{request.param}.yaml", folder / "build")
    run_flow(flow, Reporter(), targets=SHEETS)
    return Ran(flow, rows)


# ---- the acceptance test of the sheet ----------------------------------------------------------------------
@pytest.mark.parametrize("place", ["", "shrunk"])
def test_the_sheet_takes_raw_rows_to_the_models_classes(ran: Ran, place: str, library: CellLibrary) -> None:
    sheet = Sheet.of(ran.text(f"{place}/datasheet.md".lstrip("/")))
    test, predictions = ran.flow.dataset.split.test, ran.flow.read(PREDICTIONS.at(place))
    netlist = ran.text(f"{place}/netlist.v".lstrip("/"))
    found = answers(sheet, netlist, f"{ran.flow.name}_top", [ran.rows[n] for n in test], library)
    names = dict(enumerate(ran.flow.dataset.table.class_names))
    # A shrunk circuit may answer with an index of no class on a few rows, which count as errors.
    assert found == [names.get(int(index), NO_CLASS) for index in predictions[test]]
    if not place:
        # The trained network itself predicts the same, not only its graph.
        assert found == [
            names[i] for i in ran.flow.read(NETWORK.at("")).predict(ran.flow.dataset.codes)[test]
        ]


@pytest.mark.parametrize("name", SHEETS)
def test_codes_and_thresholds_of_the_sheet_agree_with_the_package_on_all_rows(ran: Ran, name: str) -> None:
    sheet, dataset = Sheet.of(ran.text(name)), ran.flow.dataset
    at = {feature: f for f, feature in enumerate(dataset.table.feature_names)}
    for scale in sheet.scaling:
        f = at[scale["feature"]]
        own = dataset.codes[:, f]
        assert [sheet.code(scale, row[scale["feature"]]) for row in ran.rows] == own.tolist()
        for row in (row for row in sheet.thresholds if row["feature"] == scale["feature"]):
            reached = own >= int(row["code at least"])
            if scale["feature"] in sheet.categories:
                texts = dataset.table.categories[scale["feature"]]
                least = texts.index(row["value at least"])
            else:
                least = float(row["value at least"])
            assert (reached == (dataset.table.values[:, f] >= least)).all()


@pytest.mark.parametrize("place", ["", "shrunk"])
def test_it_lists_exactly_what_the_circuit_reads(ran: Ran, place: str) -> None:
    run = load(ran.flow.folder)
    own = run.shrunk if place else run
    assert own is not None
    text, interface = ran.text(f"{place}/datasheet.md".lstrip("/")), own.graph.interface
    sheet = Sheet.of(text)
    wanted = sorted((node.feature, node.constant) for _, node in own.circuit.core.inputs)
    at = {feature: f for f, feature in enumerate(interface.feature_names)}
    found = [(at[row["feature"]], int(row["code at least"])) for row in sheet.thresholds]
    assert found == wanted
    unused = [name for f, name in enumerate(interface.feature_names) if f not in {f for f, _ in wanted}]
    said = re.search(r"Unused features, which the circuit does not read: (.*)\.\n", text)
    assert (said[1].split(", ") if said else []) == unused
    # A bit that is not in use has no effect.
    bits = {(node.feature, node.bit) for _, node in own.circuit.encoder.inputs}
    for port in sheet.ports:
        if port["port"].startswith("x"):
            assert expanded(port["bits in use"]) == {
                bit for f, bit in bits if port["port"].startswith(f"x{f}_")
            }


def expanded(ranges: str) -> set[int]:
    ends = [[int(end) for end in part.split(":")] for part in ranges.split(", ")]
    return {bit for part in ends for bit in range(part[-1], part[0] + 1)}


@pytest.mark.parametrize("name", SHEETS)
def test_the_example_is_a_row_of_the_data(ran: Ran, name: str) -> None:
    text = ran.text(name)
    example = tables(text, "From a feature to its code")[-1]
    row = ran.rows[int(re.search(r"Example: row (\d+) of the data, a test row", text)[1]) - 1]  # type: ignore[index]
    sheet = Sheet.of(text)
    codes = sheet.codes(row)
    assert {line["feature"]: int(line["code"]) for line in example} == {
        scale["feature"]: codes[scale["port"]] for scale in sheet.scaling
    }
    for line in example:
        port, literal = line["apply"].split(" = ")
        assert codes[port] == int(literal.split("'b")[1], 2)


# ---- further content ---------------------------------------------------------------------------------------
def test_both_sheets_name_the_files_they_describe(ran: Ran) -> None:
    name = ran.flow.name
    exact, shrunk = map(ran.text, SHEETS)
    assert exact.startswith(f"# {name}, exact circuit: data sheet\n")
    assert shrunk.startswith(f"# {name}, shrunk circuit: data sheet\n")
    assert f"[{name}/netlist.v](netlist.v)" in exact
    assert f"[{name}/shrunk/netlist.v](netlist.v)" in shrunk
    assert "[its own data sheet](shrunk/datasheet.md)" in exact
    assert "[its own data sheet](../datasheet.md)" in shrunk
    for page, other in zip(map(ran.text, PAGES), ("shrunk/datasheet.html", "../datasheet.html"), strict=True):
        assert f'<a href="{other}">its own data sheet</a>' in page
        assert not re.search(r"(src|href)=\"(https?:)?//", page)


def test_registers_show_as_clock_and_latency(ran: Ran) -> None:
    ports = Sheet.of(ran.text("datasheet.md")).ports
    clocked = ran.flow.name == "iris_csv"
    assert ("clk" in [port["port"] for port in ports]) == clocked
    assert ("Latency: 2 cycles" if clocked else "Latency: 0 cycles") in ran.text("datasheet.md")


def test_only_the_exact_circuit_of_a_popcount_has_ties(ran: Ran) -> None:
    counts = ran.flow.name in {"digits", "coloured"}
    assert ("Ties go to the class with the lowest index" in ran.text("datasheet.md")) == counts
    assert "There are no ties" in ran.text("shrunk/datasheet.md")


def test_texts_and_missing_cells_have_codes(ran: Ran) -> None:
    sheet = Sheet.of(ran.text("datasheet.md"))
    if ran.flow.name != "coloured":
        assert not sheet.categories
        assert "code if missing" not in sheet.scaling[0]
        return
    assert sheet.categories == {"colour": {text: n for n, text in enumerate(sorted(COLOURS))}}
    table = ran.flow.dataset.table
    for scale in sheet.scaling:
        f = table.feature_names.index(scale["feature"])
        gaps = [n for n, row in enumerate(ran.rows) if row[scale["feature"]] == "?"]
        assert gaps
        assert set(ran.flow.dataset.codes[gaps, f]) == {int(scale["code if missing"])}


def test_a_second_run_changes_nothing_and_a_single_sheet_can_be_requested(ran: Ran) -> None:
    assert run_flow(ran.flow, Reporter(), targets=SHEETS) == []
    before = [ran.text(name) for name in (*SHEETS, *PAGES)]
    run_flow(ran.flow, Reporter(), targets=["shrunk/datasheet.html"], force=False)
    assert [ran.text(name) for name in (*SHEETS, *PAGES)] == before


def test_a_loaded_run_returns_the_same_sheet(ran: Ran) -> None:
    run = load(ran.flow.folder)
    assert run.shrunk is not None
    assert run.datasheet().markdown() == ran.text("datasheet.md")
    assert run.shrunk.datasheet().html() == ran.text("shrunk/datasheet.html")


def test_other_circuits_of_a_run_have_sheets_on_request(finished: Flow) -> None:
    baselines = load(finished.folder).baselines
    text = baselines["tree-3"].datasheet().markdown()
    assert "made from decision tree, 3 leaves" in text
    assert "[tiny/baselines/tree-3/netlist.v](netlist.v)" in text
    assert "its own data sheet" not in text
    with pytest.raises(DataError, match="is missing"):
        baselines["gbdt"].datasheet()


def test_a_flow_without_shrink_has_one_sheet(finished: Flow) -> None:
    assert "its own data sheet" not in (finished.folder / "datasheet.md").read_text()
    assert not (finished.folder / "shrunk").exists()
