"""Topic ``search``, its part on ``auto``: a table and ten minutes, against the flows that were made by hand.

Each data set and seed is measured once and kept in ``build/figures``, so that an interrupted measurement
continues. Environment variables choose a part: ``AUTO_SETS`` (names with spaces between), ``AUTO_SEEDS`` and
``AUTO_BUDGET`` (such as 10m); the rows then say what they cover.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.figures.kept import FOLDER, kept
from benchmarks.figures.table import Row, named, row
from dwn_asic.data.sources import data_files
from dwn_asic.execution.resources import Resources
from dwn_asic.flow import Flow, Reporter, open_flow, run_flow
from dwn_asic.flow.artifacts import FRONT, FrontRow
from dwn_asic.flow.search.auto import Auto, auto
from dwn_asic.flow.steps.shared import SHRUNK
from dwn_asic.search.effort import seconds_of
from dwn_asic.search.pareto import Candidate, pareto, within_area

_STUDIES = ("flows/nine", "flows/held_out")
FLOWS = {file.stem: file for folder in _STUDIES for file in sorted(Path(folder).glob("*.yaml"))}
"""Name of each data set, and the flow file that was made by hand for it."""
_CORES = 2
_AREAS = (8.0, 16.0, 32.0, 64.0, 128.0)
"""Areas in NAND2 equivalents within which both choose a circuit."""
_SHOWN = ", ".join(f"{area:g}" for area in _AREAS)
_BETTER, _NO_WORSE = 6, 11
"""Number of data sets on which ``auto`` should be better, and no worse."""


def against_flows() -> Iterator[Row]:
    """Compare ``auto`` with a flow made by hand, at several areas."""
    sets = os.environ.get("AUTO_SETS", " ".join(FLOWS)).split()
    seeds = [int(seed) for seed in os.environ.get("AUTO_SEEDS", "0 1 2").split()]
    budget = os.environ.get("AUTO_BUDGET", "10m")
    covers = f"auto with {budget} on {_CORES} cores, mean of seeds {', '.join(map(str, seeds))}"
    gains: dict[str, float] = {}
    for name in sets:
        found = [_measured(name, seed, budget) for seed in seeds]
        ours, theirs = (100 * mean(mean(each[whose]) for each in found) for whose in ("auto", "flow"))
        gains[name] = ours - theirs
        what = (
            f"{name}: test accuracy of auto ({ours:.2f}%) less that of {FLOWS[name]} ({theirs:.2f}%), of the "
            f"circuits that validation rows choose within {_SHOWN} NAND2, on average; {covers}"
        )
        yield row(f"search.auto_{name}", what, gains[name], "points")
    # On fewer data sets the counts would not be comparable with their targets.
    whole = len(sets) == len(FLOWS)
    no_worse, better = (sum(test(gain) for gain in gains.values()) for test in (_is_no_worse, _is_better))
    what = f"of {len(sets)} data sets, those on which auto is no worse at equal area; {covers}"
    yield row("search.auto_no_worse", what, no_worse, "data sets", f">= {_NO_WORSE}" if whole else "")
    what = f"of {len(sets)} data sets, those on which auto is better at equal area; {covers}"
    yield row("search.auto_better", what, better, "data sets", f">= {_BETTER}" if whole else "")


def _is_no_worse(gain: float) -> bool:
    return gain >= -1e-9  # means of equal scores may differ in the last bit


def _is_better(gain: float) -> bool:
    return gain > 1e-9


def _measured(name: str, seed: int, budget: str) -> dict[str, Any]:
    """Return the test accuracies of both for a data set and a seed, within each area."""
    return kept(f"auto-{name}-{seed}-{budget}", lambda: _measure(name, seed, budget))


def _measure(name: str, seed: int, budget: str) -> dict[str, Any]:
    place = FOLDER / "auto"
    by_hand = open_flow(FLOWS[name], place / f"flows/seed-{seed}", seed)
    run_flow(by_hand, Reporter(), targets=[f"{SHRUNK}/{FRONT.name}"], jobs=_CORES)
    assert by_hand.config.data is not None
    (table,) = data_files(by_hand.config.data).values()
    made = auto(
        f"csv:{table}",
        budget_s=seconds_of(budget),
        build=place / f"{budget}/seed-{seed}",
        seed=seed,
        resources=Resources(_CORES),
    )
    chip = Flow(made.search.flow.config, made.search.folder / made.chip.name, made.search.flow.file)
    _check_rows(by_hand, chip)
    ours, theirs = _circuits_of(made), [*by_hand.read(FRONT.at(SHRUNK))]
    return {
        "auto": [_within(ours, area).test for area in _AREAS],
        "flow": [_within(theirs, area).test for area in _AREAS],
        "chip": made.chip.candidate.area,
        "trials": made.trials,
    }


def _circuits_of(made: Auto) -> list[FrontRow]:
    """Return the circuits of all trials that ended, or of the short one if no other did."""
    folders = [*(made.search.folder / "trials").glob("[0-9]*/shrunk"), made.folder]
    return [each for folder in folders for each in FRONT.codec.read(folder / FRONT.name)]


def _check_rows(one: Flow, other: Flow) -> None:
    """Raise AssertionError unless both were tested on the same rows."""
    first, second = one.dataset, other.dataset
    assert np.array_equal(first.split.test, second.split.test)
    labels = [np.asarray(each.class_names)[each.labels] for each in (first.table, second.table)]
    assert np.array_equal(labels[0], labels[1])


def _within(rows: list[FrontRow], area: float) -> FrontRow:
    """Return the circuit that is best on validation rows within an area, else the smallest."""
    found = [Candidate(0, place, each.total, each.val, each.expected) for place, each in enumerate(rows)]
    least = min(each.area for each in found)
    return rows[within_area(pareto(found), max(area, least)).place]


MEASUREMENTS = named(
    "search", against_flows, *(f"auto_{name}" for name in FLOWS), "auto_no_worse", "auto_better"
)
"""Id of each figure -> the function that measures it."""
