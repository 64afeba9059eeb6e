"""The folder of a LibreLane design, as one immutable value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from dwn_asic.boolean.ports import CLASS_PORT, CLOCK_PORT, feature_port
from dwn_asic.errors import DwnAsicError
from dwn_asic.targets.asic.signoff.metrics import DELAY
from dwn_asic.verilog.writer import latency, used_features

if TYPE_CHECKING:
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.targets.asic.pdk_config import PdkConfig
    from dwn_asic.targets.asic.target import AsicTarget
    from dwn_asic.targets.base import Implementation

__all__ = ["CONFIG", "CONSTRAINTS", "PINS", "LibreLaneDesign", "librelane_design"]

CONFIG, CONSTRAINTS, PINS = "config.yaml", "constraints.sdc", "pin_order.cfg"
_VIRTUAL_CLOCK = "virtual_clock"
_PDKS = {
    "sky130_fd_sc_hd": "sky130A",
    "sg13g2_stdcell": "ihp-sg13g2",
    "gf180mcu_fd_sc_mcu7t5v0": "gf180mcuD",
}
"""Each library that LibreLane supports, and its name of the PDK."""
_SHORTEST_NS = 10.0
_LAYOUT_MARGIN = 3.0
"""Clock period over the delay of the mapped netlist: room for wires, slow corners and the clock tree."""
_CORE_UTILIZATION = 0.45
_DENSITY_PCT = 60
_MARGIN_UM, _SMALLEST_UM = 6.0, 60.0
"""Margin of the rows, and smallest side of the die: the power grid needs at least one pair of straps."""
_PIN_UM = 2.0
"""Length of an edge that a pin takes."""
_ONE_SIDE = 40
"""Number of input pins up to which all of them are on the west side."""


@dataclass(frozen=True)
class LibreLaneDesign:
    """A design for LibreLane.

    Attributes
    ----------
    top
        Name of the top module.
    pdk, library
        Names of the PDK and of its library, as LibreLane knows them.
    clock_ns
        Clock period in ns.
    die_um
        Side of the square die in um.
    files
        Path and text of each file.
    """

    top: str
    pdk: str
    library: str
    clock_ns: float
    die_um: float
    files: Mapping[str, str]

    def lines(self) -> list[str]:
        """Return what a user wants to know about the design."""
        return [
            f"{self.top}: {self.pdk}, {self.library}",
            f"clock period {self.clock_ns:g} ns, die {self.die_um:g} x {self.die_um:g} um",
        ]


def librelane_design(circuit: Circuit, built: Implementation, target: AsicTarget) -> LibreLaneDesign:
    """Return the files with which LibreLane makes a layout of an implemented circuit.

    The Verilog is that of the implementation, with its registers. The constraints have the surroundings that
    the PDK file states, so that timing after layout and before it are comparable.

    Parameters
    ----------
    circuit
        The minimized circuit, whose features are the ports.
    built
        Its implementation.
    target
        Target that it was built for.

    Raises
    ------
    DwnAsicError
        LibreLane does not support the library.
    """
    library = target.pdk.library.name
    if library not in _PDKS:
        raise DwnAsicError(f"LibreLane does not support the library {library} (allowed: {', '.join(_PDKS)})")
    interface, name = circuit.core.interface, built.name
    clocked = latency(built.registers, pipeline=built.pipeline) > 0
    delay = built.metrics.get(DELAY, 0.0)
    period = target.period or max(_SHORTEST_NS, math.ceil(delay * _LAYOUT_MARGIN))
    ports = [
        (feature_port(f, interface.feature_names[f]), interface.widths[f])
        for f in used_features(circuit.encoder)
    ]
    outputs = len(circuit.core.outputs)
    sides = _sides(ports)
    crowded = max([outputs + clocked, *(sum(width for _, width in those) for those in sides.values())])
    die = _die(built.metrics["design__instance__area"], crowded)
    content = {
        "meta": {"version": 2, "flow": "Classic"},
        "DESIGN_NAME": f"{name}_top",
        "PDK": _PDKS[library],
        "STD_CELL_LIBRARY": library,
        "VERILOG_FILES": [f"dir::src/{name}.v"],
        "CLOCK_PORT": CLOCK_PORT if clocked else None,
        "CLOCK_PERIOD": float(period),
        "PNR_SDC_FILE": f"dir::{CONSTRAINTS}",
        "SIGNOFF_SDC_FILE": f"dir::{CONSTRAINTS}",
        "IO_PIN_ORDER_CFG": f"dir::{PINS}",
        "FP_SIZING": "absolute",
        "DIE_AREA": [0, 0, die, die],
        "PL_TARGET_DENSITY_PCT": _DENSITY_PCT,
        "RUN_CTS": clocked,
    }
    files = {
        CONFIG: yaml.safe_dump(content, sort_keys=False),
        CONSTRAINTS: "\n".join([*_constraints(period, target.pdk.config, ports, clocked=clocked), ""]),
        PINS: "\n".join([*_pin_order(sides, clocked=clocked, outputs=outputs), ""]),
        f"src/{name}.v": built.files["design.v"],
    }
    return LibreLaneDesign(f"{name}_top", _PDKS[library], library, float(period), die, files)


def _die(area: float, crowded: int) -> float:
    """Return the side of the die in um, for an area of cells in um2 and the pins of the fullest side."""
    side = max(math.sqrt(area / _CORE_UTILIZATION) + 2 * _MARGIN_UM, _SMALLEST_UM, crowded * _PIN_UM)
    return float(math.ceil(side))


# ---- constraints -------------------------------------------------------------------------------------------
def _constraints(
    period: float, config: PdkConfig, ports: Sequence[tuple[str, int]], *, clocked: bool
) -> Iterator[str]:
    """Yield the lines of an SDC file; times in ns, capacitances in pF, as in the Liberty file."""
    clock = CLOCK_PORT if clocked else _VIRTUAL_CLOCK
    yield f"# Clock period {period:g} ns; inputs change with the clock, outputs are due at the next edge."
    port = f" [get_ports {CLOCK_PORT}]" if clocked else ""
    yield f"create_clock -name {clock} -period {period:g}{port}"
    if clocked:
        yield "set_propagated_clock [all_clocks]"
    if ports:
        names = " ".join(f"{name}[*]" if width > 1 else name for name, width in ports)
        yield f"set codes [get_ports {{{names}}}]"
        yield f"set_input_delay 0 -clock {clock} $codes"
        if config.driving_cell is None:
            yield f"set_input_transition {config.input_transition_ns:g} $codes"
        else:
            yield f"set_driving_cell -lib_cell {config.driving_cell} $codes"
    yield f"set_output_delay 0 -clock {clock} [all_outputs]"
    yield f"set_load {config.output_load_pf:g} [all_outputs]"


# ---- pins --------------------------------------------------------------------------------------------------
def _sides(ports: Sequence[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    """Return the ports of each side: on the west alone, or in equal parts on west, north and south."""
    total = sum(width for _, width in ports)
    names = "WNS" if total > _ONE_SIDE else "W"
    sides: dict[str, list[tuple[str, int]]] = {name: [] for name in names}
    before = 0
    for port, width in ports:
        sides[names[before * len(names) // max(1, total)]].append((port, width))
        before += width
    return sides


def _pin_order(
    sides: Mapping[str, Sequence[tuple[str, int]]], *, clocked: bool, outputs: int
) -> Iterator[str]:
    """Yield the lines of a pin order: for each side the patterns of its pins."""
    for side, ports in sides.items():
        yield f"#{side}"
        yield from (_pattern(port, width) for port, width in ports)
        yield ""
    yield "#E"
    if clocked:
        yield CLOCK_PORT
    yield _pattern(CLASS_PORT, outputs)


def _pattern(port: str, width: int) -> str:
    return rf"{port}\[\d+\]" if width > 1 else port
