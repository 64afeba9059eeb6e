"""Glitches: by hand, against Icarus Verilog net by net, and their energy."""

from __future__ import annotations

from pathlib import Path

import icarus
import numpy as np
import pytest
from toy_liberty import LIBRARY

import dwn_asic
from dwn_asic.errors import ConfigError
from dwn_asic.targets.asic.liberty import read_liberty
from dwn_asic.targets.asic.pdk import Pdk, load_pdk
from dwn_asic.targets.asic.pdk_timing import load_timing
from dwn_asic.targets.asic.signoff.activity import Simulation, simulate
from dwn_asic.targets.asic.signoff.glitches import GateDelays, count, gate_delays
from dwn_asic.targets.asic.signoff.liberty import read_timing
from dwn_asic.targets.asic.signoff.metrics import sign_off
from dwn_asic.targets.asic.signoff.power import estimate
from dwn_asic.targets.asic.signoff.timing import Timing, analyze
from dwn_asic.verilog.cell import Cell
from dwn_asic.verilog.flat_netlist import FlatNetlist, flat_netlist
from dwn_asic.verilog.reader import parse_verilog

HAZARD = """
module t (x0_a, y);
  input x0_a;
  output y;
  wire n;
  INV u (.A(x0_a), .Y(n));
  NAND2 v (.A(x0_a), .B(n), .Y(y));
endmodule
"""


def toy(text: str, folder: Path) -> FlatNetlist:
    (folder / "toy.lib").write_text(LIBRARY)
    return flat_netlist(parse_verilog(text, "t.v"), "t", read_liberty([folder / "toy.lib"]).library)


def given(netlist: FlatNetlist, output: list[list[int]], pins: list[list[int]]) -> GateDelays:
    nothing = np.zeros((len(netlist.net_names), 2), np.int64)
    return GateDelays(np.array(output), [np.array(each) for each in pins], nothing)


@pytest.mark.parametrize(
    ("rise", "fall", "late", "glitches"),
    [
        (5, 20, 0, 1),  # the inverter takes 30: for so long both inputs are 1
        (5, 30, 0, 1),  # the pulse is just as long as the delay: at that moment the output has changed
        (5, 31, 0, 0),
        (50, 20, 0, 1),
        (5, 20, 9, 1),  # the late input makes the pulse longer
        (5, 35, 9, 1),
    ],
)
def test_a_pulse_passes_if_it_is_as_long_as_the_delay(
    tmp_path: Path, rise: int, fall: int, late: int, glitches: int
) -> None:
    netlist = toy(HAZARD, tmp_path)
    settled = simulate(netlist, np.array([[0], [1], [0], [1]]))
    found = count(netlist, given(netlist, [[25, 30], [rise, fall]], [[0], [0, late]]), settled)
    y = netlist.outputs["y", 0]
    # The input rises twice; only then both inputs of the NAND are 1 for a while.
    assert found.transitions[y].tolist() == [2 * glitches, 2 * glitches]
    assert found.settled[y].tolist() == [0, 0]
    assert found.extra.sum() == 4 * glitches
    assert found.per_inference == ((3 + 4 * glitches) / 3, 1.0)


def test_registers_start_glitches_and_have_none(tmp_path: Path) -> None:
    text = HAZARD.replace("(x0_a, y)", "(clk, x0_a, y)").replace("  wire n;", "  input clk;\n  wire n, q;")
    text = text.replace("INV u", "DFF r (.C(clk), .D(x0_a), .Q(q));\n  INV u").replace(".A(x0_a)", ".A(q)")
    netlist = toy(text, tmp_path)
    timing = analyze(netlist, read_timing([tmp_path / "toy.lib"]))
    settled = simulate(netlist, np.array([[0], [1], [0], [1]]))
    delays = gate_delays(timing)
    names = [each.name for each in netlist.instances]
    register = netlist.instances[names.index("r")].output
    assert delays.arrival[register].tolist() == [100_000, 110_000]  # femtoseconds from the clock to Q
    found = count(netlist, delays, settled)
    assert found.extra[register].tolist() == [0, 0]
    # The inverter falls 20 ps or more after Q rises, and the NAND takes 25 ps to fall.
    slow = delays.output[names.index("u"), 1] >= delays.output[names.index("v"), 1]
    assert found.extra[netlist.outputs["y", 0]].tolist() == [2 * slow, 2 * slow]


def random_netlist(pdk: Pdk, rng: np.random.Generator, gates: int, features: int = 4) -> FlatNetlist:
    """Return gates of random cells over earlier nets, most of them recent ones."""
    cells = [cell for cell in pdk.library.cells if isinstance(cell, Cell) and 1 <= len(cell.inputs) <= 4]
    ports = [f"x{feature}_f" for feature in range(features)]
    lines = [f"module t ({', '.join(ports)}, y);", *(f"  input [1:0] {port};" for port in ports)]
    lines += [f"  output [{gates - 1}:0] y;", f"  wire [{gates - 1}:0] w;", "  assign y = w;"]
    nets = [f"{port}[{bit}]" for port in ports for bit in range(2)]
    for gate in range(gates):
        cell = cells[rng.integers(len(cells))]
        sources = [nets[-1 - int(rng.integers(min(len(nets), 12)))] for _ in cell.inputs]
        pins = [f".{pin}({net})" for pin, net in zip(cell.inputs, sources, strict=True)]
        lines.append(f"  {cell.name} u{gate} ({', '.join(pins)}, .{cell.output}(w[{gate}]));")
        nets.append(f"w[{gate}]")
    text = "\n".join([*lines, "endmodule\n"])
    return flat_netlist(parse_verilog(text, "t.v"), "t", pdk.library)


def random_case(name: str, seed: int, gates: int) -> tuple[FlatNetlist, Timing, Simulation]:
    rng, pdk = np.random.default_rng(seed), load_pdk(name)
    netlist = random_netlist(pdk, rng, gates)
    return netlist, analyze(netlist, load_timing(pdk).library), simulate(netlist, rng.integers(0, 4, (60, 4)))


@pytest.mark.tool("iverilog")
@pytest.mark.parametrize(
    ("name", "seed"), [("sky130hd", 0), ("sky130hd", 1), ("ihp-sg13g2", 2), ("asap7", 3)]
)
def test_every_net_has_as_many_transitions_as_in_icarus(name: str, seed: int, tmp_path: Path) -> None:
    netlist, timing, settled = random_case(name, seed, 80)
    delays = gate_delays(timing)
    found = count(netlist, delays, settled)
    wanted = icarus.transitions(netlist, delays, settled, tmp_path)
    assert (found.transitions == wanted).all()
    assert found.extra.sum() > 0.05 * found.settled.sum()


def test_glitches_come_in_pairs_and_end_in_the_settled_state() -> None:
    netlist, timing, settled = random_case("sky130hd", 5, 150)
    found = count(netlist, gate_delays(timing), settled)
    assert (found.extra >= 0).all()
    assert (found.extra[:, 0] == found.extra[:, 1]).all()
    assert not found.extra[~found.driven].any()
    # With all delays equal, a gate on one level never changes twice: there are glitches from level two on.
    every, without = found.per_inference
    assert every > without
    again = count(netlist, gate_delays(timing), settled)
    assert (again.transitions == found.transitions).all()


def test_delays_are_those_of_static_timing() -> None:
    netlist, timing, _ = random_case("sky130hd", 6, 40)
    delays = gate_delays(timing)
    assert (delays.output > 0).all()
    assert all((each >= 0).all() and each.min() == 0 for each in delays.pins if len(each) == 1)
    steps = [step for step in timing.path() if step.cell]
    index = {each.name: place for place, each in enumerate(netlist.instances)}
    for step in steps:
        place = index[step.name]
        cell = netlist.instances[place].cell
        pin = cell.inputs.index(step.pin.split(" -> ")[0])
        delay = delays.output[place, 0 if step.rising else 1] + delays.pins[place][pin]
        # Rise and fall share the delay of the pin, and static timing takes the slower edge at an XOR.
        assert delay * 1e-6 == pytest.approx(step.delay, rel=0.5)
    total = sum(delays.output[index[step.name], 0 if step.rising else 1] for step in steps)
    assert total * 1e-6 <= timing.delay * 1.05


def test_energy_of_a_glitch_by_hand(tmp_path: Path) -> None:
    netlist = toy(HAZARD, tmp_path)
    timing = analyze(netlist, read_timing([tmp_path / "toy.lib"]))
    settled = simulate(netlist, np.array([[0], [1]]))
    y, n = netlist.outputs["y", 0], netlist.instances[0].output
    extra = np.zeros((len(netlist.net_names), 2), np.int64)
    without = estimate(timing, settled)
    assert estimate(timing, settled, extra).dynamic == pytest.approx(without.dynamic)
    extra[y] = 1, 1
    found = estimate(timing, settled, extra)
    # A rises and falls with 2 and 4 fJ, B, while A is 1, with 20 and 40 fJ: means of 11 and 22 fJ.
    more = found.internal - without.internal
    assert more.tolist() == pytest.approx([0.0, (2 + 20 + 4 + 40) / 2 * 1e-3])
    assert found.switching.tolist() == pytest.approx(without.switching.tolist())  # the output has no load
    extra[n] = 2, 2
    again = estimate(timing, settled, extra)
    # Two volts: each pair of transitions of the inverter's output takes C V**2, 4 fJ per fF.
    pair = 0.5 * 4.0 * float(timing.load[n].sum())
    assert again.switching[0] - without.switching[0] == pytest.approx(2 * pair)
    assert again.internal[0] > without.internal[0]
    assert again.leakage.tolist() == without.leakage.tolist()


def test_a_negative_seed_of_the_order_is_an_error() -> None:
    dataset = dwn_asic.read_data("sklearn:iris")
    with pytest.raises(ConfigError, match=r"shuffle: is -1.*at least 0"):
        dwn_asic.sign_off(None, None, dataset, shuffle=-1)  # type: ignore[arg-type]


def test_signoff_counts_glitches_only_if_asked() -> None:
    pdk, rng = load_pdk("sky130hd"), np.random.default_rng(7)
    netlist, source, codes = random_netlist(pdk, rng, 60), load_timing(pdk), rng.integers(0, 4, (50, 4))
    plain = sign_off(netlist, source, pdk.config, codes)
    assert "energy__glitches" not in plain.metrics
    assert not any("glitches" in line for line in plain.lines())
    found = sign_off(netlist, source, pdk.config, codes, glitches=True)
    assert found.metrics.items() >= plain.metrics.items()
    assert found.glitch_power is not None
    more = found.glitch_power.dynamic - plain.power.dynamic
    assert found.metrics["energy__glitches"] == pytest.approx(more)
    assert more > 0.0
    lines = [line for line in found.lines() if "with glitches" in line]
    assert [line.split()[0] for line in lines] == ["transitions", "energy"]
