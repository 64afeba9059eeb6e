from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_liberty import LIBRARY

from dwn_asic.errors import DataError
from dwn_asic.targets.asic.liberty import read_liberty
from dwn_asic.targets.asic.signoff.activity import simulate
from dwn_asic.targets.asic.signoff.liberty import read_timing
from dwn_asic.targets.asic.signoff.power import Power, estimate
from dwn_asic.targets.asic.signoff.timing import analyze
from dwn_asic.targets.asic.signoff.uniform import estimate_uniform
from dwn_asic.verilog.flat_netlist import FlatNetlist, flat_netlist
from dwn_asic.verilog.reader import parse_verilog

INVERTER = "module t (x0_a, y);\n input x0_a;\n output y;\n INV u (.A(x0_a), .Y(y));\nendmodule\n"
NAND = """
module t (x0_a, x1_b, y);
  input x0_a, x1_b;
  output y;
  NAND2 u (.A(x0_a), .B(x1_b), .Y(y));
endmodule
"""
REGISTER = """
module t (clk, x0_a, y);
  input clk, x0_a;
  output y;
  DFF r (.C(clk), .D(x0_a), .Q(y));
endmodule
"""


def netlist(text: str, folder: Path) -> FlatNetlist:
    (folder / "toy.lib").write_text(LIBRARY)
    return flat_netlist(parse_verilog(text, "t.v"), "t", read_liberty([folder / "toy.lib"]).library)


def power(text: str, folder: Path, rows: list[list[int]]) -> Power:
    flat = netlist(text, folder)
    library = read_timing([folder / "toy.lib"])
    return estimate(analyze(flat, library), simulate(flat, np.array(rows, np.int64)))


def test_every_row_has_the_values_of_the_cells(tmp_path: Path) -> None:
    flat = netlist(NAND, tmp_path)
    codes = np.array([[a, b] for a in (0, 1) for b in (0, 1)] * 20, np.int64)
    found = simulate(flat, codes)
    wanted = 1 - codes[:, 0] * codes[:, 1]
    assert [found.values[flat.outputs["y", 0]] >> row & 1 for row in range(len(codes))] == wanted.tolist()
    with pytest.raises(DataError, match="at least two rows"):
        simulate(flat, codes[:1])
    with pytest.raises(DataError, match="port x1_b of t is not one of 1 features"):
        simulate(flat, codes[:, :1])


def test_energies_of_an_inverter_by_hand(tmp_path: Path) -> None:
    # Input 0 1 0 0 1: up, down, none, up. The output goes down, up, none, down.
    found = power(INVERTER, tmp_path, [[0], [1], [0], [0], [1]])
    internal = 2 * (1 + 7) + (
        3 + 5
    )  # fJ: input and output of each transition; the ground's energy does not count
    assert found.internal.sum() == pytest.approx(internal * 1e-3 / 4)
    assert found.switching.sum() == 0.0  # the output has no load
    # Input 1 in two of five rows: 4 pW, else 8 pW.
    assert found.leakage_power == pytest.approx((2 * 4 + 3 * 8) / 5 * 1e-3)
    assert found.energy(1000.0) == pytest.approx(found.dynamic + found.leakage_power * 1e-3)
    assert found.power(10.0) == pytest.approx(10.0 * found.dynamic + found.leakage_power * 1e-3)


def test_a_transition_is_shared_among_the_inputs_that_changed(tmp_path: Path) -> None:
    # From 00 to 11 both inputs change, and the output falls: half of A's 4 fJ, half of B's 40 fJ, as A is 1.
    found = power(NAND, tmp_path, [[0, 0], [1, 1]])
    assert found.internal.sum() == pytest.approx((4 + 40) / 2 * 1e-3)
    # B alone rises while A is 1, then falls: 40 and 20 fJ.
    found = power(NAND, tmp_path, [[1, 0], [1, 1], [1, 0]])
    assert found.internal.sum() == pytest.approx((40 + 20) / 2 * 1e-3)
    # Both fall: A is 0 after it, where B's energy has no condition of its own.
    found = power(NAND, tmp_path, [[1, 1], [0, 0]])
    assert found.internal.sum() == pytest.approx((2 + 7) / 2 * 1e-3)


def test_leakage_of_uncovered_states_is_that_of_the_cell(tmp_path: Path) -> None:
    found = power(NAND, tmp_path, [[0, 0], [1, 1], [1, 0], [1, 1]])
    assert found.leakage_power == pytest.approx((2 * 10 + 2 * 6) / 4 * 1e-3)


def test_a_register_takes_energy_for_every_clock(tmp_path: Path) -> None:
    # Data 1 1 0: the clock captures 1, then 0. Its two edges take 8 + 2 fJ before a 1, 1 + 1 fJ before a 0.
    found = power(REGISTER, tmp_path, [[1], [1], [0]])
    assert found.clock.sum() == pytest.approx(((8 + 2) + (1 + 1)) / 2 * 1e-3)
    # The output falls once: 60 fJ.
    assert found.internal.sum() == pytest.approx(found.clock.sum() + 60 / 2 * 1e-3)
    idle = power(REGISTER, tmp_path, [[1], [1], [1]])
    assert idle.internal.sum() == idle.clock.sum() == pytest.approx(10e-3)


def test_loads_take_half_of_c_v_squared(tmp_path: Path) -> None:
    text = INVERTER.replace(
        "INV u (.A(x0_a), .Y(y));", "wire n; INV u (.A(x0_a), .Y(n)); INV v (.A(n), .Y(y));"
    )
    found = power(text, tmp_path, [[0], [1], [0]])
    # Two volts: 2 fJ per fF and transition; one transition down (1 fF), one up (3 fF).
    assert found.switching.tolist() == pytest.approx([2 * (1 + 3) * 1e-3 / 2, 0.0])


def test_uniform_activity_by_hand(tmp_path: Path) -> None:
    flat = netlist(INVERTER, tmp_path)
    found = estimate_uniform(analyze(flat, read_timing([tmp_path / "toy.lib"])), 0.5)
    # Half a transition per inference. The input counts in half of the states, the output always.
    assert found.internal.sum() == pytest.approx(0.5 * (0.5 * (1 + 3) / 2 + (5 + 7) / 2) * 1e-3)
    assert found.leakage_power == pytest.approx(6e-3)
