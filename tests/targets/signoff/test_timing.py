from __future__ import annotations

from pathlib import Path

import pytest
from toy_liberty import LIBRARY

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.liberty import read_liberty
from dwn_asic.targets.asic.signoff.liberty import read_timing
from dwn_asic.targets.asic.signoff.library import TimingLibrary
from dwn_asic.targets.asic.signoff.timing import Environment, Timing, analyze
from dwn_asic.verilog.flat_netlist import flat_netlist
from dwn_asic.verilog.reader import parse_verilog

INVERTERS = """
module t (x0_a, y);
  input [1:0] x0_a;
  output [1:0] y;
  wire n;
  INV u1 (.A(x0_a[0]), .Y(n));
  INV u2 (.A(n), .Y(y[0]));
  NAND2 u3 (.A(n), .B(x0_a[1]), .Y(y[1]));
endmodule
"""
REGISTERED = """
module t (clk, x0_a, y);
  input clk;
  input x0_a;
  output y;
  wire q, n;
  DFF r1 (.C(clk), .D(x0_a), .Q(q));
  INV u1 (.A(q), .Y(n));
  DFF r2 (.C(clk), .D(n), .Q(y));
endmodule
"""


@pytest.fixture
def toy(tmp_path: Path) -> TimingLibrary:
    (tmp_path / "toy.lib").write_text(LIBRARY)
    return read_timing([tmp_path / "toy.lib"])


def timing(text: str, folder: Path, environment: Environment | None = None) -> Timing:
    cells = read_liberty([folder / "toy.lib"]).library
    netlist = flat_netlist(parse_verilog(text, "t.v"), "t", cells)
    return analyze(netlist, read_timing([folder / "toy.lib"]), environment)


def test_arrivals_and_transitions_by_hand(toy: TimingLibrary, tmp_path: Path) -> None:
    found = timing(INVERTERS, tmp_path, Environment(output_load=0.004))
    net = {name: i for i, name in enumerate(found.netlist.net_names)}
    # The net n drives INV.A (3 fF rising, 1 fF falling) and NAND2.A (2 fF).
    assert found.load[net["n"]] == pytest.approx((0.005, 0.003))
    # rise 10 + 2 * 5, fall 20 + 4 * 3 ps, with transitions 40 + 4 * 5 and 20 + 4 * 3.
    assert found.arrival[net["n"]] == pytest.approx((0.020, 0.032))
    assert found.transition[net["n"]] == pytest.approx((0.060, 0.032))
    # y[0] rises after n falls: 32 + 10 + 0.2 * 32 + 2 * 4.
    # It falls after n rises: 20 + 20 + 0.2 * 60 + 4 * 4.
    assert found.arrival[net["y[0]"]] == pytest.approx((0.0564, 0.068))
    # y[1]: the later of both inputs, 32 + 15 rising and 20 + 25 falling; the slower transition.
    assert found.arrival[net["y[1]"]] == pytest.approx((0.047, 0.045))
    assert found.transition[net["y[1]"]] == pytest.approx((0.0, 0.100))
    assert found.delay == pytest.approx(0.068)
    names = [(step.name, step.pin, step.rising) for step in found.path()]
    assert names == [("x0_a[0]", "", False), ("u1", "A -> Y", True), ("u2", "A -> Y", False)]
    assert sum(step.delay for step in found.path()) == pytest.approx(found.delay)


def test_registers_start_and_end_paths(toy: TimingLibrary, tmp_path: Path) -> None:
    found = timing(REGISTERED, tmp_path)
    ends = {end.name: end for end in found.endpoints}
    # From r1 (100 up, 110 down) through the inverter with a load of 5 fF, then the setup for its transition.
    # n falls after q rises: 100 + 20 + 0.2 * 10 + 4 * 5 = 142, transition 40, setup 40 + 0.2 * 40.
    # n rises after q falls: 110 + 10 + 0.2 * 20 + 2 * 5 = 134, transition 60, setup 30 + 0.2 * 60.
    assert ends["r2/D"].arrival == pytest.approx(0.142)
    assert ends["r2/D"].setup == pytest.approx(0.048)
    assert ends["r1/D"].time == pytest.approx(0.040)
    assert ends["y[0]"].time == pytest.approx(0.110)
    assert found.critical == ends["r2/D"]
    assert found.delay == pytest.approx(0.190)
    assert [step.cell for step in found.path()] == ["", "DFF", "INV"]


def test_driving_cell_and_wires(toy: TimingLibrary, tmp_path: Path) -> None:
    ideal = timing(INVERTERS, tmp_path)
    driven = timing(INVERTERS, tmp_path, Environment(driving_cell="INV"))
    first = driven.netlist.inputs["x0_a", 0]
    # Loads of 3 fF rising and 1 fF falling: the delay beyond that without load.
    assert driven.arrival[first] == pytest.approx((0.006, 0.004))
    assert driven.transition[first] == pytest.approx((0.052, 0.024))
    assert driven.delay > ideal.delay
    wired = timing(INVERTERS, tmp_path, Environment(wire_load="metres"))
    net = wired.netlist.net_names.index("n")
    assert wired.load[net] - ideal.load[net] == pytest.approx((0.04, 0.04))


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        (Environment(wire_load="miles"), r"no wire-load model 'miles' \(choose from default, none, metres\)"),
        (Environment(driving_cell="DFF"), "cell DFF cannot drive an input"),
        (Environment(driving_cell="OR9"), "no cell 'OR9' with timing"),
    ],
)
def test_wrong_environments_are_errors(
    toy: TimingLibrary, tmp_path: Path, environment: Environment, problem: str
) -> None:
    with pytest.raises(PdkError, match=problem):
        timing(INVERTERS, tmp_path, environment)


def test_a_constant_circuit_has_no_path(toy: TimingLibrary, tmp_path: Path) -> None:
    found = timing("module t (x0_a, y);\n input x0_a;\n output y;\n assign y = 1'b1;\nendmodule\n", tmp_path)
    assert (found.delay, found.critical, found.path()) == (0.0, None, ())
