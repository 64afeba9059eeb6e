"""Topic ``tapeout``: layouts of random netlists, and of circuits of finished flows in the folder ``RUNS``.

``RUNS=build/nine/seed-0 make figures ONLY=tapeout.nine_clean`` takes every finished flow in that folder. The
PDK must be installed (``PDK_ROOT``). ``STRESS`` is the number of random netlists, whose cells read near nets.
The foundry's decks, and KLayout and Magic, must be installed for the figures of decks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figures.table import Row, named, row
from dwn_asic.api.hardware import implement
from dwn_asic.api.place_and_route import layout
from dwn_asic.errors import DwnAsicError, VerificationError
from dwn_asic.flow.finished import load
from dwn_asic.targets.asic.checked_layout import verdict_on
from dwn_asic.targets.asic.layout_checks.check import official_decks
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.tapeout.exchange_files import verilog_text
from dwn_asic.targets.asic.tapeout.lay_out import LayoutOptions, lay_out
from dwn_asic.targets.asic.tapeout.layout import Layout
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.technology import load_technology
from dwn_asic.targets.asic.target import AsicTarget

sys.path += ["tests"]  # random netlists, which the tests lay out too

STRESS = int(os.environ.get("STRESS", "100"))
"""Number of random netlists."""
_STRESS_FIGURES = "clean", "first", "kinds", "seconds"
_CIRCUIT_FIGURES = "clean", "seconds", "delay_ratio", "energy_ratio"
_ATTEMPTS = 4
_WORKERS = 2
_LARGE = {1000: ("<= 300", 0.6), 3000: ("<= 1800", 0.6)}
"""Cells of large netlists, the target for their seconds, and their utilization."""


@dataclass(frozen=True)
class Stress:
    """Random netlists to lay out: their PDK and number, and the ranges of their cells and utilization."""

    pdk: str
    count: int
    sizes: tuple[int, int] = (20, 1000)
    utilizations: tuple[float, float] = (0.5, 0.85)


_STRESS = {
    "stress": Stress("sky130hd", STRESS),
    "ihp": Stress("ihp-sg13g2", min(STRESS, 30), (20, 500), (0.5, 0.75)),
}
"""First part of the names of figures -> netlists."""


@dataclass(frozen=True)
class Outcome:
    """A random netlist: its cells, its utilization, its seconds, its attempts (0 without a layout)."""

    cells: int
    utilization: float
    seconds: float
    attempts: int
    kinds: frozenset[str]


def _seconds() -> float:
    """Return the processor time of this process and of the tools that it has run, in seconds."""
    return sum(os.times()[:4])


def attempt(name: str, cells: int, utilization: float, seed: int) -> Outcome:
    """Lay out a random netlist until a layout keeps all rules and its transistors match the netlist."""
    from netlists import random_netlist

    pdk = load_pdk(name)
    netlist = random_netlist(pdk.library, cells, seed, local=True)
    kinds = frozenset(each.cell for each in netlist.instances)
    started = _seconds()
    try:
        found = lay_out(
            netlist,
            load_technology(pdk),
            LayoutOptions(utilization, seed=seed, attempts=_ATTEMPTS),
            problem=_problem,
        )
    except VerificationError:
        return Outcome(cells, utilization, _seconds() - started, 0, kinds)
    return Outcome(cells, utilization, _seconds() - started, len(found.attempts), kinds)


def _problem(design: PhysicalDesign) -> str:
    """Check a layout by its GDS file, as `dwn-asic gds` does; its netlist is the one that was placed."""
    placed = verilog_text(design)
    try:
        verdict = verdict_on(design.gds, placed, placed, design.top, design.technology.name)
    except VerificationError as error:
        return str(error)
    if verdict.unchecked:
        raise DwnAsicError("; ".join(verdict.unchecked))
    return ""


def outcomes(asked: Stress) -> tuple[Outcome, ...]:
    """Return the outcomes of all random netlists."""
    generator = np.random.default_rng(0)
    sizes = np.geomspace(*asked.sizes, asked.count).round().astype(int)
    utilizations = generator.uniform(*asked.utilizations, asked.count).round(2)
    with ProcessPoolExecutor(_WORKERS, mp_context=get_context("spawn")) as pool:
        todo = zip(sizes, utilizations, range(asked.count), strict=True)
        running = [pool.submit(attempt, asked.pdk, int(n), float(u), seed) for n, u, seed in todo]
        return tuple(each.result() for each in running)


def stress(name: str) -> Iterator[Row]:
    """Lay out random netlists of all sizes and utilizations."""
    asked = _STRESS[name]
    found = outcomes(asked)
    clean = [each for each in found if each.attempts]
    sizes, least, most = f"{asked.sizes[0]} to {asked.sizes[1]} cells", *asked.utilizations
    what = f"{len(found)} random netlists of {sizes}, utilization {least} to {most}, {asked.pdk}"
    matched = f"{what}: layouts with no violation of our rules, and matching transistors and function"
    yield row(f"tapeout.{name}_clean", matched, len(clean), "", f">= {0.98 * len(found):g}")
    first = sum(each.attempts == 1 for each in clean)
    yield row(f"tapeout.{name}_first", f"{what}: those at the first attempt", first)
    kinds = frozenset[str]().union(*(each.kinds for each in found))
    library = load_pdk(asked.pdk).library
    share = 100 * len(kinds) / (len(library.cells) + 1)
    yield row(f"tapeout.{name}_kinds", f"{what}: share of the mapping library used", share, "%", ">= 100")
    slowest = max(each.seconds for each in found)
    timed = f"{what}: time of the slowest, checks included, on one core"
    yield row(f"tapeout.{name}_seconds", timed, slowest, "s")


def large(cells: int) -> Iterator[Row]:
    """Measure the time that a large random netlist takes."""
    target, utilization = _LARGE[cells]
    found = attempt("sky130hd", cells, utilization, 7)
    if not found.attempts:
        raise VerificationError(f"no clean layout of {cells} cells")
    what = f"random netlist of {cells} cells at a utilization of {utilization}, sky130hd, one core"
    yield row(
        f"tapeout.cells_{cells}_seconds", f"{what}: placed, routed and checked", found.seconds, "s", target
    )


def _laid_out(folder: Path, *, shrunk: bool, registered: bool) -> tuple[Layout | None, float]:
    """Lay out a circuit and check it; returns None where no layout is clean, and the seconds."""
    opened = load(folder)
    settings, circuit = opened.flow.target, opened.chosen(shrunk=shrunk)
    if registered:
        hardware = settings.hardware.model_copy(update={"registers": "both"})
        settings = replace(settings, hardware=hardware)
    target = settings.open()
    if not isinstance(target, AsicTarget):
        raise DwnAsicError(f"{folder}: its target has no cells")
    mapped = circuit.implementation
    if registered:
        mapped = implement(circuit.circuit, target, name=mapped.name)
    started = _seconds()
    try:
        found = layout(mapped, target, opened.dataset)
    except VerificationError as error:
        print(f"{folder}: {error}", file=sys.stderr)
        return None, _seconds() - started
    assert found.verdict is not None
    if found.verdict.lvs is None or not found.verdict.clean:
        raise DwnAsicError(f"{folder}: {'; '.join(found.verdict.lines())}")
    return found, _seconds() - started


def _folders(*, shrunk: bool) -> list[Path]:
    """Return the finished flows in the folder ``RUNS`` that have such a circuit."""
    root = Path(os.environ.get("RUNS", "build"))
    netlists = root.glob("*/shrunk/netlist.v" if shrunk else "*/netlist.v")
    folders = sorted(path.parents[1] if shrunk else path.parent for path in netlists)
    if not folders:
        raise DwnAsicError(f"{root}: has no such circuit of a finished flow: set RUNS")
    return folders


def decks() -> Iterator[Row]:
    """Run the foundry's decks on layouts of shrunk circuits, as `dwn-asic drc` does."""
    folders, found = _folders(shrunk=True), dict[str, int]()
    for folder in folders:
        made, _ = _laid_out(folder, shrunk=True, registered=False)
        if made is None:
            raise DwnAsicError(f"{folder}: no clean layout")
        with TemporaryDirectory() as scratch:
            path = Path(scratch) / f"{made.top}.gds"
            path.write_bytes(made.gds)
            verdicts, missing = official_decks(path, pdk=made.design.technology.name, top=made.top)
        if missing:
            raise DwnAsicError("; ".join(missing))
        for verdict in verdicts:
            tool = verdict.tool.split(",")[0]
            found[tool] = found.get(tool, 0) + verdict.violations
    names = ", ".join(each.name for each in folders)
    for tool, violations in found.items():
        what = f"violations that the deck for {tool} finds in layouts of the shrunk circuits of {names}"
        yield row(f"tapeout.decks_{tool.lower()}", what, violations, "", "<= 0")


def _circuits(name: str, *, shrunk: bool, registered: bool = False) -> Iterator[Row]:
    """Lay out a circuit of each finished flow in the folder ``RUNS``."""
    folders = _folders(shrunk=shrunk)
    found = [_laid_out(folder, shrunk=shrunk, registered=registered) for folder in folders]
    which = f"{'shrunk' if shrunk else 'exact'} circuits"
    registers = ", registers at inputs and outputs" if registered else ""
    what = f"{which} of {len(folders)} flows ({', '.join(each.name for each in folders)}){registers}"
    clean = [made.report for made, _ in found if made is not None]
    yield row(
        f"tapeout.{name}_clean",
        f"{what}: layouts with all nets, no violation of our rules, and matching transistors and function",
        len(clean),
        "",
        f">= {len(folders)}",
    )
    slowest = max(seconds for _, seconds in found)
    yield row(
        f"tapeout.{name}_seconds", f"{what}: slowest, checks included, on one core", slowest, "s", "<= 120"
    )
    for key, quantity in (("timing__delay", "delay"), ("energy__inference", "energy")):
        ratios = [
            report.after[key] / report.before[key]
            for report in clean
            if report.before and report.after and report.before.get(key)
        ]
        if ratios:
            mean = float(np.exp(np.mean(np.log(ratios))))
            yield row(
                f"tapeout.{name}_{quantity}_ratio",
                f"{what}: {quantity} after over before layout, geometric mean",
                mean,
                "x",
            )


_CIRCUITS = {
    "nine": partial(_circuits, "nine", shrunk=True),
    "registered": partial(_circuits, "registered", shrunk=True, registered=True),
    "exact": partial(_circuits, "exact", shrunk=False),
}
MEASUREMENTS = {
    **{
        id_: measure
        for which, measured, figures in (
            *((which, partial(stress, which), _STRESS_FIGURES) for which in _STRESS),
            *((which, measure, _CIRCUIT_FIGURES) for which, measure in _CIRCUITS.items()),
        )
        for id_, measure in named("tapeout", measured, *(f"{which}_{each}" for each in figures)).items()
    },
    **named("tapeout", decks, "decks_klayout", "decks_magic"),
    **{f"tapeout.cells_{cells}_seconds": partial(large, cells) for cells in _LARGE},
}
