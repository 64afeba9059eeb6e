"""The figures of a layout: lengths, vias and densities."""

from __future__ import annotations

from dwn_asic.targets.asic.klayout_module import db
from dwn_asic.targets.asic.signoff.library import TimingLibrary
from dwn_asic.targets.asic.tapeout.lay_out import LaidOut
from dwn_asic.targets.asic.tapeout.layout import Layout, LayoutReport
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.parasitics import extract_parasitics
from dwn_asic.targets.asic.tapeout.post_layout import clock_report, pin_capacitances

__all__ = ["density", "measured"]


def measured(found: LaidOut, library: TimingLibrary | None = None, transition: float = 0.0) -> Layout:
    """Return a layout with its wires and its figures.

    Parameters
    ----------
    found
        Clean layout.
    library
        Timing of the cells; without it, pins count as no load of the wires, and the skew is unknown.
    transition
        Transition (ns) of the clock at its port.
    """
    design = found.design
    placement, technology, wiring = design.placement, design.technology, design.wiring
    plan, config, netlist = placement.plan, technology.config, placement.netlist
    loads = {} if library is None else pin_capacitances(library, (each.cell for each in netlist.instances))
    parasitics = extract_parasitics(design, loads)
    clock = None if library is None else clock_report(design, parasitics, library, loads, transition)
    sites = sum(technology.sites(each.cell) for each in netlist.instances)
    names = [layer.name for layer in technology.layers]
    lengths = [sum(each[index] for each in wiring.lengths.values()) for index in range(len(names))]
    report = LayoutReport(
        width=plan.width / 1000,
        height=plan.height / 1000,
        cells=len(netlist.instances),
        fillers=sum(not cell.is_logic for cell in placement.cells),
        buffers=sum(each.name.startswith("clock_") for each in netlist.instances),
        diodes=sum(each.cell == config.diode.cell for each in netlist.instances),
        utilization=plan.utilization(sites),
        wire_length=wiring.length / 1000,
        lengths={name: length / 1000 for name, length in zip(names, lengths, strict=True)},
        vias={via.cut_name: count for via, count in zip(technology.vias, wiring.via_counts, strict=True)},
        density=density(design),
        rounds=len(design.routing.rounds),
        attempts=found.attempts,
        clock=clock,
    )
    return Layout(design, parasitics, report)


def density(design: PhysicalDesign) -> dict[str, float]:
    """Return the share of the die that each layer of the router covers."""
    layout, plan = design.layout, design.placement.plan
    top = layout.cell(design.top)
    found = {}
    for layer in design.technology.layers:
        shapes = db.Region(top.begin_shapes_rec(layout.layer(*layer.gds))).merged()
        found[layer.name] = shapes.area() / (plan.width * plan.height)
    return found
