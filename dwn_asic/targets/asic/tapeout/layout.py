"""A finished layout with all its files, its report, and its timing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.layout_checks.cell_spice import subcircuit_pins
from dwn_asic.targets.asic.signoff.metrics import DELAY, ENERGY
from dwn_asic.targets.asic.tapeout.drawings import layout_png, layout_svg
from dwn_asic.targets.asic.tapeout.exchange_files import def_text, lef_text, spice_text, verilog_text
from dwn_asic.targets.asic.tapeout.lay_out import Attempt
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.parasitics import NetParasitics, spef_text
from dwn_asic.targets.asic.tapeout.post_layout import ClockReport

if TYPE_CHECKING:
    from dwn_asic.targets.asic.layout_checks.verdict import LayoutVerdict

__all__ = ["Layout", "LayoutReport"]


@dataclass(frozen=True)
class LayoutReport:
    """The figures of a layout.

    Attributes
    ----------
    width, height
        Of the die in um.
    cells, fillers
        Number of cells of the netlist (with buffers and diodes), and of taps and fillers.
    buffers, diodes
        Number of clock buffers, and of antenna diodes.
    utilization
        Share of the placed rows that cells of the netlist take.
    wire_length
        Length of all wires in um.
    lengths, vias
        Length of wires on each layer in um, and number of each kind of via.
    density
        Share of the die that each layer covers.
    rounds
        Rounds of the router.
    attempts
        Attempts that led to the layout, each with what was wrong with it.
    clock
        Arrival of the clock; None without one or without timing.
    before, after
        Metrics of sign-off before and after layout; empty without timing.
    """

    width: float
    height: float
    cells: int
    fillers: int
    buffers: int
    diodes: int
    utilization: float
    wire_length: float
    lengths: Mapping[str, float]
    vias: Mapping[str, int]
    density: Mapping[str, float]
    rounds: int
    attempts: tuple[Attempt, ...]
    clock: ClockReport | None = None
    before: Mapping[str, float] | None = None
    after: Mapping[str, float] | None = None

    def lines(self) -> Iterator[str]:
        """Yield the figures as text."""
        yield (
            f"die {self.width:g} x {self.height:g} um, {self.cells} cells at a utilization of "
            f"{self.utilization:.2f}, {self.fillers} taps and fillers"
        )
        lengths = ", ".join(f"{layer} {length:.0f}" for layer, length in self.lengths.items())
        yield f"wires {self.wire_length:.0f} um ({lengths}), vias {sum(self.vias.values())}"
        density = ", ".join(f"{layer} {share:.3f}" for layer, share in self.density.items())
        yield f"density {density}"
        if self.diodes:
            yield f"antenna diodes {self.diodes}"
        if self.clock is not None:
            yield (
                f"clock: {self.clock.sinks} flip-flops, {self.clock.buffers} buffers, "
                f"skew {1e3 * self.clock.skew:.1f} ps after {self.clock.latest:.3f} ns, "
                f"{self.clock.energy:.4g} pJ per cycle"
            )
        if self.before and self.after:
            for name, key, unit in (("delay", DELAY, "ns"), ("energy", ENERGY, "pJ")):
                before, after = self.before[key], self.after[key]
                ratio = f" ({after / before:.3f} times)" if before else ""
                yield f"{name} {before:.4g} {unit} before layout, {after:.4g} {unit} after{ratio}"
        for attempt in self.attempts[:-1]:
            yield f"attempt at utilization {attempt.utilization:.2f}, seed {attempt.seed}: {attempt.problem}"

    def record(self) -> dict[str, Any]:
        """Return the figures for a JSON file."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Layout:
    """A clean layout: every net is connected, and every checked rule is kept.

    Attributes
    ----------
    design
        The placed and routed netlist.
    parasitics
        Wires of each net.
    report
        Figures.
    verdict
        What the independent checks of the GDS file found; None if they were not made.
    """

    design: PhysicalDesign
    parasitics: Mapping[str, NetParasitics]
    report: LayoutReport
    verdict: LayoutVerdict | None = None

    @property
    def top(self) -> str:
        """Name of the top cell."""
        return self.design.top

    @property
    def gds(self) -> bytes:
        """The layout as a GDS file; equal layouts have equal bytes."""
        return self.design.gds

    def lines(self) -> Iterator[str]:
        """Yield a report of the layout."""
        yield f"layout of {self.top} in {self.design.technology.name}"
        yield from self.report.lines()
        if self.verdict is not None:
            yield from self.verdict.lines()

    def files(self, *, layers: bool = True) -> dict[str, bytes]:
        """Return all files: GDS, LEF, DEF, Verilog, SPICE, SPEF, figures, a report and the verdict.

        Parameters
        ----------
        layers
            Whether to draw a figure of each layer too.
        """
        design = self.design
        texts = {
            f"{self.top}.lef": lef_text(design),
            f"{self.top}.def": def_text(design),
            f"{self.top}.v": verilog_text(design),
            f"{self.top}.spice": spice_text(design, _spice_pins(design)),
            f"{self.top}.spef": spef_text(design, self.parasitics),
            "layout.svg": layout_svg(design),
            "layout.json": json.dumps(self.report.record(), indent=1, sort_keys=True) + "\n",
        }
        if self.verdict is not None:
            texts[f"{self.top}.check.json"] = json.dumps(self.verdict.record(), indent=1) + "\n"
        found = {f"{self.top}.gds": self.gds, "layout.png": layout_png(design)}
        if layers:
            technology = design.technology
            for name in (technology.config.pin_layer.name, *(each.name for each in technology.layers)):
                texts[f"layout_{name}.svg"] = layout_svg(design, [name])
                found[f"layout_{name}.png"] = layout_png(design, [name])
        return {**found, **{name: text.encode() for name, text in texts.items()}}


def _spice_pins(design: PhysicalDesign) -> Mapping[str, tuple[str, ...]]:
    """Return the pins of the cells' subcircuits in their order; none where their files are not installed."""
    try:
        return subcircuit_pins(design.technology.name, {cell.cell for cell in design.placement.cells})
    except PdkError:
        return {}
