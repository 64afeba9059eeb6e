"""Layouts of a few cells, drawn here so that tests need no PDK: one row of cells, and wires above it.

The cells have the names and ports of sky130's, but are our own drawings. Lengths are in um.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import klayout.db as kdb

from dwn_asic.targets.asic.layout_checks.technology import Technology

PREFIX = "sky130_fd_sc_hd__"
PITCH, HEIGHT = 0.7, 4.2
NMOS, PMOS, PIN, JOIN = (
    0.925,
    3.0,
    1.9,
    1.4,
)  # heights of transistors, of input pins, and of the output's wire
SUPPLIES = ("VPWR", "VGND")
SPICE = f"""* cells of one stage
.subckt {PREFIX}inv_1 A VGND VNB VPB VPWR Y
X0 VPWR A Y VPB sky130_fd_pr__pfet_01v8_hvt w=1e+06u l=150000u
X1 VGND A Y VNB sky130_fd_pr__nfet_01v8 w=650000u l=150000u
.ends
.subckt {PREFIX}nand2_1 A B VGND VNB VPB VPWR
+ Y
X0 Y A VPWR VPB sky130_fd_pr__pfet_01v8_hvt w=1e+06u l=150000u
X1 VPWR B Y VPB sky130_fd_pr__pfet_01v8_hvt w=1e+06u l=150000u
X2 VGND A between VNB sky130_fd_pr__nfet_01v8 w=0.65 l=0.15
X3 between B Y VNB sky130_fd_pr__special_nfet_01v8 w=0.65 l=0.15
.ends
.subckt {PREFIX}nor2_1 A B VGND VNB VPB VPWR Y
X0 between A VPWR VPB sky130_fd_pr__pfet_01v8_hvt w=1e+06u l=150000u
X1 Y B between VPB sky130_fd_pr__pfet_01v8_hvt w=1e+06u l=150000u
X2 VGND A Y VNB sky130_fd_pr__nfet_01v8 w=650000u l=150000u
X3 Y B VGND VNB sky130_fd_pr__nfet_01v8 w=650000u l=150000u
.ends
"""


@dataclass(frozen=True)
class Stage:
    """A cell: its inputs from left to right, and the nets of its diffusions beside their gates."""

    inputs: Sequence[str]
    pmos: Sequence[str]
    nmos: Sequence[str]


CELLS = {
    "inv_1": Stage("A", ("VPWR", "Y"), ("VGND", "Y")),
    "nand2_1": Stage("AB", ("VPWR", "Y", "VPWR"), ("VGND", "", "Y")),
    "nor2_1": Stage("AB", ("VPWR", "", "Y"), ("VGND", "Y", "VGND")),
}


@dataclass
class Drawing:
    """A cell of a layout that is being drawn."""

    technology: Technology
    cell: kdb.Cell
    layout: kdb.Layout

    def box(self, layer: str, left: float, bottom: float, right: float, top: float) -> kdb.Box:
        number = self.technology.layers[layer]
        box = kdb.DBox(left, bottom, right, top).to_itype(self.layout.dbu)
        self.cell.shapes(self.layout.layer(*number)).insert(box)
        return box

    def at(self, layer: str, x: float, y: float, half_width: float, half_height: float) -> kdb.Box:
        return self.box(layer, x - half_width, y - half_height, x + half_width, y + half_height)

    def label(self, layer: str, name: str, x: float, y: float) -> None:
        text = kdb.DText(name, x, y).to_itype(self.layout.dbu)
        self.cell.shapes(self.layout.layer(*self.technology.labels[layer])).insert(text)


def column(number: float) -> float:
    """Return the x of a diffusion, or with a half of the gate after it."""
    return PITCH / 2 + PITCH * number


def draw_cell(drawing: Drawing, stage: Stage) -> None:
    """Draw a cell of one stage."""
    width = PITCH * (len(stage.inputs) + 1)
    at, box = drawing.at, drawing.box
    box("hvtp", 0, 2.2, width, 3.8)
    for y, half, implant in ((NMOS, 0.325, "nsdm"), (PMOS, 0.5, "psdm")):
        box("diff", 0.2, y - half, width - 0.2, y + half)
        box(implant, 0, y - half - 0.13, width, y + half + 0.13)
    draw_rails(drawing, width)
    for number, name in enumerate(stage.inputs):
        x = column(number + 0.5)
        box("poly", x - 0.075, NMOS - 0.475, x + 0.075, PMOS + 0.65)
        at("poly", x, PIN, 0.165, 0.165)
        at("npc", x, PIN, 0.185, 0.185)
        at("licon", x, PIN, 0.085, 0.085)
        at("li1", x, PIN, 0.085, 0.165)
        drawing.label("li1", name, x, PIN)
    outputs = []
    for nets, y, rail in ((stage.pmos, PMOS, HEIGHT), (stage.nmos, NMOS, 0.0)):
        for number, net in enumerate(nets):
            x, end = column(number), JOIN if net == "Y" else rail
            if net:
                at("licon", x, y, 0.085, 0.085)
                box("li1", x - 0.085, min(y - 0.165, end), x + 0.085, max(y + 0.165, end))
            if net == "Y":
                outputs.append(x)
    box("li1", min(outputs) - 0.085, JOIN - 0.085, max(outputs) + 0.085, JOIN + 0.085)
    drawing.label("li1", "Y", outputs[0], JOIN)
    drawing.label("nwell", "VPB", 0.3, HEIGHT + 0.2)


def draw_rails(drawing: Drawing, width: float) -> None:
    """Draw the well and the rails of a cell."""
    drawing.box("nwell", -0.2, 2.2, width + 0.2, HEIGHT + 0.4)
    for name, y in zip(SUPPLIES, (HEIGHT, 0.0), strict=True):
        drawing.box("li1", 0, y - 0.085, width, y + 0.085)
        drawing.label("li1", name, 0.2, y)


def draw_tap(drawing: Drawing) -> None:
    """Draw a cell that ties well and substrate to the supplies."""
    width = 2 * PITCH
    draw_rails(drawing, width)
    for y, implant in ((0.0, "psdm"), (HEIGHT, "nsdm")):
        drawing.box("tap", 0.2, y - 0.2, width - 0.2, y + 0.2)
        drawing.box(implant, 0, y - 0.33, width, y + 0.33)
        drawing.at("licon", width / 2, y, 0.085, 0.085)


def pin_place(stage: Stage, pin: str) -> tuple[float, float]:
    """Return where a cell's pin is reached."""
    if pin == "Y":
        return column([*stage.pmos].index("Y")), JOIN
    return column([*stage.inputs].index(pin) + 0.5), PIN


@dataclass(frozen=True)
class Row:
    """A circuit: (cell, pin -> net) from left to right, and the ports."""

    cells: Sequence[tuple[str, Mapping[str, str]]]
    inputs: Sequence[str]
    outputs: Sequence[str]
    name: str = "row"

    def verilog(self) -> str:
        """Return the netlist."""
        ports = ", ".join((*self.inputs, *self.outputs))
        nets = sorted(
            {net for _, pins in self.cells for net in pins.values()} - {*self.inputs, *self.outputs}
        )
        lines = [f"module {self.name} ({ports});"]
        lines += [f"  input {name};" for name in self.inputs]
        lines += [f"  output {name};" for name in self.outputs]
        lines += [f"  wire {name};" for name in nets]
        for number, (cell, pins) in enumerate(self.cells):
            connected = ", ".join(f".{pin}({net})" for pin, net in pins.items())
            lines.append(f"  {PREFIX}{cell} u{number} ({connected});")
        return "\n".join((*lines, "endmodule", ""))

    def draw(self, technology: Technology) -> kdb.Layout:
        """Return the layout: each net has a met1 track above the cells, and met2 down to its pins."""
        layout = kdb.Layout()
        layout.dbu = 0.001
        top = Drawing(technology, layout.create_cell(self.name), layout)
        made: dict[str, kdb.Cell] = {}
        places: dict[str, list[tuple[float, float]]] = {}
        tap = layout.create_cell(f"{PREFIX}tapvpwrvgnd_1")
        draw_tap(Drawing(technology, tap, layout))
        top.cell.insert(kdb.CellInstArray(tap.cell_index(), kdb.Trans()))
        x = 2 * PITCH
        for cell, pins in self.cells:
            if cell not in made:
                made[cell] = layout.create_cell(f"{PREFIX}{cell}")
                draw_cell(Drawing(technology, made[cell], layout), CELLS[cell])
            move = kdb.DTrans(kdb.DVector(x, 0)).to_itype(layout.dbu)
            top.cell.insert(kdb.CellInstArray(made[cell].cell_index(), move))
            for pin, net in pins.items():
                px, py = pin_place(CELLS[cell], pin)
                places.setdefault(net, []).append((x + px, py))
            x += PITCH * (len(CELLS[cell].inputs) + 1)
        for track, (net, at) in enumerate(places.items()):
            route(top, at, HEIGHT + 1.0 + 0.6 * track)
            if net in {*self.inputs, *self.outputs}:
                top.label("met1", net, min(px for px, _ in at), HEIGHT + 1.0 + 0.6 * track)
        for net, y in zip(SUPPLIES, (HEIGHT, 0.0), strict=True):
            top.label("li1", net, 0.1, y)
        return layout


def route(top: Drawing, places: Iterable[tuple[float, float]], track: float) -> None:
    """Connect pins to a track."""
    xs = []
    for x, y in places:
        top.at("mcon", x, y, 0.085, 0.085)
        for via_y in (y, track):
            top.at("met1", x, via_y, 0.16, 0.13)
            top.at("via", x, via_y, 0.075, 0.075)
            top.at("met2", x, via_y, 0.13, 0.16)
        top.box("met2", x - 0.07, y, x + 0.07, track)
        xs.append(x)
    top.box("met1", min(xs) - 0.16, track - 0.07, max(xs) + 0.16, track + 0.07)


CIRCUIT = Row(
    cells=(
        ("inv_1", {"A": "a", "Y": "n1"}),
        ("nand2_1", {"A": "n1", "B": "b", "Y": "n2"}),
        ("nor2_1", {"A": "n2", "B": "c", "Y": "n3"}),
        ("nand2_1", {"A": "n3", "B": "a", "Y": "y"}),
        ("inv_1", {"A": "n3", "Y": "z"}),
    ),
    inputs=("a", "b", "c"),
    outputs=("y", "z"),
)


def write(row: Row, technology: Technology, folder: Path) -> tuple[Path, Path]:
    """Write layout and netlist, and return their files."""
    layout, netlist = folder / f"{row.name}.gds", folder / f"{row.name}.v"
    row.draw(technology).write(str(layout))
    netlist.write_text(row.verilog())
    return layout, netlist


def install_spice(home: Path) -> Path:
    """Write the SPICE netlists where a PDK below this home folder has them, and return their folder."""
    folder = home / ".volare" / "sky130A" / "libs.ref" / "sky130_fd_sc_hd" / "spice"
    folder.mkdir(parents=True)
    (folder / "sky130_fd_sc_hd.spice").write_text(SPICE)
    return folder
