from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_liberty import LIBRARY

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.liberty import read_liberty
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.pdk_config import load_config
from dwn_asic.targets.asic.pdk_timing import extract_timing, load_timing
from dwn_asic.targets.asic.signoff.activity import simulate
from dwn_asic.targets.asic.signoff.fit import fit, timing_library
from dwn_asic.targets.asic.signoff.fit_table import fit_text, read_fit
from dwn_asic.targets.asic.signoff.liberty import read_timing
from dwn_asic.targets.asic.signoff.power import estimate
from dwn_asic.targets.asic.signoff.timing import analyze
from dwn_asic.verilog.flat_netlist import flat_netlist
from dwn_asic.verilog.reader import parse_verilog

CONFIGS = Path(__file__).resolve().parents[3] / "pdk_configs"
NAMES = {"library": "toy", "origin": "toy.lib", "copyright": "nobody", "licence": "none"}
TEXT = """
module t (clk, x0_a, y);
  input clk;
  input [1:0] x0_a;
  output y;
  wire q, n, m;
  DFF r1 (.C(clk), .D(x0_a[0]), .Q(q));
  INV u1 (.A(q), .Y(n));
  INV u2 (.A(n), .Y(m));
  DFF r2 (.C(clk), .D(m), .Q(y));
endmodule
"""


def test_a_library_of_lines_is_fitted_exactly(tmp_path: Path) -> None:
    """The toy's tables are linear and, but for the NAND2, independent of states, so a fit changes nothing."""
    path = tmp_path / "toy.lib"
    path.write_text(LIBRARY)
    cells, whole = read_liberty([path]).library, read_timing([path])
    found = fit(whole, cells)
    assert found.worst < 1e-9
    (tmp_path / "toy.timing.csv").write_text(fit_text(found, NAMES))
    again = read_fit(tmp_path / "toy.timing.csv")
    assert fit_text(again, NAMES) == fit_text(found, NAMES)
    netlist = flat_netlist(parse_verilog(TEXT, "t.v"), "t", cells)
    wanted, estimated = analyze(netlist, whole), analyze(netlist, timing_library(again, cells))
    assert estimated.arrival == pytest.approx(wanted.arrival, rel=1e-3)
    assert estimated.transition == pytest.approx(wanted.transition, rel=1e-3)
    assert estimated.delay == pytest.approx(wanted.delay, rel=1e-3)
    rows = simulate(netlist, np.array([[0], [1], [0], [0], [1]], np.int64))
    # The clock of the DFF takes 10 or 2 fJ by state; the fit takes their mean.
    known, fitted = estimate(wanted, rows), estimate(estimated, rows)
    assert fitted.switching == pytest.approx(known.switching, rel=1e-3)
    assert (fitted.internal - fitted.clock) == pytest.approx(known.internal - known.clock, rel=1e-3)
    assert fitted.clock.sum() == pytest.approx(2 * 6e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("sky130hd", False), ("ihp-sg13g2", False), ("ihp-sg13g2", True), ("gf180mcu", False), ("asap7", False)],
)
def test_embedded_fits_are_those_of_the_files(
    name: str, sizes: bool, shared_pdk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    out = tmp_path / "fit.csv"
    config = load_config(CONFIGS / f"{name}.yaml")
    found = extract_timing(load_pdk(name).liberty, config, out, sizes=sizes)
    embedded = read_fit(CONFIGS / f"{name}{'.sizes' * sizes}.timing.csv")
    assert found.error < 0.05
    # Numbers, since a library of linear algebra may differ in the last digits.
    assert len(embedded.arcs) == len(found.arcs)
    for ours, theirs in zip(read_fit(out).arcs, embedded.arcs, strict=True):
        assert (ours.kind, ours.cell, ours.source, ours.target) == (
            theirs.kind, theirs.cell, theirs.source, theirs.target
        )  # fmt: skip
        for mine, other in zip((*ours.delay, *ours.energy), (*theirs.delay, *theirs.energy), strict=True):
            assert (mine is None) == (other is None)
            if mine is not None and other is not None:
                assert mine.at(0.1, 0.01) == pytest.approx(other.at(0.1, 0.01), rel=2e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("# dwn-asic timing table 1", "# something else", "its first line is not"),
        ("# thresholds:", "# levels:", "the comment '# thresholds: ...' is missing"),
        ("# thresholds: 0.2 0.8 0.5 1", "# thresholds: 0.2", "header 'thresholds' is '0.2'"),
        (
            "arc,INV,A,Y,negative",
            "arc,INV,A,Y,inverse",
            r"line \d+ is not a row of a timing table: sense 'inverse'",
        ),
        ("arc,INV,A,Y", "path,INV,A,Y", r"line \d+ .*: kind 'path' is not one of arc, clock, pin, setup"),
    ],
)
def test_wrong_tables_are_errors(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "toy.lib"
    path.write_text(LIBRARY)
    text = fit_text(fit(read_timing([path]), read_liberty([path]).library), NAMES)
    assert old in text
    (tmp_path / "t.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(PdkError, match=rf"t\.csv: .*{problem}"):
        read_fit(tmp_path / "t.csv")
    with pytest.raises(PdkError, match=r"none\.csv: timing table cannot be read"):
        read_fit(tmp_path / "none.csv")


def test_corners_need_the_pdk(shared_pdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = load_timing(load_pdk("sky130hd"))
    assert (embedded.corner, embedded.estimated) == ("tt_025C_1v80", True)
    with pytest.raises(PdkError, match="has only the corner tt_025C_1v80, not 'ss_100C_1v60'"):
        load_timing(load_pdk("sky130hd"), "ss_100C_1v60")
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    slow = load_timing(load_pdk("sky130hd"), "ss_100C_1v60")
    assert (slow.estimated, slow.library.conditions.voltage) == (False, 1.6)
    with pytest.raises(PdkError, match="no corner 'cold' is installed"):
        load_timing(load_pdk("sky130hd"), "cold")
