"""Mapping for a clock period: the smallest netlist that meets it, proved, and by how much it is missed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dwn_asic.errors import ConfigError
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.targets.asic.delay import DelayMapper, DelayPoint, pareto
from dwn_asic.targets.asic.pdk import Pdk, load_pdk, with_sizes
from dwn_asic.targets.asic.pdk_timing import load_timing
from dwn_asic.targets.asic.signoff.incremental import IncrementalTiming
from dwn_asic.targets.asic.signoff.metrics import surroundings
from dwn_asic.targets.asic.signoff.sizing import area_of, faster, with_buffer
from dwn_asic.targets.asic.signoff.timing import Environment, analyze
from dwn_asic.targets.asic.target import TARGET, AsicTarget
from dwn_asic.targets.asic.timed_liberty import timed_liberty
from dwn_asic.targets.asic.trial import trial_circuit
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.targets.base import Implementation, Specification, Vectors
from dwn_asic.verilog.cell import Cell
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.edit import with_cells
from dwn_asic.verilog.flat_netlist import FlatNetlist, flat_netlist
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.writer import design_verilog

CIRCUIT = trial_circuit()
VECTORS = Vectors.drawn(CIRCUIT)


def target(
    clock_ns: float | None, hardware: HardwareConfig | None = None, pdk: str = "sky130hd"
) -> AsicTarget:
    return AsicTarget(load_pdk(pdk), hardware or HardwareConfig(), 100.0, clock_ns)


def implemented(chosen: AsicTarget) -> Implementation:
    """Implement the trial circuit, and prove the netlist."""
    built = chosen.implement(CIRCUIT, "trial", VECTORS)
    proof = chosen.verify(built, Specification(CIRCUIT.core, CIRCUIT, VECTORS.codes, VECTORS.expected))
    assert "graph == netlist" in {check.what for check in proof.checks if check.how == "proof"}
    return built


@pytest.fixture(scope="module")
def smallest() -> Implementation:
    return implemented(target(None))


@pytest.fixture(scope="module")
def mapper() -> DelayMapper:
    design = design_verilog("trial", CIRCUIT.encoder, CIRCUIT.core, "none")
    return DelayMapper(design, "trial", load_pdk("sky130hd"))


@pytest.fixture(scope="module")
def front(mapper: DelayMapper) -> tuple[DelayPoint, ...]:
    return mapper.front()


def flat(text: str, pdk: Pdk) -> FlatNetlist:
    return flat_netlist(parse_verilog(text, "netlist.v"), "trial_top", pdk.library)


def test_without_a_period_nothing_changes(smallest: Implementation) -> None:
    design = design_verilog("trial", CIRCUIT.encoder, CIRCUIT.core, "none")
    plain = synthesize(design, "trial", load_pdk("sky130hd").library)
    assert smallest.files["netlist.v"] == plain.netlist
    assert set(json.loads(smallest.files["synth.json"])) == {"yosys", "modules"}


def test_a_period_is_met_by_a_proved_netlist(smallest: Implementation) -> None:
    clock = 0.7 * smallest.metrics["timing__delay"]
    built = implemented(target(clock))
    assert built.metrics["timing__slack"] >= 0.0
    assert built.metrics["design__instance__area"] > smallest.metrics["design__instance__area"]
    record = json.loads(built.files["synth.json"])
    assert record["slack_ns"] == pytest.approx(built.metrics["timing__slack"])
    counted = sum(n for area in record["modules"].values() for n in area["cells"].values())
    assert counted == built.metrics["design__instance__count"]
    assert built.summary.endswith("met")


def test_a_period_that_area_mapping_meets_costs_nothing(
    mapper: DelayMapper, smallest: Implementation
) -> None:
    found = mapper.meet(2.0 * smallest.metrics["timing__delay"])
    assert found.synthesis.netlist == smallest.files["netlist.v"]


def test_an_impossible_period_says_by_how_much(
    mapper: DelayMapper, front: tuple[DelayPoint, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AsicTarget, "delay_mapper", lambda *_: mapper)
    built = implemented(target(0.1))
    delay = built.metrics["timing__delay"]
    assert built.metrics["timing__slack"] == pytest.approx(0.1 - delay)
    assert json.loads(built.files["synth.json"])["slack_ns"] == pytest.approx(0.1 - delay)
    assert built.summary.endswith(f"slack {0.1 - delay:.3f} ns at a clock of 0.1 ns: missed")
    assert delay <= front[-1].delay + 1e-9


def test_a_front_goes_from_the_smallest_to_the_fastest(
    front: tuple[DelayPoint, ...], smallest: Implementation
) -> None:
    assert front[0].synthesis.netlist == smallest.files["netlist.v"]
    assert [*front[1:]] == pareto(front[1:])
    assert front[1].delay < front[0].delay
    assert front[-1].delay < 0.7 * front[0].delay
    pdk = with_sizes(load_pdk("sky130hd"))
    timing = load_timing(pdk).library
    for point in front:
        netlist = flat(point.synthesis.netlist, pdk)
        assert analyze(netlist, timing, surroundings(pdk.config)).delay == pytest.approx(point.delay)
        assert area_of(each.cell for each in netlist.instances) == pytest.approx(point.area)
        assert sum(area.area for area in point.synthesis.modules.values()) == pytest.approx(point.area)


def test_the_smallest_that_meets_a_period_is_taken(
    mapper: DelayMapper, front: tuple[DelayPoint, ...]
) -> None:
    for clock in (0.9 * front[0].delay, 0.5 * (front[0].delay + front[-1].delay)):
        found = mapper.meet(clock)
        assert found.delay <= clock
        assert found.area <= min(point.area for point in front if point.delay <= clock) * 1.001


def test_registers_and_a_pipeline_are_sized_too() -> None:
    hardware = HardwareConfig(registers="both", pipeline=True, clock_ns=2.0)
    built = implemented(target(1.3, hardware))
    assert built.metrics["timing__slack"] >= 0.0
    assert "latency 3 clock cycles" in built.files["testbench.v"]
    assert built.metrics["timing__clock"] == 2.0
    assert [part.rpartition(" at ")[2] for part in built.summary.split("; ")[1:]] == [
        "a clock of 1.3 ns: met",
        "a clock of 2 ns: met",
    ]


def test_another_pdk_meets_a_period() -> None:
    built = implemented(target(1.45, pdk="ihp-sg13g2"))
    assert built.metrics["timing__slack"] >= 0.0


# ---- parts -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("driving_cell", ["", "sky130_fd_sc_hd__inv_1"])
def test_exchanged_cells_are_timed_as_a_whole_netlist_is(driving_cell: str, smallest: Implementation) -> None:
    pdk = with_sizes(load_pdk("sky130hd"))
    timing, around = load_timing(pdk).library, Environment(0.02, driving_cell, 0.01)
    found = IncrementalTiming(flat(smallest.files["netlist.v"], pdk), timing, around)
    rng = np.random.default_rng(0)
    for _ in range(60):
        index = int(rng.integers(len(found.cells)))
        sizes = pdk.library.sizes[found.cells[index].name]
        cell = sizes[int(rng.integers(len(sizes)))]
        before, alone = found.delay, found.delay_with(index, cell)
        assert found.delay == before
        found.exchange(index, cell)
        assert found.delay == alone
    whole = analyze(found.result(), timing, around)
    assert found.delay == pytest.approx(whole.delay, rel=1e-12)
    drivers = [found.netlist.instances[index].name for index in found.path()]
    assert drivers == [step.name for step in whole.path() if step.cell]


def test_buffers_of_buffers_are_written_and_read_back(smallest: Implementation) -> None:
    pdk = with_sizes(load_pdk("sky130hd"))
    netlist = flat(smallest.files["netlist.v"], pdk)
    buffer = next(cell for cell in pdk.library.cells if isinstance(cell, Cell) and cell.table == 0b10)
    net = max(range(len(netlist.readers)), key=lambda each: len(netlist.readers[each]))
    pins = netlist.readers[net]
    scope = netlist.instances[pins[-1][0]].name.rpartition(".")[0]
    pins = tuple(pin for pin in pins if netlist.instances[pin[0]].name.startswith(f"{scope}."))
    changed = with_buffer(netlist, net, pins, buffer, f"{scope}.buffer_0")
    first = next(each for each in changed.instances if each.name == f"{scope}.buffer_0")
    inner = changed.readers[first.output][:2]
    changed = with_buffer(changed, first.output, inner, buffer, f"{scope}.buffer_1")
    built = replace(
        smallest, files={**smallest.files, "netlist.v": with_cells(smallest.files["netlist.v"], changed)}
    )
    chosen = target(None)
    chosen.verify(built, Specification(CIRCUIT.core, CIRCUIT, VECTORS.codes, VECTORS.expected))
    read = chosen.netlist(built)
    assert {(each.name, each.cell) for each in read.instances} == {
        (each.name, each.cell) for each in changed.instances
    }
    timing = load_timing(pdk).library
    assert analyze(read, timing).delay == pytest.approx(analyze(changed, timing).delay)


def test_sizing_stops_at_its_target(smallest: Implementation) -> None:
    pdk = with_sizes(load_pdk("sky130hd"))
    netlist, timing = flat(smallest.files["netlist.v"], pdk), load_timing(pdk).library
    free = faster(netlist, pdk.library.sizes, timing, Environment())
    assert [each.delay for each in free] == sorted((each.delay for each in free), reverse=True)
    wanted = 0.5 * (free[0].delay + free[-1].delay)
    bound = faster(netlist, pdk.library.sizes, timing, Environment(), wanted)[-1]
    assert free[-1].delay < bound.delay <= wanted
    assert bound.area < free[-1].area


def test_the_library_with_delays_has_the_functions_of_the_one_without() -> None:
    from dwn_asic.targets.asic.liberty import read_liberty

    pdk = load_pdk("sky130hd")
    path = Path("timed.lib")
    path.write_text(timed_liberty(pdk.library, load_timing(pdk).library))
    read = read_liberty([path], nand2=pdk.library.nand2).library
    assert [(cell.name, cell.table) for cell in read.cells] == [(c.name, c.table) for c in pdk.library.cells]


def test_a_period_needs_delays() -> None:
    pdk = load_pdk("sky130hd")
    bare = Pdk(pdk.config, pdk.library, pdk.origin)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dwn_asic.targets.asic.pdk.load_pdk", lambda _: bare)
        with pytest.raises(
            ConfigError, match=r"^sky130hd\.yaml: timing: is missing, .*`synthesis\.clock_ns`"
        ):
            TARGET.open(SynthesisConfig(clock_ns=2.0), HardwareConfig())


def test_a_pdk_without_drive_strengths_stays_as_it_is() -> None:
    pdk = load_pdk("sky130hd")
    bare = Pdk(pdk.config, pdk.library, pdk.origin)
    assert with_sizes(bare) is bare
    sized = with_sizes(pdk)
    assert {cell.name for cell in pdk.library.cells} < {cell.name for cell in sized.library.cells}
    assert sized.library.sizes[pdk.library.nand2][0].name == pdk.library.nand2
