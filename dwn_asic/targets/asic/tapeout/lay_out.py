"""Place and route as one function, which tries other seeds and larger dies until a layout is clean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dwn_asic.errors import ConfigError, DataError, VerificationError
from dwn_asic.targets.asic.tapeout.antenna import AntennaExcess, antenna_excesses, with_diodes
from dwn_asic.targets.asic.tapeout.clock_tree import with_clock_tree
from dwn_asic.targets.asic.tapeout.floorplan import Floorplan, plan_die, plan_template
from dwn_asic.targets.asic.tapeout.grid import build_grid
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.netlist import Netlist, prepared
from dwn_asic.targets.asic.tapeout.placement import Placement, check_edges, place
from dwn_asic.targets.asic.tapeout.power import power_grid
from dwn_asic.targets.asic.tapeout.routing import route
from dwn_asic.targets.asic.tapeout.self_check import check_design
from dwn_asic.targets.asic.tapeout.technology import Technology
from dwn_asic.targets.asic.tapeout.template import Template
from dwn_asic.targets.asic.tapeout.wires import build_wiring

__all__ = ["Attempt", "Judge", "LaidOut", "LayoutOptions", "Watch", "lay_out"]

Watch = Callable[[str, int, int], None]
"""Called with the stage, the round of the routing, and the resources that several nets use."""
Judge = Callable[[PhysicalDesign], str]
"""Says what is wrong with a layout; empty if nothing is."""
_LARGER = 0.9
"""Factor on the utilization of each further pair of attempts."""
_MUCH_LARGER = 0.75
"""The same after an attempt whose nets were far from finding room."""
_FAR = 100
"""Number of shared crossings from which on another seed would not help."""
_DIODE_ROUNDS = 3


@dataclass(frozen=True)
class LayoutOptions:
    """Wishes for a layout.

    Attributes
    ----------
    utilization
        Share of the rows that cells take, between 0 and 1.
    aspect
        Height over width of the rows.
    seed
        Seed of the placement and the routing.
    pins
        Ports at the ``north``, ``south``, ``east`` and ``west`` of the die: names of bits (``x[3]``) or
        patterns of whole ports (``x*``). The others take the north and the south, where their wires are
        shortest.
    attempts
        Largest number of attempts: first other seeds, then larger dies.
    effort
        Factor on the number of moves of the placement.
    """

    utilization: float = 0.6
    aspect: float = 1.0
    seed: int = 0
    pins: Mapping[str, Sequence[str]] = field(default_factory=dict)
    attempts: int = 6
    effort: float = 1.0


@dataclass(frozen=True)
class Attempt:
    """One attempt: its utilization and seed, and what was wrong; empty for the last one."""

    utilization: float
    seed: int
    problem: str


@dataclass(frozen=True, eq=False)
class LaidOut:
    """A clean layout.

    Attributes
    ----------
    design
        The placed and routed netlist.
    attempts
        All attempts; the last one is the layout.
    """

    design: PhysicalDesign
    attempts: tuple[Attempt, ...]


def lay_out(
    netlist: Netlist,
    technology: Technology,
    options: LayoutOptions | None = None,
    *,
    template: Template | None = None,
    watch: Watch | None = None,
    problem: Judge | None = None,
) -> LaidOut:
    """Place and route a netlist.

    Parameters
    ----------
    netlist
        Netlist of cells of the technology, from :func:`~dwn_asic.targets.asic.tapeout.netlist.read_netlist`.
    technology
        Technology with the cells.
    options
        Wishes; by default those of :class:`LayoutOptions`.
    template
        Die that the layout has to fit, with fixed ports.
    watch
        Called as the work proceeds.
    problem
        Judges each layout that keeps all rules known here; one with a problem is a failed attempt.

    Raises
    ------
    VerificationError
        No attempt led to a layout in which every net is connected and every checked rule is kept.
    ConfigError
        An option is out of range, or the template lacks a port.
    PdkError
        A cell cannot be placed.
    """
    options = options or LayoutOptions()
    if options.attempts < 1:
        raise ConfigError("layout", "attempts", f"is {options.attempts}", "at least 1")
    ready = prepared(netlist, technology)
    edges = check_edges(ready, options.pins)
    attempts = list[Attempt]()
    utilization = options.utilization
    for number in range(options.attempts):
        seed = options.seed + number
        try:
            design, wrong = _attempt(
                ready, technology, options, (utilization, seed), edges, template, watch or _silent
            )
        except DataError as error:
            design, wrong = None, error.problem
        if design is not None and not wrong and problem is not None:
            wrong = problem(design)
        attempts.append(Attempt(utilization, seed, wrong))
        if design is not None and not wrong:
            return LaidOut(design, tuple(attempts))
        if design is not None and design.routing.overused > _FAR:
            utilization *= _MUCH_LARGER
        elif number % 2:
            utilization *= _LARGER
    raise VerificationError(
        f"layout of {netlist.top}: no clean layout in {len(attempts)} attempts; "
        f"the last one: {attempts[-1].problem}"
    )


def _silent(_stage: str, _round: int, _shared: int) -> None:
    pass


def _attempt(
    netlist: Netlist,
    technology: Technology,
    options: LayoutOptions,
    chosen: tuple[float, int],
    edges: Mapping[str, Sequence[str]],
    template: Template | None,
    watch: Watch,
) -> tuple[PhysicalDesign | None, str]:
    """Return a design, and what is wrong with it."""
    utilization, seed = chosen

    def planned(what: Netlist) -> Floorplan:
        if template is not None:
            return plan_template(what, technology, template, utilization)
        return plan_die(what, technology, utilization=utilization, aspect=options.aspect, edges=edges)

    watch("clock tree", 0, 0)
    tree = with_clock_tree(netlist, technology, planned(netlist), seed)
    plan = planned(tree)
    watch("placement", 0, 0)
    placement = place(tree, technology, plan, seed=seed, effort=options.effort, edges=edges)
    for _ in range(_DIODE_ROUNDS):
        design, problem = _routed(placement, technology, seed, watch)
        if problem:
            return design, problem
        excesses = antenna_excesses(design)
        if not excesses:
            watch("check", 0, 0)
            return design, "; ".join(map(str, check_design(design)))
        placement = with_diodes(placement, technology, excesses)
    return design, _antenna_problem(excesses)


def _antenna_problem(excesses: Sequence[AntennaExcess]) -> str:
    return f"{len(excesses)} antennas remain, first of net {excesses[0].net}"


def _routed(
    placement: Placement, technology: Technology, seed: int, watch: Watch
) -> tuple[PhysicalDesign, str]:
    power = power_grid(placement.plan, technology)
    grid = build_grid(placement, technology, power)
    routing = route(grid, seed=seed, progress=lambda number, shared, _: watch("routing", number, shared))
    design = PhysicalDesign(technology, placement, power, routing, build_wiring(routing, placement))
    if routing.failed:
        return design, f"{len(routing.failed)} nets cannot be reached, first {routing.failed[0]}"
    if routing.overused:
        return design, f"{routing.overused} crossings are used by several nets"
    return design, ""
