"""The command ``auto``: a table becomes a proved chip in a given time, with nothing to choose."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from dwn_asic.data.inspection import Inspection, inspect_table
from dwn_asic.data.sources import locate
from dwn_asic.errors import ConfigError, DwnAsicError, ToolTimeoutError
from dwn_asic.execution.resources import Resources
from dwn_asic.files import read_json, write_json, write_text
from dwn_asic.flow.search.publish import publish, published_front
from dwn_asic.flow.search.scout import EFFORT, NUMBER, Scout
from dwn_asic.flow.search.session import Limits, Search, open_search
from dwn_asic.flow.search.trial import Outcome, Trial
from dwn_asic.flow.step import Reporter
from dwn_asic.flow.tasks import carried_out
from dwn_asic.search.effort import scaled, share_of_effort
from dwn_asic.search.pareto import Candidate, choose, pareto, smallest_reaching, within_area
from dwn_asic.search.recipes import base_sections
from dwn_asic.search.report import Proved
from dwn_asic.targets.registry import target_kind
from dwn_asic.tools import processors

__all__ = ["Auto", "Wish", "auto"]

_TRIALS_EACH = 4
"""Number of trials that each worker should end at least."""
_RESERVE, _LEAST_RESERVE_S, _MOST_RESERVE_S = 0.12, 15.0, 90.0
"""Share of the time that is kept for mapping and proving, and its bounds in seconds."""
_OTHERS = 4
"""Number of circuits that are proved beside the chosen one, if there is time."""
_TRIES = 4
"""Number of circuits that are mapped until one keeps the largest area that was asked for."""


@dataclass(frozen=True)
class Wish:
    """A wish for the chip; without one the choice is that of shrinking.

    Attributes
    ----------
    max_area
        Largest total area in units of the target.
    min_score
        Lowest validation score, from 0 to 1.
    """

    max_area: float | None = None
    min_score: float | None = None


@dataclass(frozen=True)
class Auto:
    """The outcome of :func:`auto`.

    Attributes
    ----------
    search
        The search, with its folder.
    chip
        The chosen circuit.
    proved
        All proved circuits, by ascending area.
    trials
        Number of trials that ended.
    """

    search: Search
    chip: Proved
    proved: tuple[Proved, ...]
    trials: int

    @property
    def folder(self) -> Path:
        """Folder of the chip's files: data sheet, Verilog, netlist and proof."""
        return self.search.folder / self.chip.name / "shrunk"


def auto(
    table: str,
    *,
    label: str | None = None,
    wish: Wish | None = None,
    budget_s: float = 600.0,
    trials: int | None = None,
    metric: str = "accuracy",
    build: Path = Path("build"),
    seed: int = 0,
    resources: Resources | None = None,
    reporter: Reporter | None = None,
) -> Auto:
    """Turn a table into a proved chip in a given time.

    The first trial is the recipe of the package's own studies, with fewer epochs and proposals if the time
    is short. Further trials vary it. Validation rows choose; the test rows are scored once, at the end.

    Parameters
    ----------
    table, label
        Table and label column, as in :func:`dwn_asic.data.inspection.inspect_table`.
    wish
        Largest area, or lowest score.
    budget_s
        Time for everything in seconds; mapping and proving the chosen circuit may exceed it.
    trials
        Maximum number of trials; by default the time is the only limit.
    metric
        Score to maximize: a metric of the section ``objective`` of a flow file, without costs.
    build, seed, resources
        Folder of all build folders, seed, and where trials run: by default one at
        a time on this machine.
    reporter
        Receives messages.

    Raises
    ------
    DataError
        The table cannot be used.
    ConfigError
        An option is wrong, no circuit is as small as wished, or the folder has another search.
    DwnAsicError
        The time was too short for any circuit.
    """
    begun, reporter, wish = time.monotonic(), reporter or Reporter(), wish or Wish()
    resources = resources or Resources(1)
    end = begun + budget_s
    found = inspect_table(table, label)
    for note in found.assumptions:
        reporter.message(f"auto: {note}")
    plan = _Plan(found, _name(table), metric, seed, build)
    stop = end - min(_MOST_RESERVE_S, max(_LEAST_RESERVE_S, _RESERVE * budget_s))
    share, scout = plan.effort(stop, resources, reporter)
    file = plan.write("flow.yaml", share)
    search = open_search(file, build)
    longest = scout.times.at(share, EFFORT)
    limits = Limits(trials, stop, min(longest, 0.5 * (stop - time.monotonic())))
    outcomes = _outcomes(search, limits, resources, reporter, scout)
    result = _made(search, outcomes, wish, resources, end, reporter, {NUMBER: scout.trial.file})
    reporter.message(f"auto: {len(outcomes)} trials, {time.monotonic() - begun:.0f} s of {budget_s:.0f} s")
    return result


def _name(table: str) -> str:
    """Return the name of a flow for a table."""
    stem = Path(table.partition(":")[2] or table).name.partition(".")[0]
    return re.sub(r"^[^A-Za-z]+|[^A-Za-z0-9_]", "", re.sub(r"[-. ]", "_", stem)) or "chip"


@dataclass(frozen=True)
class _Plan:
    """The flow of a table, before its effort is known."""

    inspection: Inspection
    name: str
    metric: str
    seed: int
    build: Path

    @property
    def folder(self) -> Path:
        """Folder of the search."""
        return self.build / f"{self.name}_search"

    def write(self, place: str, share: float) -> Path:
        """Write the flow file with a share of the whole effort, and return its path.

        A file of this content is left as it is, so that what was made from it stays up to date.
        """
        n_train = round(0.6 * self.inspection.n_rows)
        sections = scaled(base_sections(n_train, len(self.inspection.class_names)), share)
        data = dict(self.inspection.data)
        path = self.folder / place
        content: dict[str, Any] = {"name": self.name, "seed": self.seed, "data": self._located(data, path)}
        if self.metric != "accuracy":
            content["objective"] = {"metric": self.metric}
        shrink = {**sections["shrink"], "jobs": 1, "minimize_front": True}
        text = yaml.safe_dump({**content, **sections, "shrink": shrink}, sort_keys=False)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
        return path

    def _located(self, data: dict[str, Any], path: Path) -> dict[str, Any]:
        """Return the section with the path of the table as seen from the folder of the flow file."""
        source = str(data["source"])
        file = locate(source, Path())
        if file is None:
            return data
        relative = Path(os.path.relpath(file, path.parent)).as_posix()
        return {**data, "source": f"{source.partition(':')[0]}:{relative}"}

    def _measure(self, scout: Scout, resources: Resources, stop: float) -> None:
        """Run the short trial; raises DwnAsicError if the time does not even suffice for it."""
        with replace(resources, jobs=1).open(threads=processors()) as executor:
            found = [found for _, found in carried_out([scout], executor, deadline=stop)]
        if not found or isinstance(found[0], ToolTimeoutError):
            raise DwnAsicError(f"{self.name}: no circuit was found in the time; allow more with --budget")
        if isinstance(found[0], Exception):
            raise found[0]

    def effort(self, stop: float, resources: Resources, reporter: Reporter) -> tuple[float, Scout]:
        """Return the share of the whole effort with which trials fit the time, and the trial that tells.

        A search that was begun keeps its effort.
        """
        file = self.write("trials/scout.yaml", EFFORT)
        scout = Scout(Trial(NUMBER, file, file.with_suffix("")))
        record = self.folder / "effort.json"
        if not (record.exists() and scout.done):
            reporter.message("auto: a short trial tells how many epochs and proposals fit the time")
            self._measure(scout, resources, stop)
            left = max(0.0, stop - time.monotonic())
            write_json(record, share_of_effort(scout.times, EFFORT, left / _TRIALS_EACH))
        share = float(read_json(record))
        more = "; a longer --budget allows more" if share < 1.0 else ""
        at_once = "" if resources.scheduler is not None else f"; {resources.jobs} at once"
        reporter.message(
            f"auto: a trial takes about {scout.times.at(share, EFFORT):.0f} s, with {100.0 * share:.0f}% of "
            f"the usual epochs and proposals{at_once}{more}"
        )
        return share, scout


def _outcomes(
    search: Search, limits: Limits, resources: Resources, reporter: Reporter, scout: Scout
) -> Mapping[int, Outcome]:
    """Return the outcomes of all trials; that of the short trial too if no other has any circuit."""
    try:
        outcomes = search.run(limits, resources, reporter)
    except ConfigError:
        raise
    except DwnAsicError as error:
        reporter.message(f"auto: {error}")
        outcomes = {}
    if any(each.candidates for each in outcomes.values()):
        return outcomes
    short = scout.trial.outcome()
    assert short is not None
    reporter.message("auto: the short trial has to do")
    return {NUMBER: short}


def _made(
    search: Search,
    outcomes: Mapping[int, Outcome],
    wish: Wish,
    resources: Resources,
    end: float,
    reporter: Reporter,
    files: Mapping[int, Path],
) -> Auto:
    """Choose the chip, and prove it and some circuits around it."""
    front = pareto([each for outcome in outcomes.values() for each in outcome.candidates])
    n_val = max(outcome.n_val for outcome in outcomes.values())
    chosen = _choice(search, front, wish, n_val, reporter)
    name = search.flow.name

    def make(candidate: Candidate) -> Proved:
        (chip,) = publish(
            search, outcomes, [candidate], replace(resources, jobs=1), reporter, files=files, names=[name]
        )
        return chip

    if chosen.area == 0.0 and wish == Wish():
        reporter.message(
            "auto: the chosen circuit needs no gates: it passes on an input bit, or always answers the same "
            "class, since larger ones are hardly better; --max-area asks for the best circuit of a size"
        )
    chosen, chip = _within(make, chosen, front, wish, search)
    others = [each for each in published_front(outcomes, _OTHERS + 1, [chosen]) if each is not chosen]
    proved = publish(search, outcomes, others, resources, reporter, files=files, known=(chip,), deadline=end)
    return Auto(search, chip, proved, len(outcomes))


def _choice(
    search: Search, front: tuple[Candidate, ...], wish: Wish, n_val: int, reporter: Reporter
) -> Candidate:
    if wish.max_area is not None:
        return within_area(front, wish.max_area)
    shrink = search.flow.config.shrink
    assert shrink is not None
    if wish.min_score is None:
        return choose(front, shrink.tolerance, n_val)
    found = smallest_reaching(front, wish.min_score)
    if found is None:
        found = max(front, key=lambda each: (each.score, -each.area))
        reporter.message(
            f"auto: no circuit reaches a validation score of {wish.min_score:g}; "
            f"the best has {found.score:.4f}"
        )
    return found


def _within(
    make: Callable[[Candidate], Proved],
    chosen: Candidate,
    front: tuple[Candidate, ...],
    wish: Wish,
    search: Search,
) -> tuple[Candidate, Proved]:
    """Prove the choice; where it is larger after mapping than wished, take a smaller one."""
    size = target_kind(search.flow.config.target).size
    limit = math.inf if wish.max_area is None else wish.max_area
    for _ in range(_TRIES):
        chip = make(chosen)
        area = 0.0 if size is None else chip.metrics[size.total]
        smaller = [each for each in front if each.area < chosen.area]
        if area <= limit or not smaller:
            break
        chosen = within_area(smaller, max(smaller[0].area, chosen.area - (area - limit)))
    return chosen, chip
