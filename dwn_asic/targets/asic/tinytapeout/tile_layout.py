"""Layout of a Tiny Tapeout project in its tile: pins at the places of the template, supply on met4 straps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dwn_asic.targets.asic.tinytapeout.project import NETLIST

if TYPE_CHECKING:
    from dwn_asic.targets.asic.tapeout.lay_out import Watch
    from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
    from dwn_asic.targets.asic.tapeout.template import Template
    from dwn_asic.targets.asic.target import AsicTarget
    from dwn_asic.targets.asic.tinytapeout.project import Project
    from dwn_asic.targets.asic.tinytapeout.tiles import Tile

__all__ = ["lay_out_tile", "tile_template"]

_PIN_LAYER = "met4"
_UTILIZATION = 0.5
"""Share of the placed rows that cells take at first; in a fuller tile all rows are placed."""


def tile_template(tile: Tile) -> Template:
    """Return the die of a tile; the layout chooses power straps, which run from the first row to the last."""
    from dwn_asic.targets.asic.tapeout.geometry import Box
    from dwn_asic.targets.asic.tapeout.template import FixedPin, Template

    pins = {name: FixedPin(_PIN_LAYER, Box(*place)) for name, place in tile.pins.items()}
    return Template(tile.width, tile.height, pins)


def lay_out_tile(
    project: Project,
    target: AsicTarget,
    *,
    seed: int = 0,
    attempts: int = 6,
    watch: Watch | None = None,
) -> dict[str, bytes]:
    """Place and route the mapped netlist of a project; needs the extra ``layout`` and an installed PDK.

    Parameters
    ----------
    project
        Project whose mapped netlist is laid out in its tile.
    target
        Target that it was built for.
    seed
        Seed of placement and routing.
    attempts
        Maximum number of attempts.
    watch
        Function that is called as the work proceeds.

    Returns
    -------
    dict
        Path and content of the GDS, LEF and Verilog files, in the folder ``layout``.

    Raises
    ------
    VerificationError
        No attempt led to a layout that is clean and matches the netlist.
    PdkError
        The PDK is not installed, or has no layout file.
    ToolError
        The package klayout is not installed.
    """
    from dwn_asic.targets.asic.checked_layout import lay_out_checked
    from dwn_asic.targets.asic.tapeout.exchange_files import verilog_text
    from dwn_asic.targets.asic.tapeout.lay_out import LayoutOptions
    from dwn_asic.targets.asic.tapeout.technology import load_technology

    technology = load_technology(target.pdk)
    options = LayoutOptions(utilization=_UTILIZATION, seed=seed, attempts=attempts)
    found, _ = lay_out_checked(
        project.files[NETLIST],
        project.top,
        technology,
        options,
        template=tile_template(project.tile),
        watch=watch,
        timeout_s=target.timeout_s,
    )
    return {
        f"layout/{project.top}.gds": found.design.gds,
        f"layout/{project.top}.lef": _tile_lef(found.design).encode(),
        f"layout/{project.top}.v": verilog_text(found.design).encode(),
    }


def _tile_lef(design: PhysicalDesign) -> str:
    """Return the LEF file, in which only the straps on met4 are power pins, not the rails on met1."""
    from dwn_asic.targets.asic.tapeout.exchange_files import lef_text

    straps = replace(design, power=replace(design.power, rails=()))
    # The precheck of Tiny Tapeout reads numbers with three decimals.
    return lef_text(straps).replace("ORIGIN 0 0 ;", "ORIGIN 0.000 0.000 ;")
