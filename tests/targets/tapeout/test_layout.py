"""Layouts: clean, equal to their netlist, the same again, and never written where something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from klayout import db
from netlists import random_netlist

from dwn_asic.errors import ConfigError, DataError, PdkError, VerificationError
from dwn_asic.targets.asic.pdk import Pdk
from dwn_asic.targets.asic.pdk_timing import load_timing
from dwn_asic.targets.asic.signoff.power import Power
from dwn_asic.targets.asic.signoff.timing import FALL, RISE, table_value
from dwn_asic.targets.asic.tapeout.antenna import antenna_excesses, with_diodes
from dwn_asic.targets.asic.tapeout.cell_access import Access, cell_geometry
from dwn_asic.targets.asic.tapeout.clock_tree import clock_sinks
from dwn_asic.targets.asic.tapeout.geometry import Box
from dwn_asic.targets.asic.tapeout.grid import spaced_accesses
from dwn_asic.targets.asic.tapeout.lay_out import LaidOut, LayoutOptions, lay_out
from dwn_asic.targets.asic.tapeout.layout import Layout
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.netlist import CellInstance, Netlist, Port, prepared, read_netlist
from dwn_asic.targets.asic.tapeout.post_layout import pin_capacitances
from dwn_asic.targets.asic.tapeout.self_check import check_design
from dwn_asic.targets.asic.tapeout.technology import Technology
from dwn_asic.targets.asic.tapeout.template import FixedPin, PowerStrap, Template, read_def_template

PREFIX = "sky130_fd_sc_hd__"


def inverter(name: str, source: str, target: str) -> CellInstance:
    return CellInstance(name, f"{PREFIX}inv_1", {"A": source, "Y": target})


# ---- the layout of a random netlist ------------------------------------------------------------------------
def test_it_is_clean_and_every_row_is_full(laid_out: LaidOut, technology: Technology) -> None:
    design = laid_out.design
    assert check_design(design) == ()
    plan = design.placement.plan
    assert plan.utilization(
        sum(technology.sites(each.cell) for each in design.placement.netlist.instances)
    ) == pytest.approx(0.7, abs=0.05)
    assert technology.config.tap
    every = technology.config.tap.every_sites
    for row in range(plan.rows):
        cells = [cell for cell in design.placement.cells if cell.row == row]
        ends = [cell.site + technology.sites(cell.cell) for cell in cells]
        assert [cell.site for cell in cells] == [0, *ends[:-1]]
        assert ends[-1] == plan.sites
        taps = [cell.site for cell in cells if cell.cell == technology.config.tap.cell]
        assert all(after - before <= 1.7 * every for before, after in pairwise(taps))


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(
    layout: Layout, netlist: Netlist, technology: Technology
) -> None:
    options = LayoutOptions(utilization=0.7, seed=1)
    again = lay_out(netlist, technology, options)
    assert Layout(again.design, {}, layout.report).gds == layout.gds
    other = lay_out(netlist, technology, replace(options, seed=2))
    assert Layout(other.design, {}, layout.report).gds != layout.gds


def test_a_dropped_via_is_an_open_and_a_bridge_a_short(laid_out: LaidOut, technology: Technology) -> None:
    design = laid_out.design
    generator, top = np.random.default_rng(0), design.layout.cell(design.top)
    leaves = [
        (net, -1 - layer, box)
        for net, shapes in design.wiring.shapes.items()
        for layer, box in shapes
        if layer == -1 and net != "clk"  # each pin has one cut
    ]
    for index in generator.choice(len(leaves), 8, replace=False):
        net, via, box = leaves[index]
        shapes = top.shapes(design.layout.layer(*technology.vias[via].gds))
        shape = next(each for each in shapes.each() if each.bbox() == db.Box(*box))
        shapes.erase(shape)
        found = {each.rule: each for each in check_design(design)}
        shapes.insert(db.Box(*box))
        assert found["open"].where.startswith(f"{net}: "), net
    wires = [
        (net, box) for net, shapes in design.wiring.shapes.items() for layer, box in shapes if layer == 1
    ]
    layer = top.shapes(design.layout.layer(*technology.layers[1].gds))
    for index in generator.choice(len(wires), 8, replace=False):
        net, box = wires[index]
        other = min(
            (each for name, each in wires if name != net),
            key=lambda each: abs(each.left - box.left) + abs(each.bottom - box.bottom),
        )
        bridge = layer.insert(
            db.Box(
                min(box.left, other.left),
                min(box.bottom, other.bottom),
                max(box.right, other.right),
                max(box.top, other.top),
            )
        )
        rules = {each.rule for each in check_design(design)}
        layer.erase(bridge)
        assert "short" in rules
    assert check_design(design) == ()


@pytest.mark.parametrize(
    ("layer", "box", "rule"),
    [
        (1, Box(0, 0, 139, 2000), "met2 width"),
        (1, Box(1000, 1000, 1200, 1200), "met2 area"),
        (2, Box(3, 0, 1003, 1000), "met3 grid"),
        (-3, Box(1000, 1000, 1150, 1200), "via2 size"),
        (-3, Box(1000, 1000, 1200, 1200), "via2 enclosure"),
    ],
)
def test_each_broken_rule_is_named(
    layer: int, box: Box, rule: str, laid_out: LaidOut, technology: Technology
) -> None:
    design = laid_out.design
    gds = technology.layers[layer].gds if layer >= 0 else technology.vias[-1 - layer].gds
    shapes = design.layout.cell(design.top).shapes(design.layout.layer(*gds))
    shape = shapes.insert(db.Box(*box))
    found = {each.rule for each in check_design(design)}
    shapes.erase(shape)
    assert rule in found


def test_the_clock_tree_has_all_flip_flops_at_one_depth(layout: Layout, technology: Technology) -> None:
    netlist, most = layout.design.placement.netlist, technology.config.clock_fanout
    buffer = technology.config.clock_buffer
    source = {
        each.pins[buffer.output]: each.pins[buffer.input]
        for each in netlist.instances
        if each.cell == buffer.cell and each.name.startswith("clock_")
    }
    sinks = clock_sinks(netlist, technology)
    assert sum(map(len, sinks.values())) == 18
    assert all(len(found) <= most for found in sinks.values())
    assert {source[net] for net in sinks} == {"clk"}
    clock = layout.report.clock
    assert clock is not None
    assert (clock.sinks, clock.buffers) == (18, len(source))
    assert 0.0 <= clock.skew < 0.1 < clock.latest < 1.0


def test_the_clock_tree_takes_energy_in_each_cycle(
    layout: Layout, technology: Technology, installed: Pdk
) -> None:
    library, clock = load_timing(installed).library, layout.report.clock
    assert clock is not None
    instances = {each.name: each for each in layout.design.placement.netlist.instances}
    loads = pin_capacitances(library, (each.cell for each in instances.values()))
    buffer = technology.config.clock_buffer
    charged, internal = 0.0, 0.0
    for each in instances.values():
        if not each.name.startswith("clock_"):
            continue
        net = each.pins[buffer.output]
        pins = [pin.rpartition("/") for pin in layout.parasitics[net].delays]
        load = layout.parasitics[net].capacitance + sum(loads[instances[i].cell, pin] for i, _, pin in pins)
        charged += library.conditions.voltage**2 * load
        tables = [entry for entry in library.cell(each.cell).internal if entry.pin == buffer.output]
        internal += sum(
            table_value(library, entry.energy[edge], 0.0, load) for entry in tables for edge in (RISE, FALL)
        )
    assert clock.energy == pytest.approx(charged + internal, rel=0.05)  # the first slew is 0, as here
    assert 0.05 * charged < internal < 5.0 * charged
    timed = library.cell(buffer.cell)
    states = [each.power for each in timed.leakages]
    assert clock.leakage == pytest.approx(clock.buffers * sum(states) / len(states))


def test_energy_after_layout_has_that_of_the_clock_tree() -> None:
    zeros = np.zeros(3)
    power = Power(zeros + 1.0, zeros, zeros, zeros + 2.0, 1.0)
    with_tree = replace(power, tree=0.5, tree_leakage=4.0)
    assert with_tree.dynamic == power.dynamic + 0.5
    assert with_tree.leakage_power == power.leakage_power + 4.0
    assert with_tree.energy(1.0) == pytest.approx(power.energy(1.0) + 0.5 + 4.0e-6)


# ---- files -------------------------------------------------------------------------------------------------
def connections(netlist: Netlist, skipped: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """Return instance, pin and net of all pins; nets behind skipped buffers count as those in front."""

    def source(net: str) -> str:
        return source(skipped[net]) if net in skipped else net

    return {(each.name, pin, source(net)) for each in netlist.instances for pin, net in each.pins.items()}


def test_the_verilog_with_supplies_is_the_mapped_netlist(
    layout: Layout, netlist: Netlist, technology: Technology
) -> None:
    text = layout.files(layers=False)[f"{layout.top}.v"].decode()
    assert re.search(r"module random_top \(VPWR, VGND, clk, x, y\);\n  inout VPWR;", text)
    found = read_netlist(text, "layout.v", layout.top)
    config = technology.config
    placed = [each for each in found.instances if not re.match(r"(tap|fill)_", each.name)]
    supplies = {*config.supply_pins}
    assert {each.pins[pin] for each in found.instances for pin in supplies & each.pins.keys()} == {
        "VPWR",
        "VGND",
    }
    buffers = [each for each in placed if each.cell in {config.clock_buffer.cell, config.buffer.cell}]
    buffers = [each for each in buffers if each.name.startswith(("clock_", "added_"))]
    skipped = {each.pins["X"]: each.pins["A"] for each in buffers}
    kept = tuple(
        replace(each, pins={pin: net for pin, net in each.pins.items() if pin not in supplies})
        for each in placed
        if each not in buffers
    )
    wanted = connections(prepared(netlist, technology), {})
    wanted = {each for each in wanted if not each[0].startswith("added_")}
    assert connections(replace(found, instances=kept), skipped) == wanted


def test_def_lef_and_spice_agree_with_the_layout(layout: Layout) -> None:
    files = {
        name: text.decode() for name, text in layout.files(layers=False).items() if name.endswith(("f", "e"))
    }
    placement, plan = layout.design.placement, layout.design.placement.plan
    template = read_def_template(files["random_top.def"], "random_top.def")
    assert (template.width, template.height) == (plan.width, plan.height)
    assert template.pins == {name: slot.pin for name, slot in placement.slots.items()}
    assert f"COMPONENTS {len(placement.cells)} ;" in files["random_top.def"]
    lef = files["random_top.lef"]
    assert f"SIZE {plan.width / 1000:.3f} BY {plan.height / 1000:.3f} ;" in lef
    assert re.findall(r"^  PIN (\S+)", lef, re.MULTILINE) == [*placement.slots, "VPWR", "VGND"]
    spice = re.sub(r"\n\+", "", files["random_top.spice"])
    flop = next(each for each in placement.netlist.instances if each.cell.endswith("dfxtp_1"))
    pins = flop.pins
    line = f"X{flop.name} {pins['CLK']} {pins['D']} VGND VGND VPWR VPWR {pins['Q']} {flop.cell}"
    assert line in spice.splitlines()


def test_spef_has_the_capacitance_and_the_steps_of_every_net(layout: Layout) -> None:
    text = layout.files(layers=False)[f"{layout.top}.spef"].decode()
    total = sum(float(value) for value in re.findall(r"^\*D_NET \S+ (\S+)$", text, re.MULTILINE))
    assert total == pytest.approx(sum(each.capacitance for each in layout.parasitics.values()), abs=1e-6)
    # Wires of 0.14 um on met1 and met2: about 0.1 fF per um.
    assert total / layout.report.wire_length == pytest.approx(0.0001, rel=0.4)
    for found in layout.parasitics.values():
        assert len(found.resistors) >= len(found.capacitors) - 1
        assert all(0.0 <= delay < 0.1 for delay in found.delays.values())


def test_figures_and_report_are_written(layout: Layout) -> None:
    files = layout.files()
    layers = ("li1", "met1", "met2", "met3", "met4")
    assert {f"layout_{name}.{kind}" for name in layers for kind in ("svg", "png")} <= files.keys()
    assert files["layout.png"].startswith(b"\x89PNG")
    assert files["layout.svg"].decode().count("<g id=") == len(layers)
    report = json.loads(files["layout.json"])
    assert report["wire_length"] == pytest.approx(sum(report["lengths"].values()))
    assert 0.0 < report["density"]["met2"] < report["density"]["met1"] < 0.5
    lines = "\n".join(layout.lines())
    assert re.search(r"clock: 18 flip-flops, 2 buffers, skew \d+\.\d ps after 0\.\d+ ns", lines)


# ---- grid --------------------------------------------------------------------------------------------------
def test_cuts_of_one_net_in_a_cell_keep_their_spacing(technology: Technology) -> None:
    xnor = f"{PREFIX}xnor2_1"
    tied, apart = {"A": "n", "B": "n", "Y": "y"}, {"A": "a", "B": "b", "Y": "y"}
    accesses = cell_geometry(technology, xnor).accesses

    def close(found: Mapping[str, tuple[Access, ...]]) -> int:
        via, count = technology.vias[0], 0
        for one, other in product(found["A"], found["B"]):
            x = (one.column - other.column) * technology.step_x + one.shift_x - other.shift_x
            y = (one.track - other.track) * technology.step_y + one.shift_y - other.shift_y
            gaps = [max(0, abs(each) - via.cut.width) for each in (x, y)]
            count += gaps[0] ** 2 + gaps[1] ** 2 < via.cut_spacing**2
        return count

    assert close(accesses) > 0
    assert close(spaced_accesses(accesses, tied, technology)) == 0
    assert all(spaced_accesses(accesses, tied, technology).values())
    assert spaced_accesses(accesses, apart, technology) == {pin: accesses[pin] for pin in apart}


# ---- netlists ----------------------------------------------------------------------------------------------
def test_constants_and_shared_nets_get_cells_of_their_own(technology: Technology) -> None:
    text = f"""
module top(input a, output [3:0] y, output z);
  wire t;
  assign y[0] = 1'b0;
  assign y[1] = 1'b1;
  assign y[2] = a;
  assign y[3] = t;
  assign z = t;
  {PREFIX}nand2_1 u (.A(a), .B(1'b1), .Y(t));
endmodule
"""
    ready = prepared(read_netlist(text, "text", "top"), technology)
    assert len({port.net for port in ready.ports}) == 6
    kinds = sorted(each.cell.removeprefix(PREFIX) for each in ready.instances)
    assert kinds == ["buf_2", "buf_2", "conb_1", "conb_1", "conb_1", "nand2_1"]
    found = lay_out(read_netlist(text, "text", "top"), technology)
    assert check_design(found.design) == ()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("assign y = a & b;", r"text: top: .*\$and is logic that is not mapped to cells"),
        (f"{PREFIX}inv_1 u (.A(1'bx), .Y(y));", "text: top: a pin has no driver"),
    ],
)
def test_what_is_no_netlist_of_cells_is_refused(body: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_netlist(f"module top(input a, b, output y); {body} endmodule", "text", "top")


def test_an_unknown_pin_is_named(technology: Technology) -> None:
    wrong = CellInstance("u", f"{PREFIX}inv_1", {"A": "a", "Z": "y"})
    ports = (Port("a", is_input=True, net="a"), Port("y", is_input=False, net="y"))
    with pytest.raises(DataError, match=r"top: instance u: .*inv_1 has no pin Z"):
        prepared(Netlist("top", ports, (wrong,)), technology)


# ---- sides, templates, antennas ----------------------------------------------------------------------------
def small(count: int = 3) -> Netlist:
    """Return inverters between as many inputs and outputs."""
    ports = [Port(f"a[{i}]", is_input=True, net=f"a[{i}]") for i in range(count)]
    ports += [Port(f"y[{i}]", is_input=False, net=f"y[{i}]") for i in range(count)]
    return Netlist(
        "small", tuple(ports), tuple(inverter(f"u{i}", f"a[{i}]", f"y[{i}]") for i in range(count))
    )


def test_ports_are_at_the_sides_that_are_asked_for(technology: Technology) -> None:
    pins = {"west": ["a"], "east": ["y[0]", "y[2]"], "south": ["y[1]"]}
    found = lay_out(small(), technology, LayoutOptions(pins=pins))
    sides = {name: slot.edge for name, slot in found.design.placement.slots.items()}
    assert sides == {**{f"a[{i}]": "west" for i in range(3)}, "y[0]": "east", "y[1]": "south", "y[2]": "east"}
    for pins, message in (
        ({"top": ["a"]}, r"pins\.top: unknown edge \(allowed: north, south, east, west\)"),
        ({"west": ["b"]}, r"pins\.west: no port matches b \(allowed: a\[0\], "),
        ({"west": ["a"], "east": ["a[1]"]}, r"pins: port a\[1\] is chosen twice"),
    ):
        with pytest.raises(ConfigError, match=message):
            lay_out(small(), technology, LayoutOptions(pins=pins))


def tile(names: list[str], height: int = 111_520) -> Template:
    """Return a die like a tile of Tiny Tapeout: ports at the upper edge, and power straps."""
    pins = {
        name: FixedPin("met4", Box(20_000 + 2760 * i - 150, height - 1000, 20_000 + 2760 * i + 150, height))
        for i, name in enumerate(names)
    }
    straps = tuple(
        PowerStrap(Box(x - 800, 5_000, x + 800, height - 5_000), net)
        for x, net in ((60_260, "VPWR"), (63_480, "VGND"), (110_400, "VPWR"), (113_620, "VGND"))
    )
    return Template(161_000, height, pins, straps)


def test_a_layout_fits_a_template(technology: Technology) -> None:
    netlist = small()
    template = tile([port.name for port in netlist.ports] + ["unused"])
    design = lay_out(netlist, technology, template=template).design
    assert check_design(design) == ()
    placement = design.placement
    assert (placement.plan.width, placement.plan.height) == (161_000, 111_520)
    assert {name: slot.pin for name, slot in placement.slots.items()} == {
        name: pin for name, pin in template.pins.items() if name != "unused"
    }
    assert placement.plan.straps == template.straps
    assert design.layout.cell(design.top).bbox() == db.Box(0, 0, 161_000, 111_520)
    with pytest.raises(ConfigError, match=r"template: has no pin y\[2\]"):
        lay_out(netlist, technology, template=tile([port.name for port in netlist.ports[:-1]]))


def test_def_templates_are_read_and_wrong_ones_refused() -> None:
    text = """\
VERSION 5.8 ;
UNITS DISTANCE MICRONS 2000 ;
DIEAREA ( 0 0 ) ( 322000 223040 ) ;
PINS 2 ;
    - clk + NET clk + DIRECTION INPUT + USE SIGNAL
      + PORT
        + LAYER met4 ( -300 -1000 ) ( 300 1000 )
        + PLACED ( 287960 222040 ) N ;
    - VPWR + NET VPWR + USE POWER + PORT + LAYER met4 ( -300 0 ) ( 300 100 ) + PLACED ( 10 10 ) N ;
END PINS
"""
    found = read_def_template(text, "tile.def")
    assert (found.width, found.height) == (161_000, 111_520)
    assert found.pins == {"clk": FixedPin("met4", Box(143_830, 110_520, 144_130, 111_520))}
    with pytest.raises(DataError, match=r"tile\.def: has no DIEAREA"):
        read_def_template("", "tile.def")
    with pytest.raises(DataError, match=r"tile\.def: has no placed pin"):
        read_def_template("DIEAREA ( 0 0 ) ( 1 1 ) ;", "tile.def")


def test_antennas_get_diodes(laid_out: LaidOut, technology: Technology) -> None:
    design = laid_out.design
    assert antenna_excesses(design) == ()
    rule = technology.config.antenna.model_copy(update={"ratio": 30.0})
    strict = replace(technology, config=technology.config.model_copy(update={"antenna": rule}))
    strictly = PhysicalDesign(strict, design.placement, design.power, design.routing, design.wiring)
    excesses = antenna_excesses(strictly)
    assert excesses
    assert all(each.ratio > 30.0 for each in excesses)
    placement = with_diodes(design.placement, strict, excesses[:2])
    diodes = [each for each in placement.netlist.instances if each.cell == technology.config.diode.cell]
    assert [each.pins["DIODE"] for each in diodes] == [each.net for each in excesses[:2]]
    for row in range(placement.plan.rows):
        cells = [cell for cell in placement.cells if cell.row == row]
        ends = [cell.site + technology.sites(cell.cell) for cell in cells]
        assert [*ends[:-1]] == [cell.site for cell in cells[1:]]


# ---- failures ----------------------------------------------------------------------------------------------
def test_a_layout_that_is_not_clean_is_an_error(
    technology: Technology, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dwn_asic.targets.asic.tapeout import lay_out as module
    from dwn_asic.targets.asic.tapeout.self_check import Violation

    monkeypatch.setattr(module, "check_design", lambda _: (Violation("met1 spacing", 1, "1.000 2.000"),))
    message = r"no clean layout in 2 attempts; the last one: met1 spacing \(1, first at 1\.000 2\.000\)"
    with pytest.raises(VerificationError, match=message) as caught:
        lay_out(small(), technology, LayoutOptions(attempts=2))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (LayoutOptions(utilization=0.0), r"utilization: is 0\.0 \(allowed: greater than 0, at most 1\)"),
        (LayoutOptions(aspect=20.0), r"aspect: is 20\.0 \(allowed: between 0\.1 and 10\)"),
        (LayoutOptions(attempts=0), r"attempts: is 0 \(allowed: at least 1\)"),
    ],
)
def test_options_out_of_range_are_refused(
    options: LayoutOptions, message: str, technology: Technology
) -> None:
    with pytest.raises(ConfigError, match=message):
        lay_out(small(), technology, options)


def test_every_cell_of_the_library_is_routed(installed: Pdk, technology: Technology) -> None:
    netlist = random_netlist(installed.library, 90, seed=3)
    used = {each.cell for each in netlist.instances}
    assert {each.name for each in installed.library.cells} <= used
    found = lay_out(netlist, technology, LayoutOptions(utilization=0.75))
    assert check_design(found.design) == ()


def test_a_cell_without_replacement_stops_the_layout(technology: Technology) -> None:
    netlist = small(1)
    wrong = CellInstance("u", f"{PREFIX}buf_16", {"A": "a[0]", "X": "y[0]"})
    with pytest.raises(PdkError, match=r"buf_16 breaks rule licon\.8a"):
        lay_out(replace(netlist, instances=(wrong,)), technology)
