"""The files of a Tiny Tapeout repository, as one immutable value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.errors import ConfigError, DwnAsicError
from dwn_asic.targets.asic.tinytapeout.documents import documents
from dwn_asic.targets.asic.tinytapeout.protocol import VALID, Protocol, protocol_of
from dwn_asic.targets.asic.tinytapeout.tiles import Tile, chosen_tile
from dwn_asic.targets.asic.tinytapeout.wrapper import wrapper_verilog
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.writer import design_verilog

if TYPE_CHECKING:
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.targets.asic.target import AsicTarget
    from dwn_asic.targets.asic.tinytapeout.facts import ChipFacts, Rows

__all__ = ["CELLS", "NETLIST", "SOURCES", "Project", "build_project", "default_top"]

SOURCES = ("project.v", "classifier.v")
"""Files of the design in the folder ``src``, the top module first."""
NETLIST, CELLS = "test/mapped_netlist.v", "test/cells.v"
"""The netlist of library cells, and models of the cells."""
_LIBRARY = "sky130_fd_sc_hd"
_TOP = re.compile(r"tt_um_[A-Za-z0-9_]+")
_SHORTEST_NS = 20
"""Clock period of the template in ns, which is also about the shortest that a demo board gives."""
_LAYOUT_MARGIN = 3.0
"""Clock period over the delay of the mapped netlist: room for wires, slow corners and the clock tree."""


@dataclass(frozen=True)
class Project:
    """A Tiny Tapeout repository.

    Attributes
    ----------
    top
        Name of the top module.
    tile
        Size of the design.
    area, cells
        Mapped area in um2, and number of mapped cells.
    clock_ns
        Clock period in ns that the design is to be built for.
    protocol
        How codes are loaded.
    files
        Path and text of each file.
    """

    top: str
    tile: Tile
    area: float
    cells: int
    clock_ns: int
    protocol: Protocol
    files: Mapping[str, str]

    @property
    def utilization(self) -> float:
        """Mapped area as a share of the placement rows."""
        return self.area / self.tile.core_area

    def lines(self) -> list[str]:
        """Return what a user wants to know about the project."""
        protocol = self.protocol
        loading = "applied at once" if protocol.parallel else "written one by one"
        share = f"{100 * self.utilization:.1f}% of the rows of {self.tile.name} tiles"
        count = f"{protocol.n_bytes} byte{'s' * (protocol.n_bytes != 1)} of codes"
        return [
            f"{self.top}: {self.cells} cells, {self.area:.1f} um2, {share}",
            f"{count}, {loading}; class on {protocol.class_pins}, valid flag on uo_out[{VALID}]",
            f"clock period {self.clock_ns} ns",
        ]


def default_top(name: str) -> str:
    """Return the name of the top module for a design of this name."""
    return f"tt_um_dwn_{name.lower()}"


def build_project(
    circuit: Circuit,
    target: AsicTarget,
    facts: ChipFacts,
    rows: Rows,
    *,
    top: str = "",
    author: str = "",
) -> Project:
    """Write a Tiny Tapeout repository around a circuit.

    Parameters
    ----------
    circuit
        The minimized circuit; its registers are those of the protocol, whatever the target has.
    target
        Target with the cell library, which must be sky130_fd_sc_hd.
    facts
        What the documentation says.
    rows
        Rows that the tests apply.
    top
        Name of the top module; by default tt_um_dwn_NAME.
    author
        Name of the author; by default that of this package.

    Raises
    ------
    ConfigError
        The name of the top module is not allowed.
    DwnAsicError
        The library is another one, or the design does not fit the pins or the largest tile.
    ToolError
        Yosys fails.
    """
    library = target.pdk.library
    if library.name != _LIBRARY:
        raise DwnAsicError(f"Tiny Tapeout: the circuit is mapped to {library.name} (allowed: {_LIBRARY})")
    top = top or default_top(facts.name)
    if not _TOP.fullmatch(top):
        raise ConfigError("Tiny Tapeout", "top", f"is {top!r}", "tt_um_ and letters, digits, underscores")
    protocol, interface = protocol_of(circuit), circuit.core.interface
    sources = {
        "src/project.v": wrapper_verilog(top, facts.name, interface, protocol),
        "src/classifier.v": design_verilog(facts.name, circuit.encoder, circuit.core, "none"),
    }
    mapped = synthesize("".join(sources.values()), facts.name, library, top=top, timeout_s=target.timeout_s)
    area = sum(module.area for module in mapped.modules.values())
    cells = sum(module.cell_count for module in mapped.modules.values())
    clock_ns = max(_SHORTEST_NS, 10 * math.ceil(facts.delay * _LAYOUT_MARGIN / 10))
    tile = chosen_tile(area)
    texts = documents(
        top,
        author or "dwn-asic",
        facts,
        protocol,
        rows,
        tile,
        clock_ns,
        figures=(
            ("design with registers: mapped cells", str(cells)),
            ("design with registers: mapped area", f"{area:.1f} um2"),
            (f"share of the placement rows of {tile.name} tiles", f"{100 * area / tile.core_area:.1f}%"),
        ),
    )
    netlist = {NETLIST: mapped.netlist, CELLS: library.verilog_models()}
    return Project(top, tile, area, cells, clock_ns, protocol, {**sources, **netlist, **texts})
