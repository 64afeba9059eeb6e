"""Topic ``tapeout``: layouts of random netlists, and of circuits of finished flows in the folder ``RUNS``.

``RUNS=build/nine/seed-0 make figures ONLY=tapeout.nine`` takes every finished flow in that folder. The PDK
must be installed (``PDK_ROOT``).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.figures.table import Row, named, row
from dwn_asic.api.place_and_route import layout
from dwn_asic.errors import DwnAsicError, VerificationError
from dwn_asic.flow.finished import load
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.tapeout.lay_out import LayoutOptions, lay_out
from dwn_asic.targets.asic.tapeout.layout import LayoutReport
from dwn_asic.targets.asic.tapeout.self_check import check_design
from dwn_asic.targets.asic.tapeout.technology import load_technology
from dwn_asic.targets.asic.target import AsicTarget

sys.path += ["tests"]  # random netlists, which the tests lay out too

STRESS = 100
"""Number of random netlists."""
_SIZES = 20, 1000
_UTILIZATIONS = 0.5, 0.85
_ATTEMPTS = 4
_WORKERS = 2
_LARGE = {1000: ("<= 300", 0.6), 3000: ("<= 1800", 0.6)}
"""Cells of large netlists, the target for their seconds, and their utilization."""


@dataclass(frozen=True)
class Outcome:
    """A random netlist: its cells, its utilization, its seconds, its attempts (0 without a layout)."""

    cells: int
    utilization: float
    seconds: float
    attempts: int
    kinds: frozenset[str]


def attempt(cells: int, utilization: float, seed: int) -> Outcome:
    """Lay out a random netlist; raises VerificationError if a layout that counts as clean is not."""
    from netlists import random_netlist

    pdk = load_pdk("sky130hd")
    netlist = random_netlist(pdk.library, cells, seed)
    kinds = frozenset(each.cell for each in netlist.instances)
    started = time.perf_counter()
    try:
        found = lay_out(
            netlist, load_technology(pdk), LayoutOptions(utilization, seed=seed, attempts=_ATTEMPTS)
        )
    except VerificationError:
        return Outcome(cells, utilization, time.perf_counter() - started, 0, kinds)
    seconds = time.perf_counter() - started
    wrong = check_design(found.design)
    if wrong:
        raise VerificationError(f"{cells} cells, seed {seed}: {wrong[0]}")
    return Outcome(cells, utilization, seconds, len(found.attempts), kinds)


@cache
def outcomes() -> tuple[Outcome, ...]:
    """Return the outcomes of all random netlists."""
    generator = np.random.default_rng(0)
    sizes = np.geomspace(*_SIZES, STRESS).round().astype(int)
    utilizations = generator.uniform(*_UTILIZATIONS, STRESS).round(2)
    with ProcessPoolExecutor(_WORKERS, mp_context=get_context("spawn")) as pool:
        todo = zip(sizes, utilizations, range(STRESS), strict=True)
        running = [pool.submit(attempt, int(n), float(u), seed) for n, u, seed in todo]
        return tuple(each.result() for each in running)


def stress() -> Iterator[Row]:
    """Lay out random netlists of all sizes and utilizations."""
    found = outcomes()
    clean = [each for each in found if each.attempts]
    sizes, least, most = f"{_SIZES[0]} to {_SIZES[1]} cells", *_UTILIZATIONS
    what = f"{len(found)} random netlists of {sizes}, utilization {least} to {most}, sky130hd"
    yield row("tapeout.stress_clean", f"{what}: clean layouts", len(clean), "", ">= 98")
    first = sum(each.attempts == 1 for each in clean)
    yield row("tapeout.stress_first", f"{what}: clean layouts at the first attempt", first)
    kinds = frozenset[str]().union(*(each.kinds for each in found))
    library = load_pdk("sky130hd").library
    share = len(kinds) / (len(library.cells) + 1)
    yield row(
        "tapeout.stress_kinds", f"{what}: share of the mapping library used", 100 * share, "%", ">= 100"
    )
    slowest = max(each.seconds for each in found)
    yield row("tapeout.stress_seconds", f"{what}: time of the slowest", slowest, "s")


def large(cells: int) -> Iterator[Row]:
    """Measure the time that a large random netlist takes."""
    target, utilization = _LARGE[cells]
    found = attempt(cells, utilization, 7)
    if not found.attempts:
        raise VerificationError(f"no clean layout of {cells} cells")
    what = f"random netlist of {cells} cells at a utilization of {utilization}, sky130hd, two cores"
    yield row(
        f"tapeout.cells_{cells}_seconds", f"{what}: placed, routed and checked", found.seconds, "s", target
    )


def _laid_out(folder: Path, *, shrunk: bool) -> tuple[LayoutReport, float]:
    opened = load(folder)
    target = opened.flow.target.open()
    if not isinstance(target, AsicTarget):
        raise DwnAsicError(f"{folder}: its target has no cells")
    circuit = opened.chosen(shrunk=shrunk)
    started = time.perf_counter()
    found = layout(circuit.implementation, target, opened.dataset)
    return found.report, time.perf_counter() - started


def nine() -> Iterator[Row]:
    """Lay out the shrunk circuits of all finished flows in the folder ``RUNS``."""
    root = Path(os.environ.get("RUNS", "build"))
    folders = sorted(path.parent for path in root.glob("*/shrunk") if (path / "netlist.v").is_file())
    if not folders:
        raise DwnAsicError(f"{root}: has no finished flow with a shrunk circuit: set RUNS")
    found = [_laid_out(folder, shrunk=True) for folder in folders]
    what = f"shrunk circuits of {len(found)} flows ({', '.join(folder.name for folder in folders)})"
    yield row("tapeout.nine_clean", f"{what}: clean layouts", len(found), "", f">= {len(folders)}")
    slowest = max(seconds for _, seconds in found)
    yield row("tapeout.nine_seconds", f"{what}: time of the slowest", slowest, "s", "<= 120")
    for key, name in (("timing__delay", "delay"), ("energy__inference", "energy")):
        ratios = [
            report.after[key] / report.before[key]
            for report, _ in found
            if report.before and report.after and report.before.get(key)
        ]
        if ratios:
            mean = float(np.exp(np.mean(np.log(ratios))))
            yield row(
                f"tapeout.nine_{name}_ratio",
                f"{what}: {name} after over before layout, geometric mean",
                mean,
                "x",
            )


MEASUREMENTS = {
    **named("tapeout", stress, "stress_clean", "stress_first", "stress_kinds", "stress_seconds"),
    **named("tapeout", nine, "nine_clean", "nine_seconds", "nine_delay_ratio", "nine_energy_ratio"),
    **{f"tapeout.cells_{cells}_seconds": partial(large, cells) for cells in _LARGE},
}
