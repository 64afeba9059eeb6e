"""Cost of circuits in cells: the area that Yosys counts in the same netlist, and registers on top."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.expression import truth_table
from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.targets.asic.cost import _SUBSTITUTES, PRICES, CellCost
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.tools import find_abc, find_yosys
from dwn_asic.verilog.writer import Registers, design_verilog

INTERFACE = Interface(("height", "age", "unread"), (5, 4, 7), ("small", "tall"))


def graph() -> BooleanGraph:
    """Build random 4-input LUTs over thresholds of two of the three features."""
    rng = np.random.default_rng(3)
    builder = GraphBuilder(INTERFACE)
    nodes = [builder.add(Threshold(f, c)) for f, c in ((0, 3), (0, 9), (0, 17), (1, 2), (1, 7), (1, 13))]
    for _ in range(6):
        fanins = tuple(int(i) for i in rng.choice(nodes[-7:], 4, replace=False))
        nodes.append(builder.add(Lut(fanins, int(rng.integers(1 << 16)))))
    return builder.finish(nodes[-2:])


def mapped(cost: CellCost, logic: str, recipe: str, folder: Path) -> str:
    """Map a network with ABC by a recipe and return its BLIF."""
    mapper = cost.mapper
    for name, text in mapper.files.items():
        (folder / name).write_text(text)
    (folder / "logic.blif").write_text(logic)
    commands = (
        f"{mapper.load}; read_blif logic.blif; strash; {mapper.recipes[recipe]}; write_blif mapped.blif"
    )
    find_abc().run_script(commands, timeout_s=60, cwd=folder)
    return (folder / "mapped.blif").read_text()


def blif(core: BooleanGraph) -> str:
    """Write a core as BLIF, table by table."""
    inputs, lines = " ".join(f"n{i}" for i, _ in core.inputs), []
    for index, node in core.luts:
        rows = [address for address in range(1 << len(node.fanins)) if node.table >> address & 1]
        lines.append(" ".join([".names", *(f"n{fanin}" for fanin in node.fanins), f"n{index}"]))
        lines += ["".join(str(address >> k & 1) for k in range(len(node.fanins))) + " 1" for address in rows]
    lines += [f".names n{driver} y{i}\n1 1" for i, driver in enumerate(core.outputs)]
    outputs = " ".join(f"y{i}" for i in range(len(core.outputs)))
    return "\n".join([".model top", f".inputs {inputs}", f".outputs {outputs}", *lines, ".end", ""])


@pytest.mark.parametrize("recipe", ["map", "dch_amap"])
def test_cost_of_a_mapped_circuit_is_the_area_that_yosys_counts(
    recipe: str, cost: CellCost, tmp_path: Path
) -> None:
    text = mapped(cost, blif(graph()), recipe, tmp_path)
    script = """
        read_liberty -lib cells.lib
        read_blif mapped.blif
        hierarchy -check -top top
        tee -q -o stat.json stat -json -liberty cells.lib
    """
    find_yosys().run_script(script, timeout_s=60, cwd=tmp_path)
    area = json.loads((tmp_path / "stat.json").read_text())["design"]["area"]
    assert area > 0
    assert cost.mapper.cost(text) == pytest.approx(area, abs=1e-6)


def test_wires_and_constants_are_at_zero_cost(cost: CellCost, tmp_path: Path) -> None:
    logic = (
        ".model top\n.inputs a b\n.outputs wire again one zero nand\n.names a wire\n1 1\n"
        ".names a again\n1 1\n.names one\n1\n.names zero\n.names a b nand\n11 0\n.end\n"
    )
    text = mapped(cost, logic, "map", tmp_path)
    assert text.count(".gate") > 1
    assert cost.mapper.cost(text) == cost.library.nand2_area == cost.unit


def test_every_recipe_that_ranks_is_one_of_all(cost: CellCost) -> None:
    assert set(cost.mapper.ranking) < set(cost.mapper.recipes)


@pytest.mark.parametrize(("registers", "bits"), [("none", 0), ("inputs", 9), ("outputs", 2), ("both", 11)])
def test_registers_hold_the_features_that_are_read_and_the_outputs(
    registers: Registers, bits: int, cost: CellCost
) -> None:
    library = cost.library
    overhead = CellCost(library, registers).overhead(graph())
    with_pipeline = CellCost(library, registers, pipeline=True).overhead(graph())
    thermometer = len(graph().inputs) * library.register_area / library.nand2_area
    assert with_pipeline == pytest.approx(overhead + thermometer)
    assert overhead == pytest.approx(bits * library.flip_flop.area / library.nand2_area)


def test_overhead_is_what_yosys_puts_around_encoder_and_core(cost: CellCost) -> None:
    core = graph()
    encoder = encoder_graph([node for _, node in core.inputs], INTERFACE)
    netlist = synthesize(design_verilog("demo", encoder, core, "both"), "demo", cost.library)
    overhead = CellCost(cost.library, "both").overhead(core)
    assert netlist.modules["demo_top"].area / cost.unit == pytest.approx(overhead)


@pytest.mark.parametrize("registers", ["none", "inputs", "outputs", "both"])
def test_annealing_counts_the_registers_that_the_overhead_counts(
    registers: Registers, cost: CellCost
) -> None:
    register = cost.library.register_area / cost.unit
    prices = CellCost(cost.library, registers, pipeline=True).prices
    assert prices.code_bit == pytest.approx(register if registers in {"inputs", "both"} else 0.0)
    assert prices.core_input == pytest.approx(register)
    assert prices.core_only == cost.prices.core_only
    assert CellCost(cost.library, "outputs").prices == cost.prices


def test_a_constant_circuit_reads_nothing(cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    constant = builder.finish([builder.add(Constant(value=True))])
    assert CellCost(cost.library, "inputs").overhead(constant) == 0.0
    assert CellCost(cost.library, "both").overhead(constant) > 0.0


def test_sky130_has_the_prices_that_were_measured_in_it(cost: CellCost) -> None:
    assert (PRICES.and_gate, PRICES.xor_gate, PRICES.comparator_bit) == (0.85, 2.2, 0.75)
    assert cost.prices == PRICES
    assert PRICES.core_only.comparator_bit == 0.0
    assert (PRICES.core_only.and_gate, PRICES.core_only.xor_gate) == (PRICES.and_gate, PRICES.xor_gate)


@pytest.mark.parametrize(
    ("name", "prices"),
    [
        # by hand, in NAND2: inverter, NAND2, NOR2, NAND3, NOR3, AOI21, OAI21; then XOR2, XNOR2
        ("ihp-sg13g2", (0.75 + 1 + 1 + 1.25 + 1.25 + 1.25 + 1.25, 2.0 + 2.0)),
        ("gf180mcu", (0.8 + 1 + 1.2 + 1.4 + 1.6 + 1.6 + 1.6, 2.4 + 2.6)),
        ("asap7", (0.75 + 1 + 1 + 1.25 + 1.25 + 1.25 + 1.25, 2.25 + 2.25)),
    ],
)
def test_prices_follow_the_cells_of_a_library(name: str, prices: tuple[float, float]) -> None:
    found = CellCost(load_pdk(name).library).prices
    ands, xors = prices[0] / (25 / 3), prices[1] / (14 / 3)
    assert found.and_gate == pytest.approx(0.85 * ands, abs=0.0051)
    assert found.comparator_bit == pytest.approx(0.75 * ands, abs=0.0051)
    assert found.xor_gate == pytest.approx(2.2 * xors, abs=0.0051)


def test_a_library_with_larger_gates_has_higher_prices(cost: CellCost) -> None:
    library = cost.library
    larger = tuple(
        replace(c, area=2 * c.area) if c.name != library.nand2 and len(c.inputs) > 1 else c
        for c in library.cells
    )
    found = CellCost(replace(library, cells=larger)).prices
    # The inverter and the NAND2 keep their area of 1 each; the other cells make up 19/3 of 25/3.
    assert found.and_gate == pytest.approx(0.85 * (2 + 2 * 19 / 3) / (25 / 3), abs=0.0051)
    assert found.xor_gate == pytest.approx(4.4)


def test_functions_without_a_cell_are_made_of_nand2_and_inverters(cost: CellCost) -> None:
    library = cost.library
    poor = tuple(c for c in library.cells if (len(c.inputs), c.table) in {(1, 0b01), (1, 0b10), (2, 0b0111)})
    assert len(poor) == 3
    # Every NAND2 and every inverter has an area of 1 here.
    ands = 1 + 1 + (1 + 3) + (2 + 1) + (2 + 5) + (2 + 2) + (2 + 2)
    found = CellCost(replace(library, cells=poor)).prices
    assert found.and_gate == pytest.approx(0.85 * ands / (25 / 3), abs=0.0051)
    assert found.xor_gate == pytest.approx(2.2 * (4 + 5) / (14 / 3), abs=0.0051)


def test_substitutes_compute_the_function() -> None:
    """Rebuild each function from NAND2 and inverters, count both, and compare truth tables."""
    a, b, c, ones = 0b10101010, 0b11001100, 0b11110000, 0b11111111
    used = {"nand2": 0, "inverter": 0}

    def nand(x: int, y: int) -> int:
        used["nand2"] += 1
        return ones & ~(x & y)

    def inv(x: int) -> int:
        used["inverter"] += 1
        return ones & ~x

    def xor(x: int, y: int) -> int:
        middle = nand(x, y)
        return nand(nand(x, middle), nand(y, middle))

    built = {
        "!(a + b)": lambda: inv(nand(inv(a), inv(b))),
        "!(a b c)": lambda: nand(inv(nand(a, b)), c),
        "!(a + b + c)": lambda: inv(nand(inv(nand(inv(a), inv(b))), inv(c))),
        "!(a b + c)": lambda: inv(nand(nand(a, b), inv(c))),
        "!((a + b) c)": lambda: nand(nand(inv(a), inv(b)), c),
        "a ^ b": lambda: xor(a, b),
        "!(a ^ b)": lambda: inv(xor(a, b)),
    }
    assert built.keys() == _SUBSTITUTES.keys()
    for function, build in built.items():
        used.update(nand2=0, inverter=0)
        assert build() == truth_table(function, ("a", "b", "c")), function
        assert (used["nand2"], used["inverter"]) == _SUBSTITUTES[function], function


@pytest.mark.parametrize("name", ["ihp-sg13g2", "asap7"])
def test_registers_of_other_flip_flops_cost_what_yosys_maps(name: str) -> None:
    """One has a reset to tie, the other an inverted output."""
    core, library = graph(), load_pdk(name).library
    encoder = encoder_graph([node for _, node in core.inputs], INTERFACE)
    netlist = synthesize(design_verilog("demo", encoder, core, "both"), "demo", library)
    found = netlist.modules["demo_top"].area / library.nand2_area
    assert CellCost(library, "both").overhead(core) == pytest.approx(found)
