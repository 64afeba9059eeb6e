"""The text files of a layout: DEF, LEF, Verilog with supply pins, and SPICE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dwn_asic.targets.asic.tapeout.geometry import Box
from dwn_asic.targets.asic.tapeout.grid import cell_corner
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.lef import Macro
from dwn_asic.targets.asic.tapeout.netlist import Netlist, Port

__all__ = ["def_text", "lef_text", "spice_text", "verilog_text"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


# ---- Verilog -----------------------------------------------------------------------------------------------
def verilog_text(design: PhysicalDesign) -> str:
    """Return the final netlist as Verilog: all cells that were placed, with their supply pins."""
    netlist, config = design.placement.netlist, design.technology.config
    supplies = list(dict.fromkeys(config.supply_pins.values()))
    ports = _whole_ports(netlist)
    lines = [f"module {_name(netlist.top)} ({', '.join([*supplies, *map(_name, ports)])});"]
    lines += [f"  inout {supply};" for supply in supplies]
    for name, bits in ports.items():
        direction = "input" if bits[0].is_input else "output"
        lines.append(f"  {direction} {_range(bits)}{_name(name)};")
    known = {port.name for port in netlist.ports}
    lines += [f"  wire {_wire_name(net)};" for net in netlist.nets if net not in known]
    instances = {each.name: each for each in netlist.instances}
    for cell in design.placement.cells:
        pins = {pin: _net(net, known) for pin, net in _pins(design, cell.cell).items()}
        if cell.is_logic:
            pins |= {pin: _net(net, known) for pin, net in instances[cell.name].pins.items()}
        joined = ", ".join(f".{pin}({net})" for pin, net in pins.items())
        lines.append(f"  {cell.cell} {_name(cell.name)} ({joined});")
    return "\n".join([*lines, "endmodule", ""])


def _pins(design: PhysicalDesign, cell: str) -> dict[str, str]:
    """Return the net of each supply pin of a cell."""
    pins = design.technology.macro(cell).pins
    return {pin: net for pin, net in design.technology.config.supply_pins.items() if pin in pins}


def _whole_ports(netlist: Netlist) -> dict[str, list[Port]]:
    found: dict[str, list[Port]] = {}
    for port in netlist.ports:
        found.setdefault(re.sub(r"\[\d+\]$", "", port.name), []).append(port)
    return found


def _range(bits: list[Port]) -> str:
    numbers = [int(match[1]) for port in bits if (match := re.search(r"\[(\d+)\]$", port.name))]
    return f"[{max(numbers)}:{min(numbers)}] " if numbers else ""


def _name(name: str) -> str:
    """Return an identifier, escaped where Verilog needs it."""
    return name if _PLAIN.fullmatch(name) else f"\\{name} "


def _wire_name(net: str) -> str:
    return _name(net)


def _net(net: str, ports: set[str]) -> str:
    """Return a net in an expression: a bit of a port, or a wire of its own."""
    if net in ports and (match := re.fullmatch(r"(.*)(\[\d+\])", net)):
        return f"{_name(match[1])}{match[2]}"
    return _name(net)


# ---- SPICE -------------------------------------------------------------------------------------------------
def spice_text(design: PhysicalDesign, pins: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the final netlist as a SPICE subcircuit of cells, whose own subcircuits the PDK has.

    Parameters
    ----------
    design
        The layout.
    pins
        Pins of the subcircuits of cells, in their order. A cell that is not there has its inputs, its
        supplies and its outputs, each in alphabetical order, as in the SPICE files of SkyWater 130.
    """
    pins = pins or {}
    netlist, config = design.placement.netlist, design.technology.config
    supplies = list(dict.fromkeys(config.supply_pins.values()))
    instances = {each.name: each for each in netlist.instances}
    lines = [f"* {netlist.top}: one line for each cell; the PDK has their subcircuits"]
    lines += _folded([".subckt", netlist.top, *(port.name for port in netlist.ports), *supplies])
    for cell in design.placement.cells:
        macro = design.technology.macro(cell.cell)
        nets = dict(instances[cell.name].pins) if cell.is_logic else {}
        nets |= {pin: net for pin, net in config.supply_pins.items() if pin in macro.pins}
        order = pins.get(cell.cell) or _alphabetical(macro)
        joined = [nets.get(pin, f"open_{cell.name}_{pin}") for pin in order]
        lines += _folded([f"X{cell.name}", *joined, cell.cell])
    # A port that shares the net of another has a buffer, so each output is a net of its own.
    return "\n".join([*lines, ".ends", ""])


def _alphabetical(macro: Macro) -> list[str]:
    inputs, outputs = (
        sorted(pin.name for pin in macro.signals if (pin.direction == "INPUT") == wanted)
        for wanted in (True, False)
    )
    return [*inputs, *sorted(pin.name for pin in macro.pins.values() if pin.is_supply), *outputs]


def _folded(words: list[str]) -> list[str]:
    """Return a statement in lines of moderate length."""
    lines, line = [], words[0]
    for word in words[1:]:
        if len(line) + len(word) > 100:
            lines.append(line)
            line = f"+ {word}"
        else:
            line = f"{line} {word}"
    return [*lines, line]


# ---- LEF ---------------------------------------------------------------------------------------------------
def lef_text(design: PhysicalDesign) -> str:
    """Return the outside of the layout as a LEF macro: its size, ports, supply straps and blocked layers."""
    technology, plan = design.technology, design.placement.plan
    lines = ["VERSION 5.8 ;", 'BUSBITCHARS "[]" ;', 'DIVIDERCHAR "/" ;', f"MACRO {design.top}"]
    lines += ["  CLASS BLOCK ;", f"  FOREIGN {design.top} ;", "  ORIGIN 0 0 ;"]
    lines += [f"  SIZE {_um(plan.width)} BY {_um(plan.height)} ;"]
    for port in design.placement.netlist.ports:
        _, layer, box = design.wiring.ports[port.name]
        direction = "INPUT" if port.is_input else "OUTPUT"
        lines += _lef_pin(port.name, direction, "SIGNAL", [(technology.layers[layer].name, box)])
    config, top = technology.config, len(technology.layers) - 1
    for net, use in ((config.power, "POWER"), (config.ground, "GROUND")):
        straps = [
            (technology.layers[top].name, box)
            for layer, box, other in design.power.shapes
            if (layer, other) == (top, net)
        ]
        straps += [(technology.layers[0].name, box) for box, other in design.power.rails if other == net]
        lines += _lef_pin(net, "INOUT", use, straps)
    lines.append("  OBS")
    blocked = Box(plan.left, plan.bottom, plan.width - plan.left, plan.height - plan.bottom)
    for name in (config.pin_layer.name, *(layer.name for layer in technology.layers)):
        lines += [f"    LAYER {name} ;", f"      RECT {_corners(blocked)} ;"]
    return "\n".join([*lines, "  END", f"END {design.top}", "END LIBRARY", ""])


def _lef_pin(name: str, direction: str, use: str, shapes: list[tuple[str, Box]]) -> Iterator[str]:
    yield from (f"  PIN {name}", f"    DIRECTION {direction} ;", f"    USE {use} ;", "    PORT")
    for layer, box in shapes:
        yield from (f"      LAYER {layer} ;", f"        RECT {_corners(box)} ;")
    yield from ("    END", f"  END {name}")


def _um(length: int) -> str:
    return f"{length / 1000:.3f}"


def _corners(box: Box) -> str:
    return " ".join(map(_um, box))


# ---- DEF ---------------------------------------------------------------------------------------------------
def def_text(design: PhysicalDesign) -> str:
    """Return the layout in the Design Exchange Format: rows, cells, ports, supply, wires; unit 1 nm."""
    technology, placement = design.technology, design.placement
    plan, config = placement.plan, technology.config
    lines = ["VERSION 5.8 ;", 'DIVIDERCHAR "/" ;', 'BUSBITCHARS "[]" ;', f"DESIGN {design.top} ;"]
    lines += ["UNITS DISTANCE MICRONS 1000 ;", f"DIEAREA ( 0 0 ) ( {plan.width} {plan.height} ) ;"]
    for row in range(plan.rows):
        turn, y = ("FS" if row % 2 else "N"), plan.bottom + row * technology.row_height
        lines.append(
            f"ROW row_{row} {config.site} {plan.left} {y} {turn} "
            f"DO {plan.sites} BY 1 STEP {technology.site_width} 0 ;"
        )
    lines.append(f"COMPONENTS {len(placement.cells)} ;")
    for cell in placement.cells:
        x, y = cell_corner(cell, placement, technology)
        turn, source = ("FS" if cell.row % 2 else "N"), ("" if cell.is_logic else " + SOURCE DIST")
        lines.append(f"- {cell.name} {cell.cell}{source} + PLACED ( {x} {y} ) {turn} ;")
    lines += ["END COMPONENTS", *_def_pins(design), *_def_supply(design), *_def_nets(design)]
    return "\n".join([*lines, "END DESIGN", ""])


def _def_pins(design: PhysicalDesign) -> Iterator[str]:
    ports = design.placement.netlist.ports
    yield f"PINS {len(ports)} ;"
    for port in ports:
        net, layer, box = design.wiring.ports[port.name]
        x, y = box.center
        direction = "INPUT" if port.is_input else "OUTPUT"
        yield (
            f"- {port.name} + NET {net} + DIRECTION {direction} + USE SIGNAL "
            f"+ LAYER {design.technology.layers[layer].name} ( {box.left - x} {box.bottom - y} ) "
            f"( {box.right - x} {box.top - y} ) + FIXED ( {x} {y} ) N ;"
        )
    yield "END PINS"


def _def_supply(design: PhysicalDesign) -> Iterator[str]:
    technology, config = design.technology, design.technology.config
    yield "SPECIALNETS 2 ;"
    for net, use in ((config.power, "POWER"), (config.ground, "GROUND")):
        pins = " ".join(f"( * {pin} )" for pin, other in config.supply_pins.items() if other == net)
        yield f"- {net} {pins} + USE {use}"
        shapes = [(0, box) for box, other in design.power.rails if other == net]
        shapes += [(layer, box) for layer, box, other in design.power.shapes if layer >= 0 and other == net]
        for layer, box in shapes:
            corners = f"( {box.left} {box.bottom} ) ( {box.right} {box.top} )"
            yield f"  + RECT {technology.layers[layer].name} {corners}"
        yield " ;"
    yield "END SPECIALNETS"


def _def_nets(design: PhysicalDesign) -> Iterator[str]:
    netlist, technology = design.placement.netlist, design.technology
    pins: dict[str, list[str]] = {net: [] for net in netlist.nets}
    for port in netlist.ports:
        pins[port.net].append(f"( PIN {port.name} )")
    for each in netlist.instances:
        for pin, net in each.pins.items():
            pins[net].append(f"( {each.name} {pin} )")
    yield f"NETS {len(pins)} ;"
    for net, members in pins.items():
        at_pins = _vias_at_pins(design, net)
        yield f"- {net} {' '.join(members)} + USE SIGNAL"
        keyword = "+ ROUTED"
        for layer, box in design.wiring.shapes.get(net, ()):
            x, y = box.center
            if layer >= 0:
                corners = f"( {box.left - x} {box.bottom - y} {box.right - x} {box.top - y} )"
                yield f"  {keyword} {technology.layers[layer].name} ( {x} {y} ) RECT {corners}"
            else:
                name = technology.layers[max(-2 - layer, 0)].name
                via = at_pins.get((layer, x, y), technology.config.vias[-1 - layer].name)
                yield f"  {keyword} {name} ( {x} {y} ) {via}"
            keyword = "NEW"
        yield " ;"
    yield "END NETS"


def _vias_at_pins(design: PhysicalDesign, net: str) -> dict[tuple[int, int, int], str]:
    """Return the name of each via of a net that has another lower pad than usual, by its cut and place."""
    technology, found = design.technology, dict[tuple[int, int, int], str]()
    route = design.routing.routes.get(net)
    for node, way in route.accesses if route else ():
        if way is not None and way.lower_pad is not None:
            used, pads = technology.config.vias[way.layer], technology.vias[way.layer].at_pins
            x, y = design.routing.grid.position(node)
            name = (used.name, *used.at_pins)[pads.index(way.lower_pad)]
            found[-1 - way.layer, x + way.shift_x, y + way.shift_y] = name
    return found
