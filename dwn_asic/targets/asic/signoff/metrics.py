"""Delay, power and energy of a mapped netlist as metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dwn_asic.metrics import Metric, Shown, higher, lower, neutral

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.targets.asic.pdk_config import PdkConfig
    from dwn_asic.targets.asic.pdk_timing import PdkTiming
    from dwn_asic.targets.asic.signoff.glitches import Glitches
    from dwn_asic.targets.asic.signoff.power import Power
    from dwn_asic.targets.asic.signoff.timing import Environment, Timing
    from dwn_asic.verilog.flat_netlist import FlatNetlist

__all__ = ["DELAY", "METRICS", "SHOWN", "Signoff", "sign_off", "surroundings", "verdict"]

DELAY, FMAX = "timing__delay", "timing__fmax"
LEAKAGE, DYNAMIC, ENERGY = "power__leakage", "energy__dynamic", "energy__inference"
AT_1MHZ, AT_FMAX, EDP = "power__1mhz", "power__fmax", "energy__delay_product"
ESTIMATED = "timing__estimated"
CLOCK, SLACK = "timing__clock", "timing__slack"
GLITCHES = "energy__glitches"


def _declared() -> Iterator[Metric]:
    yield lower(
        DELAY,
        "ns",
        "Delay of the critical path; with registers the shortest clock period, setup time included",
    )
    yield higher(FMAX, "MHz", "Inferences per microsecond at that delay, the inverse of it")
    yield neutral(CLOCK, "ns", "Clock period to meet, where the flow has one")
    yield higher(SLACK, "ns", "Clock period minus delay; the clock is missed by what it is below 0")
    yield lower(LEAKAGE, "nW", "Leakage power, mean over the states of the test rows")
    yield lower(
        DYNAMIC, "pJ", "Energy of the transitions of an inference: test rows in their order, no glitches"
    )
    yield lower(ENERGY, "pJ", "Energy per inference at the largest frequency, leakage included")
    yield lower(EDP, "pJ ns", "Energy-delay product: energy per inference times delay")
    yield lower(AT_1MHZ, "uW", "Power at a million inferences per second")
    yield lower(AT_FMAX, "uW", "Power at the largest frequency")
    yield lower(
        GLITCHES,
        "pJ",
        "Energy of glitches per inference, which the other metrics leave out; only where it was asked for",
    )
    yield neutral(
        ESTIMATED, "1", "Whether delay and energy come from an embedded fit (1) or from the PDK's tables (0)"
    )


METRICS = tuple(_declared())
SHOWN = (Shown("delay (ns)", DELAY, 2), Shown("energy (pJ)", ENERGY, 3))
"""Columns of tables."""


@dataclass(frozen=True, eq=False)
class Signoff:
    """Timing and power of a netlist at a corner.

    Attributes
    ----------
    timing, power
        The analyses.
    source
        Library that they used.
    clock_ns
        Clock period to meet in ns; None for none.
    glitches
        Transitions of all nets in a simulation with delays; None if it was not asked for.
    glitch_power
        Power with the transitions of glitches; None without them.
    """

    timing: Timing
    power: Power
    source: PdkTiming
    clock_ns: float | None = None
    glitches: Glitches | None = None
    glitch_power: Power | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """Value of each of :data:`METRICS`, but of those that a circuit without delay or glitches lacks."""
        delay = self.timing.delay
        energy = self.power.energy(delay)
        found = {
            DELAY: delay,
            LEAKAGE: self.power.leakage_power,
            DYNAMIC: self.power.dynamic,
            ENERGY: energy,
            EDP: energy * delay,
            AT_1MHZ: self.power.power(1.0),
            ESTIMATED: float(self.source.estimated),
        }
        if self.clock_ns is not None:
            found |= {CLOCK: self.clock_ns, SLACK: self.clock_ns - delay}
        if self.glitch_power is not None:
            found[GLITCHES] = self.glitch_power.dynamic - self.power.dynamic
        if delay > 0.0:
            found |= {FMAX: 1e3 / delay, AT_FMAX: self.power.power(1e3 / delay)}
        return found

    def lines(self, clock_ns: float | None = None) -> Iterator[str]:
        """Yield a report: corner, critical path, frequency, slack, power, energy.

        The slack is that at the period ``clock_ns`` (ns), by default at the one of this object, if any.
        """
        clock_ns = self.clock_ns if clock_ns is None else clock_ns
        conditions = self.source.library.conditions
        estimated = ", estimated" if self.source.estimated else ""
        yield (
            f"corner {self.source.corner}: {conditions.voltage:g} V, {conditions.temperature:g} C, "
            f"from {self.source.origin}{estimated}"
        )
        yield from self._path()
        delay, power = self.timing.delay, self.power
        if delay > 0.0:
            yield f"delay {delay:.3f} ns, at most {1e3 / delay:.1f} MHz"
        if clock_ns is not None:
            yield verdict(delay, clock_ns)
        yield f"leakage {power.leakage_power:.4g} nW"
        yield (
            f"energy {power.energy(delay):.4g} pJ per inference at this delay: "
            f"switching {power.switching.sum():.4g}, internal {power.internal.sum():.4g}"
            + (f" (clock {power.clock.sum():.4g})" if power.clock.any() else "")
        )
        yield f"energy-delay product {power.energy_delay:.4g} pJ ns"
        yield from self._glitches()
        at_most = f", {power.power(1e3 / delay):.4g} uW at {1e3 / delay:.1f} MHz" if delay > 0.0 else ""
        yield f"power {power.power(1.0):.4g} uW at 1 MHz{at_most}"

    def _glitches(self) -> Iterator[str]:
        if self.glitches is None or self.glitch_power is None:
            return
        every, settled = self.glitches.per_inference
        more = f" ({every / settled:.2f}x)" if settled else ""
        yield f"transitions {every:.4g} per inference with glitches, {settled:.4g} without{more}"
        energies = [power.energy(self.timing.delay) for power in (self.glitch_power, self.power)]
        more = f" ({energies[0] / energies[1]:.2f}x)" if energies[1] else ""
        yield (
            f"energy {energies[0]:.4g} pJ per inference with glitches, {energies[1]:.4g} without{more}: "
            f"switching {self.glitch_power.switching.sum():.4g}, "
            f"internal {self.glitch_power.internal.sum():.4g}"
        )

    def _path(self) -> Iterator[str]:
        end = self.timing.critical
        if end is None:
            yield "no path: the circuit is constant"
            return
        yield "critical path"
        yield f"  {'arrival':>8} {'delay':>7} {'slew':>7} {'load':>7}  edge  instance (cell, pins)"
        yield f"  {'ns':>8} {'ns':>7} {'ns':>7} {'fF':>7}"
        for step in self.timing.path():
            through = f"{step.name} ({step.cell}, {step.pin})" if step.cell else f"{step.name} (input)"
            yield (
                f"  {step.arrival:8.3f} {step.delay:7.3f} {step.transition:7.3f} {1e3 * step.load:7.2f}  "
                f"{'rise' if step.rising else 'fall'}  {through}"
            )
        setup = f"  {end.time:8.3f} {end.setup:7.3f} {'':15}        setup of {end.name}" if end.setup else ""
        yield setup or f"  {end.time:8.3f} {'':23}        output {end.name}"


def verdict(delay: float, clock_ns: float) -> str:
    """Return the slack of a delay at a clock period, both in ns, and whether the period is met.

    >>> verdict(2.25, 2.0)
    'slack -0.250 ns at a clock of 2 ns: missed'
    """
    met = "met" if delay <= clock_ns else "missed"
    return f"slack {clock_ns - delay:.3f} ns at a clock of {clock_ns:g} ns: {met}"


def sign_off(
    netlist: FlatNetlist,
    source: PdkTiming,
    config: PdkConfig,
    codes: NDArray[np.int64],
    clock_ns: float | None = None,
    *,
    glitches: bool = False,
    wires: tuple[tuple[float, float], ...] | None = None,
) -> Signoff:
    """Compute timing and power of a netlist.

    Parameters
    ----------
    netlist
        Netlist of the top module.
    source
        Library at a corner.
    config
        PDK configuration, which says what drives the inputs and loads the outputs.
    codes
        (N, F) feature codes of consecutive inferences, N at least 2.
    clock_ns
        Clock period to meet in ns; None for none.
    glitches
        Whether to simulate the netlist with its delays too, to count glitches.
    wires
        Capacitance (pF) and resistance (kOhm) of the wire of each net in a layout; by default those of the
        wire-load model.

    Raises
    ------
    PdkError
        The library lacks a cell, or the driving cell or wire-load model of the configuration.
    DataError
        There are fewer than two rows.
    """
    from dwn_asic.targets.asic.signoff.activity import simulate
    from dwn_asic.targets.asic.signoff.power import estimate
    from dwn_asic.targets.asic.signoff.timing import analyze

    timing = analyze(netlist, source.library, replace(surroundings(config), wires=wires))
    settled = simulate(netlist, codes)
    power = estimate(timing, settled)
    if not glitches:
        return Signoff(timing, power, source, clock_ns)
    from dwn_asic.targets.asic.signoff.glitches import count, gate_delays

    found = count(netlist, gate_delays(timing), settled)
    return Signoff(timing, power, source, clock_ns, found, estimate(timing, settled, found.extra))


def surroundings(config: PdkConfig) -> Environment:
    """Return what drives the inputs and loads the outputs, as a PDK configuration says."""
    from dwn_asic.targets.asic.signoff.timing import Environment

    return Environment(
        config.input_transition_ns, config.driving_cell or "", config.output_load_pf, config.wire_load
    )
