"""Synthesis: areas of the netlist, its encoder and its core, and every way in which Yosys can fail."""

from __future__ import annotations

import re
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dwn_asic.boolean.comparators import encoder_graph, specification
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.equivalence.check import check_equal
from dwn_asic.errors import PdkError, ToolError
from dwn_asic.optimize.exact.minimize import minimize
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.cost import CellCost
from dwn_asic.targets.asic.mapping import MAPPING_RECIPES
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.yosys import Synthesis, plain_area, synthesize
from dwn_asic.tools import find_yosys
from dwn_asic.verilog.elaborate import elaborate_top
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.writer import Registers, design_verilog, latency

LIBERTY = Path("sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib")
FLIP_FLOP = "sky130_fd_sc_hd__dfxtp_1"


def network() -> LutNetwork:
    """Build a network of two layers of 4-input LUTs over eight thermometer bits, with two classes."""
    rng = np.random.default_rng(7)
    return LutNetwork(
        Quantizer(np.zeros(2), np.ones(2), np.array([5, 4])),
        Thermometer(np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([3, 9, 16, 25, 2, 5, 8, 13])),
        (
            LutLayer(rng.integers(0, 8, (4, 4)), rng.random((4, 16)) < 0.5),
            LutLayer(np.arange(4)[None], rng.random((1, 16)) < 0.5),
        ),
        Head("direct", "binary", 2),
        ("height", "age"),
        ("small", "tall"),
    )


def written(core: BooleanGraph, registers: Registers = "none") -> str:
    """Write the design of a core behind plain comparators."""
    thresholds = [node for _, node in core.inputs if isinstance(node, Threshold)]
    return design_verilog("demo", encoder_graph(thresholds, core.interface), core, registers)


def instances(netlist: str) -> dict[str, Counter[str]]:
    """Count the cells of each module by the text alone: module -> cell -> count."""
    found: dict[str, Counter[str]] = {}
    for module in re.finditer(r"^module (\w+)\(.*?^endmodule", netlist, re.MULTILINE | re.DOTALL):
        names = re.findall(r"^  (\w+) \w+ \($", module[0], re.MULTILINE)
        found[module[1]] = Counter(name for name in names if not name.startswith("demo_"))
    return found


@pytest.fixture(scope="module")
def mapped(library: CellLibrary) -> Synthesis:
    return synthesize(written(to_graph(network()), "both"), "demo", library)


def test_areas_are_the_sum_over_the_netlist(mapped: Synthesis, library: CellLibrary) -> None:
    found = instances(mapped.netlist)
    assert set(found) == set(mapped.modules) == {"demo_top", "demo_core", "demo_encoder"}
    for name, module in mapped.modules.items():
        assert module.cells == found[name]
        assert module.cell_count == found[name].total()
        assert module.area == pytest.approx(
            sum(n * library.cell(cell).area for cell, n in found[name].items()), abs=1e-9
        )
        assert module.recipe in MAPPING_RECIPES


def test_encoder_core_and_registers_are_apart(mapped: Synthesis) -> None:
    used = len({node.feature for _, node in to_graph(network()).inputs if isinstance(node, Threshold)})
    assert used == 2
    assert mapped.modules["demo_top"].cells == {FLIP_FLOP: 5 + 4 + 1}
    for name in ("demo_core", "demo_encoder"):
        assert mapped.modules[name].area > 0
        assert FLIP_FLOP not in mapped.modules[name].cells


@pytest.mark.parametrize(("registers", "count"), [("none", 0), ("inputs", 9), ("outputs", 1), ("both", 10)])
def test_registers_are_flip_flops(registers: Registers, count: int, library: CellLibrary) -> None:
    graph = to_graph(network())
    found = synthesize(written(graph, registers), "demo", library)
    assert found.modules["demo_top"].cells.get(FLIP_FLOP, 0) == count
    design = parse_verilog(found.netlist, "netlist.v")
    read = elaborate_top(design, "demo_top", graph.interface, library, latency(registers))
    assert read.latencies == {latency(registers)}
    check_equal("graph == netlist", specification(graph), read.graph)


def test_same_design_same_netlist(mapped: Synthesis, library: CellLibrary) -> None:
    again = synthesize(written(to_graph(network()), "both"), "demo", library)
    assert replace(again, log="") == replace(mapped, log="")
    assert tempfile.gettempdir() not in mapped.netlist


def test_each_module_keeps_its_smallest_recipe(mapped: Synthesis, library: CellLibrary) -> None:
    """Every module is at most as large as with any single recipe."""
    design = written(to_graph(network()), "both")
    for recipe in ("map", "dch_amap"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dwn_asic.targets.asic.yosys.MAPPING_RECIPES", {recipe: MAPPING_RECIPES[recipe]})
            alone = synthesize(design, "demo", library)
        for name, module in alone.modules.items():
            assert mapped.modules[name].area <= module.area
            assert module.recipe == recipe


def test_minimizing_first_gives_less_than_plain_yosys(cost: CellCost) -> None:
    """The core alone is compared: the reference to beat is what Yosys makes of the LUTs as learned."""
    graph = to_graph(network())
    smaller = minimize(graph, cost, effort="low")
    plain = plain_area(written(graph), "demo_core", cost.library)
    ours = synthesize(written(smaller.graph), "demo", cost.library)
    assert 0 < ours.modules["demo_core"].area <= plain
    # ABC, run on the same circuit with the same recipes, found about the same area.
    assert ours.modules["demo_core"].area == pytest.approx(smaller.area, rel=0.15)


def test_plain_area_counts_registers(library: CellLibrary) -> None:
    graph = to_graph(network())
    without = plain_area(written(graph, "none"), "demo_top", library)
    with_output = plain_area(written(graph, "outputs"), "demo_top", library)
    assert with_output == pytest.approx(without + library.cell(FLIP_FLOP).area, abs=1e-9)


def test_constant_core(library: CellLibrary) -> None:
    builder = GraphBuilder(Interface(("a",), (4,), ("no", "yes")))
    bit = builder.add(Threshold(0, 3))
    found = synthesize(written(builder.finish([builder.add(Lut((bit,), 0b11))])), "demo", library)
    assert found.modules["demo_core"].area == 0
    assert "1'h1" in found.netlist


def test_registers_without_a_flip_flop(library: CellLibrary) -> None:
    gates = CellLibrary("gates", "typical", library.cells, (), library.nand2, library.nand2_area)
    design = written(to_graph(network()), "both")
    with pytest.raises(PdkError, match=r"gates \(typical\): no plain D flip-flop .* `tie_reset: true`"):
        synthesize(design, "demo", gates)
    with pytest.raises(PdkError, match=r"no plain D flip-flop .* `hardware.registers: none`"):
        plain_area(design, "demo_top", gates)


def test_real_and_embedded_library_agree(
    shared_pdk: Path, library: CellLibrary, mapped: Synthesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    real = load_pdk("sky130hd").library
    found = synthesize(written(to_graph(network()), "both"), "demo", real)
    assert found.netlist == mapped.netlist
    assert {name: m.area for name, m in found.modules.items()} == {
        name: m.area for name, m in mapped.modules.items()
    }


def test_yosys_finds_the_same_areas_in_the_whole_liberty_file(
    shared_pdk: Path, mapped: Synthesis, tmp_path: Path
) -> None:
    (tmp_path / "netlist.v").write_text(mapped.netlist)
    output = find_yosys().run_script(
        f"read_liberty -lib {shared_pdk / LIBERTY}\nread_verilog netlist.v\nhierarchy -check -top demo_top\n"
        f"stat -liberty {shared_pdk / LIBERTY}",
        timeout_s=120,
        cwd=tmp_path,
    )
    areas = dict(re.findall(r"Chip area for module '\\(\w+)': ([\d.]+)", output))
    assert set(areas) == set(mapped.modules)
    for name, module in mapped.modules.items():
        assert float(areas[name]) == pytest.approx(module.area, abs=1e-6)


def mock(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """Replace Yosys by a shell script."""
    program = folder / "yosys"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("DWN_ASIC_YOSYS", str(program))


@pytest.mark.parametrize(
    ("body", "problem", "output"),
    [
        (
            "echo 'ERROR: no licence'; exit 1",
            "yosys: exit code 1; last output: ERROR: no licence",
            "ERROR: no licence\n",
        ),
        (
            "echo 'ERROR: no licence'; echo 'End of script.'",
            "yosys: exit code 0, but it reports an error",
            "ERROR: no licence\nEnd of script.\n",
        ),
        (
            "cat > /dev/null; echo 'warming up'",
            "yosys: exit code 0, but its output lacks 'End of script.'",
            "warming up\n",
        ),
        (
            "cat > /dev/null; echo 'End of script.'",
            "yosys: its statistics cannot be read: FileNotFoundError",
            "End of script.\n",
        ),
        (
            "cat > /dev/null; echo '{}' | tee stat.json > stat_map.json; echo 'End of script.'",
            "yosys: its statistics cannot be read: KeyError",
            "End of script.\n",
        ),
        ("kill -SEGV $$", "yosys: crashed: SIGSEGV", ""),
    ],
)
@pytest.mark.parametrize("run", [synthesize, plain_area])
def test_yosys_fails(
    run: object,
    body: str,
    problem: str,
    output: str,
    library: CellLibrary,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    mock(monkeypatch, tmp_path, body)
    with pytest.raises(ToolError, match=problem) as caught:
        run(written(to_graph(network())), "demo", library)  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    assert caught.value.output == output


@pytest.mark.parametrize("run", [synthesize, plain_area])
def test_yosys_hangs(
    run: object, library: CellLibrary, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mock(monkeypatch, tmp_path, "exec sleep 60")
    start = time.monotonic()
    with pytest.raises(ToolError, match=r"yosys: timed out after 0\.3 s"):
        run(written(to_graph(network())), "demo", library, timeout_s=0.3)  # type: ignore[operator]
    assert time.monotonic() - start < 10


def test_yosys_is_missing(library: CellLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWN_ASIC_YOSYS", "/nowhere/yosys")
    with pytest.raises(ToolError, match="DWN_ASIC_YOSYS is '/nowhere/yosys'"):
        synthesize(written(to_graph(network())), "demo", library)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("module demo_top (input a, output y); assign y = a +; endmodule", "syntax error"),
        ("", "demo_top"),
        ("module other (input a, output y); assign y = a; endmodule", "demo_top"),
        ("module demo_top (input a, output y); sub s (.a(a), .y(y)); endmodule", "sub"),
        ("module demo_top (input a, output y); wire n; assign y = a & n; endmodule", "check"),
    ],
)
def test_bad_designs(text: str, problem: str, library: CellLibrary) -> None:
    with pytest.raises(ToolError, match=f"yosys: .*{problem}") as caught:
        synthesize(text, "demo", library)
    assert "\n" not in str(caught.value)
