"""Data sheets of small circuits: cases that are rare in flows, and the two formats."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.boolean.lut_network import Head
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.equivalence.check import EQUAL, Check
from dwn_asic.report.datasheet.build import Chosen, data_sheet, rounded
from dwn_asic.report.datasheet.value import DataSheet, Provenance
from dwn_asic.targets.base import Implementation, Proof, Technology
from dwn_asic.verilog.writer import Registers

TECHNOLOGY = Technology("pdk", "library", "corner", "a table")
NAMES = ("height", "a <b> | `c`", "unread")
CLASSES = ("small", "<i>tall</i>", "odd|one")
INTERFACE = Interface(NAMES, (4, 4, 2), CLASSES)
AREAS = {
    f"{kind}{part}{unit}": 10.0
    for part in ("core", "encoder", "registers")
    for kind, unit in (("area__", ""), ("area__", "__nand2_equivalent"), ("design__instance__count__", ""))
} | {
    "area__nand2": 3.7536,
    "area__nand2_equivalent": 30.0,
    "design__instance__area": 112.608,
    "design__instance__count": 30,
}


def graph(*thresholds: tuple[int, int]) -> BooleanGraph:
    """Return a graph whose output k is threshold k, or 0 if there is none."""
    builder = GraphBuilder(INTERFACE)
    places = [builder.add(Threshold(f, c)) for f, c in thresholds]
    while len(places) < INTERFACE.class_bits:
        places.append(builder.add(Constant(value=False)))
    return builder.finish(places)


def split_rows(labels: list[int], parts: int) -> Dataset:
    """Return rows with codes 0, 1, 2, ... of the first feature, all in one part or in three parts in turn."""
    n = np.arange(len(labels))
    values = np.stack([n / 2.0 - 1.0, n * 10.0, n * 0.0], axis=1)
    table = Table("made:up", values, np.array(labels, np.int64), NAMES, CLASSES)
    quantizer = Quantizer(np.array([-1.0, 0.0, 0.0]), np.array([0.5, 10.0, 1.0]), np.array([4, 4, 2]))
    return Dataset(table, Split(*(n[n % parts == k] for k in range(3))), quantizer)


def sheet(
    model: BooleanGraph,
    dataset: Dataset,
    *,
    core: BooleanGraph | None = None,
    files: tuple[str, ...] = ("design.v", "netlist.v"),
    metrics: dict[str, float] = AREAS,
    registers: Registers = "none",
    pipeline: bool = False,
    checks: tuple[Check, ...] = (),
    **chosen: Any,
) -> DataSheet:
    built = core or model
    encoder = encoder_graph([node for _, node in built.inputs], INTERFACE)
    return data_sheet(
        Chosen(**{"label": "a model", **chosen}),
        model,
        Circuit(encoder, built),
        Implementation("chip", dict.fromkeys(files, ""), metrics, "", registers=registers, pipeline=pipeline),
        Proof(checks),
        TECHNOLOGY,
        dataset,
        model.predict(dataset.codes),
        Provenance("made:up", len(dataset.codes), "0" * 64, {"yosys": "1"}),
    )


TWO = graph((0, 3), (1, 5))
ROWS = split_rows([0, 1, 2] * 5, 3)


class Texts(HTMLParser):
    """The texts of a page, each stripped, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.found.append(" ".join(data.split()))

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)


def test_areas_have_a_decimal_and_three_where_cells_are_tiny() -> None:
    assert "| 112.6 |" in sheet(TWO, ROWS).markdown().replace("**", "")
    tiny = {**AREAS, "area__nand2": 0.05832, "design__instance__area": 1.7496, "area__core": 0.05832}
    text = sheet(TWO, ROWS, metrics=tiny).markdown().replace("**", "")
    assert "| 1.750 |" in text
    assert "| 0.058 |" in text


def test_timing_and_power_have_a_section_that_says_what_is_estimated() -> None:
    measured = {**AREAS, "timing__delay": 1.2345, "energy__inference": 0.5, "timing__estimated": 1.0}
    text = sheet(TWO, ROWS, metrics=measured).markdown()
    rows = re.findall(
        r"^\| .* \| (\S+) \| (ns|pJ) \|$", text.partition("## Timing and power")[2], re.MULTILINE
    )
    assert rows == [("1.234", "ns"), ("0.5", "pJ")]
    assert "Estimated by fits" in text
    assert "Estimated" not in sheet(TWO, ROWS, metrics={**measured, "timing__estimated": 0.0}).markdown()
    assert "## Timing and power" not in sheet(TWO, ROWS).markdown()


# ---- content -----------------------------------------------------------------------------------------------
def test_inputs_with_their_scaling_and_thresholds() -> None:
    found = sheet(TWO, ROWS)
    height, other = found.inputs
    assert (height.name, height.port, height.width, height.bits) == ("height", "x0_height", 4, (3, 2, 1, 0))
    assert (height.lo, height.step, height.top) == (-1.0, 0.5, 15)
    assert [(each.constant, each.value) for each in height.thresholds] == [(3, 0.25)]
    assert [(each.constant, each.value) for each in other.thresholds] == [(5, 45.0)]
    assert found.unused == ("unread",)
    assert not found.merged


def test_a_bit_below_all_constants_is_not_in_use() -> None:
    (given,) = sheet(graph((0, 12)), ROWS).inputs
    assert given.bits == (3, 2)
    assert "| `x0_height` | input | 4 | 3:2 | code of height |" in sheet(graph((0, 12)), ROWS).markdown()


def test_a_sheet_of_a_merged_core_lists_the_thresholds_of_the_model() -> None:
    builder = GraphBuilder(INTERFACE)
    high, low = (builder.add(CodeBit(0, bit)) for bit in (3, 2))
    core = builder.finish([builder.add(Lut((high, low), 0b1000)), builder.add(Constant(value=False))])
    found = sheet(graph((0, 12)), ROWS, core=core)
    assert found.merged
    assert [each.constant for each in found.inputs[0].thresholds] == [12]
    assert "minimized as one" in found.markdown()


def test_thresholds_that_all_codes_reach_or_none_are_not_listed() -> None:
    text = sheet(graph((0, 0), (0, 16)), ROWS).markdown()
    assert "The circuit compares no code with a constant." in text


def test_a_constant_circuit_has_no_inputs() -> None:
    found = sheet(graph(), ROWS)
    assert found.inputs == ()
    assert found.unused == NAMES
    assert "The circuit reads no feature: its answer is constant." in found.markdown()
    assert "<svg" in found.html()


def test_accuracy_covers_each_part_and_details_cover_test_rows() -> None:
    found = sheet(TWO, ROWS).accuracy
    assert found is not None
    predictions = TWO.predict(ROWS.codes)
    for part in found.parts:
        rows = ROWS.split.rows(part.part)
        assert (part.rows, part.hits) == (5, int((predictions[rows] == ROWS.table.labels[rows]).sum()))
        assert part.low <= part.hits / part.rows <= part.high
    assert found.detailed == "test"
    assert found.matrix.sum() == 5


def test_an_answer_of_no_class_is_shown() -> None:
    text = sheet(TWO, ROWS).markdown()
    assert TWO.predict(ROWS.codes).max() == 3
    assert re.search(
        r"Index 3 stands for no class; the circuit returned such an index for \d test rows?\.", text
    )
    assert "| no class |" in text
    assert "the circuit never returned such an index" in sheet(graph((0, 3)), ROWS).markdown()


def test_without_rows_there_is_neither_accuracy_nor_an_example() -> None:
    found = sheet(TWO, split_rows([], 3))
    assert (found.accuracy, found.example) == (None, None)
    text = found.markdown()
    assert "## Accuracy" not in text
    assert "Example" not in text
    assert "SHA-256" not in text
    assert "Index 3 stands for no class." in text


@pytest.mark.parametrize(
    ("registers", "says"),
    [("none", "0 cycles"), ("inputs", "1 cycle."), ("outputs", "1 cycle."), ("both", "2 cycles")],
)
def test_latency(registers: Registers, says: str) -> None:
    found = sheet(TWO, ROWS, registers=registers)
    assert f"Latency: {says}" in found.markdown()
    assert ("`clk`" in found.markdown()) == (registers != "none")
    assert ("&gt; clk" in found.html()) == (registers != "none")


@pytest.mark.parametrize(
    ("registers", "says"),
    [
        (
            "none",
            "1 cycle. A rising edge of `clk` registers the thermometer bits of the codes, and",
        ),
        (
            "inputs",
            "2 cycles. A rising edge of `clk` registers the codes, the next registers the thermometer bits",
        ),
        (
            "outputs",
            "2 cycles. A rising edge of `clk` registers the thermometer bits of the codes, the next updates",
        ),
        (
            "both",
            "3 cycles. A rising edge of `clk` registers the codes, the next registers the thermometer bits",
        ),
    ],
)
def test_a_pipeline_register_adds_a_cycle(registers: Registers, says: str) -> None:
    text = sheet(TWO, ROWS, registers=registers, pipeline=True).markdown()
    assert f"Latency: {says}" in text
    assert f"{says[0]} clock cycle" in text
    assert "&gt; clk" in sheet(TWO, ROWS, registers=registers, pipeline=True).html()


def test_ties() -> None:
    popcount, onehot, binary = (
        Head("popcount", "onehot", 3),
        Head("direct", "onehot", 3),
        Head("direct", "binary", 3),
    )
    assert "Ties go to the class with the lowest index" in sheet(TWO, ROWS, head=popcount).markdown()
    assert (
        "If several are 1, the class with the lowest index wins" in sheet(TWO, ROWS, head=onehot).markdown()
    )
    assert "There are no ties" in sheet(TWO, ROWS, head=binary).markdown()


def test_a_target_without_verilog_and_areas() -> None:
    metrics = {"encoder__threshold__count": 2.0, "unknown": 1.0}
    text = sheet(TWO, ROWS, files=("classify.py",), metrics=metrics).markdown()
    assert "`classify.py`" in text
    assert "chip_top" not in text
    assert "## Size" in text
    assert "unknown" not in text


def test_verification_names_each_check_and_its_kind() -> None:
    checks = Check("model == graph", "rows", 15, 0.1), Check("graph == netlist", "proof", 0, 0.2)
    text = sheet(TWO, ROWS, checks=checks).markdown()
    assert "| model == graph | comparison | 15 rows of data | - | equal |" in text
    assert "| graph == netlist | formal proof | every input | - | equal |" in text
    assert "No event-driven simulation was run." in text
    simulated = sheet(TWO, ROWS, checks=(*checks, Check("passes", "simulation", 7, 0.1))).markdown()
    assert "| passes | event-driven simulation | 7 rows | - | equal |" in simulated
    assert "No event-driven" not in simulated
    entry = Check("a == b", "proof", 0, 0.0, "a -> b", "tool 1", "in June", "not finished in 9 s")
    unfinished = sheet(TWO, ROWS, checks=(entry, replace(entry, verdict=EQUAL))).markdown()
    assert "| a to b | a == b | formal proof | - | tool 1 | not finished in 9 s |" in unfinished
    assert "| a to b | a == b | formal proof | every input, in June | tool 1 | equal |" in unfinished
    assert "verified" in text
    assert "verified" not in sheet(TWO, ROWS).markdown()


# ---- formats -----------------------------------------------------------------------------------------------
def test_names_are_escaped_in_both_formats() -> None:
    found = sheet(TWO, ROWS, kind="shrunk", other="../datasheet", folder="chip/shrunk")
    page = Texts(found.html())
    for name in (*NAMES[:2], *CLASSES):
        assert name in page.found
    assert not {"b", "i", "script"} & set(page.tags)
    text = found.markdown()
    assert r"| a &lt;b&gt; \| \`c\` |" in text
    assert "chip, shrunk circuit: data sheet" in page.found
    assert "[chip/shrunk/netlist.v](netlist.v)" in text


def test_both_formats_have_the_same_sections_and_rows() -> None:
    found = sheet(TWO, ROWS)
    text, page = found.markdown(), Texts(found.html())
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert [tag for tag in page.tags if tag == "h2"] == ["h2"] * len(headings)
    assert set(headings) <= set(page.found)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    tables = sum(line.startswith(("|:", "|-")) for line in rows)
    # In HTML, facts are not a table, and the rule below a header is not a row.
    assert page.tags.count("tr") == len(rows) - tables - 2
    assert found._repr_markdown_() == text
    assert not re.search(r"\n\n\n|[^|\n]\n\||\|\n[^|\n]", text)  # blank lines around tables, one at a time


def test_equal_sheets_have_equal_texts() -> None:
    assert sheet(TWO, ROWS).html() == sheet(TWO, ROWS).html()
    other = sheet(TWO, ROWS)
    assert replace(other, name="other").markdown() != other.markdown()


# ---- rounding ----------------------------------------------------------------------------------------------
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e3), st.floats(1e-6, 1e3))
def test_rounded_values_lie_in_their_interval(value: float, below: float, above: float) -> None:
    low, high = value - below, value + above
    assume(low < high)
    found = rounded(value, low, high)
    assert low < found <= high


@given(st.floats(-1e6, 1e6))
def test_between_neighbouring_floats_the_upper_is_returned(low: float) -> None:
    high = float(np.nextafter(low, np.inf))
    assert rounded(low, low, high) == high


@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=30, unique=True),
    st.integers(1, 8),
    st.integers(1, 255),
)
def test_rounded_thresholds_agree_with_codes_on_every_row(
    values: list[float], bits: int, constant: int
) -> None:
    assume(constant < 1 << bits)
    column = np.array(values)[:, None]
    quantizer = Quantizer.fit(column, bits)
    assume(constant < 1 << int(quantizer.bits[0]))
    table = Table("made:up", column, np.zeros(len(values), np.int64), ("x",), ("a", "b"))
    none, every = np.empty(0, np.int64), np.arange(len(values))
    interface = Interface(("x",), (int(quantizer.bits[0]),), ("a", "b"))
    builder = GraphBuilder(interface)
    model = builder.finish([builder.add(Threshold(0, constant))])
    dataset = Dataset(table, Split(every, none, none), quantizer)
    encoder = encoder_graph([node for _, node in model.inputs], interface)
    found = data_sheet(
        Chosen("a model"),
        model,
        Circuit(encoder, model),
        Implementation("chip", {}, {}, ""),
        Proof(()),
        TECHNOLOGY,
        dataset,
        model.predict(dataset.codes),
        Provenance("made:up", len(values), "", {}),
    )
    (compared,) = found.inputs[0].thresholds
    assert ((column[:, 0] >= compared.value) == (dataset.codes[:, 0] >= constant)).all()
    exact = found.inputs[0].lo + (constant - 0.5) * found.inputs[0].step
    assert abs(compared.value - exact) <= 0.0101 * found.inputs[0].step
