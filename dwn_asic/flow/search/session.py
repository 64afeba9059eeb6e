"""A search: its folder, its trials, and what came out of them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from dwn_asic.data.config import FILE_KEYS
from dwn_asic.data.sources import data_files
from dwn_asic.errors import ConfigError, DwnAsicError, ToolTimeoutError
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.execution.executor import Executor, seconds_to
from dwn_asic.execution.resources import Resources
from dwn_asic.files import canonical_digest, content_digest, read_json, write_text
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.flow.locking import locked
from dwn_asic.flow.run import Flow
from dwn_asic.flow.search.trial import Outcome, Trial
from dwn_asic.flow.starts import UNTRAINED
from dwn_asic.flow.step import Reporter
from dwn_asic.flow.tasks import carried_out
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.search.pareto import Candidate, pareto
from dwn_asic.search.pruning import threshold
from dwn_asic.search.recipes import TREES, default_space, first_assignments
from dwn_asic.search.sampler import Asked, Direction, Sampler, open_sampler
from dwn_asic.search.space import Assignment, Space, applied, including, own, read_axis
from dwn_asic.targets.asic.signoff.metrics import DELAY, ENERGY
from dwn_asic.targets.registry import target_kind
from dwn_asic.tools import processors

__all__ = ["BASE", "FURTHER", "OWN_SECTIONS", "Limits", "Search", "open_search", "opened", "write_flow_file"]

BASE = "base.yaml"
"""Name of the flow file that all flow files of a search extend."""
FURTHER: Mapping[str, str] = {"delay": DELAY, "energy": ENERGY}
"""Metric of each objective beside score and area."""
_PATIENCE_S = 10.0
"""Seconds that a trial has to stop by itself when the time is up before it is killed."""
_RECORD = "search.json"
_NETWORK_KEYS = ("encoder.bits", "encoder.thermometer")
"""Keys of other sections than ``model`` and ``training`` that only networks depend on."""
OWN_SECTIONS = ("encoder", "model", "training", "shrink", "minimize", "baselines")
"""Sections that the flow file of each trial has itself, all others are in :data:`BASE`."""


@dataclass(frozen=True)
class Limits:
    """The end of a search.

    Attributes
    ----------
    trials
        Number of trials, those of earlier calls included; None for no limit.
    deadline
        Time of :func:`time.monotonic` at which trials that still run are stopped; None for no limit.
    longest_s
        Time that a trial is known to take, in seconds; none begins if less is left. By default that of the
        longest trial so far.
    """

    trials: int | None = None
    deadline: float | None = None
    longest_s: float | None = None

    def end(self, number: int, longest_s: float) -> bool:
        """Return whether no further trial begins after so many."""
        if self.trials is not None and number >= self.trials:
            return True
        expected = max(longest_s, self.longest_s or 0.0)
        return self.deadline is not None and time.monotonic() + expected > self.deadline


@dataclass(frozen=True)
class Search:
    """A search of a flow.

    Attributes
    ----------
    flow
        The flow, whose folder is not used.
    folder
        Folder of the search.
    space
        Axes, which hold all of the flow's own values.
    further
        Names of objectives beside score and area: keys of :data:`FURTHER`.
    storage
        Journal file or database URL of the sampler.
    prunes
        Whether trials may end after a few epochs.
    """

    flow: Flow
    folder: Path
    space: Space
    further: tuple[str, ...]
    storage: str
    prunes: bool

    @property
    def objectives(self) -> Mapping[str, Direction]:
        """Name and direction of each objective."""
        return {"score": "maximize", "area": "minimize", **dict.fromkeys(self.further, "minimize")}

    @cached_property
    def content(self) -> dict[str, Any]:
        """The content of the flow file, as far as trials keep it."""
        given = self.flow.config.model_dump(mode="json", exclude_unset=True)
        kept = {key: value for key, value in given.items() if key not in {"search", "match"}}
        shrink = {**(kept.get("shrink") or {}), "jobs": 1, "minimize_front": True}
        limits = ("max_area", "min_score")
        return {**kept, "shrink": {key: value for key, value in shrink.items() if key not in limits}}

    def run(self, limits: Limits, resources: Resources, reporter: Reporter) -> dict[int, Outcome]:
        """Run trials until the limits end the search; return the outcome of each trial by its number.

        Trials of earlier calls count. A trial that fails is reported, and the others continue.

        Parameters
        ----------
        limits
            End of the search.
        resources
            Where trials run. Where there is only one at a time, the same seed leads to the same trials.
        reporter
            Receives a message for each trial.

        Raises
        ------
        ConfigError
            The folder has a search with other settings.
        DwnAsicError
            No trial succeeded, whose first error this is, or none ended in the time.
        """
        with locked(self.folder, reporter) as lock:
            self._prepare()
            sampler = open_sampler(
                self.storage, self.flow.name, self.space, self.objectives, self.flow.config.seed
            )
            sampler.plan(first_assignments(self.space, own(self.space, self._defaults)))
            isolated = limits.deadline is not None
            with opened(resources, lock, isolated=isolated) as executor:
                return _Session(self, sampler, limits, reporter).run(executor)

    def trial(self, asked: Asked) -> Trial:
        """Write the flow file of a trial, unless it is there, and return the trial."""
        file = self.folder / "trials" / f"{asked.number:04d}.yaml"
        write_flow_file(file, f"../{BASE}", self.sections(asked.assignment))
        further = tuple(FURTHER[name] for name in self.further)
        return Trial(asked.number, file, file.with_suffix(""), None, self.prunes, further)

    def sections(self, assignment: Assignment) -> dict[str, Any]:
        """Return the sections of the flow file of a trial.

        A trial whose annealing starts from no network keeps the network of the flow, so that its data sheets
        need no training of their own.
        """
        content = applied(self.content, self.space, assignment)
        if not {OWN.kind, UNTRAINED}.intersection(content["shrink"].get("starts", (OWN.kind,))):
            kept = {
                key: value
                for key, value in assignment.items()
                if key not in _NETWORK_KEYS and key.partition(".")[0] not in ("model", "training")
            }
            content = applied(self.content, self.space, kept)
        return {key: content[key] for key in OWN_SECTIONS if key in content}

    @property
    def _defaults(self) -> dict[str, Any]:
        return self.flow.config.model_dump(mode="json")

    def _prepare(self) -> None:
        """Write what all trials share; raises ConfigError if the folder has another search."""
        base = {key: value for key, value in self.content.items() if key not in OWN_SECTIONS}
        data = dict(base["data"])
        config = self.flow.config.data
        assert config is not None
        for key, place in FILE_KEYS.items():
            file = getattr(config, place)
            if file is not None and data.get(key) is not None:
                scheme = str(data[key]).partition(":")[0]
                data[key] = f"{scheme}:{Path(os.path.relpath(file, self.folder)).as_posix()}"
        record = {
            "flow": canonical_digest({**self.content, "data": data}),
            "table": {key: content_digest(path) for key, path in data_files(config).items()},
            "space": {key: axis.shown for key, axis in self.space.items()},
            "objectives": dict(self.objectives),
            "prunes": self.prunes,
        }
        path = self.folder / _RECORD
        if path.exists() and (before := read_json(path)) != record:
            changed = [key for key in record if before.get(key) != record[key]]
            problem = f"has a search with another {' and '.join(changed)}"
            raise ConfigError(self.folder, "", problem, "remove it, or search in another --build")
        write_text(self.folder / BASE, yaml.safe_dump({**base, "data": data}, sort_keys=False))
        write_text(path, json.dumps(record, indent=1) + "\n")


class _Session:
    """One call of a search: trials that are asked for as workers become free."""

    def __init__(self, search: Search, sampler: Sampler, limits: Limits, reporter: Reporter) -> None:
        self._search, self._sampler = search, sampler
        self._limits, self._reporter = limits, reporter
        self._begun: dict[int, tuple[float, Assignment]] = {}
        self._longest = 0.0
        self._errors: dict[int, Exception] = {}
        self._outcomes = dict(earlier_outcomes(search.folder))

    def run(self, executor: Executor) -> dict[int, Outcome]:
        """Run the trials."""
        if executor.slots == 0:
            self._reporter.message("no worker is connected to the scheduler yet: waiting for one")
        for trial, found in carried_out(self._trials(), executor, ahead=1, deadline=self._limits.deadline):
            self._end(trial, found if isinstance(found, Exception) else None)
        if not any(each.candidates for each in self._outcomes.values()):
            if self._errors:
                raise self._errors[min(self._errors)]
            raise DwnAsicError(f"{self._search.flow.name}: no trial ended in the time; allow more")
        return dict(sorted(self._outcomes.items()))

    def _trials(self) -> Iterator[Trial]:
        for asked in self._sampler.begun():
            yield self._begin(asked)
        number = self._sampler.ended() + len(self._sampler.begun())
        while not self._limits.end(number, self._longest):
            yield self._begin(self._sampler.ask())
            number += 1

    def _begin(self, asked: Asked) -> Trial:
        self._begun[asked.number] = time.monotonic(), asked.assignment
        known = [o.pilot for _, o in sorted(self._outcomes.items()) if o.pilot is not None]
        n_val = max((o.n_val for o in self._outcomes.values()), default=1)
        return replace(self._search.trial(asked), least=threshold(known, n_val))

    def _end(self, trial: Trial, error: Exception | None) -> None:
        """Tell the sampler how a trial ended, and report it in one line."""
        begun, assignment = self._begun.pop(trial.number)
        outcome = trial.outcome() if error is None else None
        if isinstance(error, ToolTimeoutError) and seconds_to(self._limits.deadline) == 0.0:
            self._reporter.message(f"trial {trial.number}: stopped, since the time is up")
            return  # it counts as begun, so that a further call continues it
        if error is not None and not isinstance(error, DwnAsicError):
            raise error
        if outcome is None:
            self._errors[trial.number] = error or DwnAsicError("no outcome")
            self._sampler.tell(trial.number, None, failed=True)
            self._reporter.message(f"trial {trial.number}: failed: {error} (log: {trial.log})")
            return
        self._outcomes[trial.number] = outcome
        self._longest = max(self._longest, time.monotonic() - begun)
        if outcome.pruned:
            self._sampler.tell(trial.number, None)
        else:
            chosen = outcome.chosen
            further = [chosen.further[FURTHER[name]] for name in self._search.further]
            self._sampler.tell(trial.number, [chosen.score, chosen.area, *further])
        self._reporter.message(f"trial {trial.number}: {self._found(outcome)}; {_shown(assignment)}")
        done = self._limits.trials or 0
        self._reporter.progress("trials", trial.number + 1, max(done, trial.number + 1))

    def _found(self, outcome: Outcome) -> str:
        config = self._search.flow.config
        score = config.objective.metric.replace("_", " ")
        if outcome.pruned:
            return f"pruned, validation {score} {outcome.pilot:.4f} after the first epochs"
        size = target_kind(config.target).size
        unit = "" if size is None else f" {size.words}"
        chosen, total = outcome.chosen, len(self.front())
        return (
            f"validation {score} {chosen.score:.4f} with {chosen.area:.1f}{unit}, "
            f"{total} {'circuit' if total == 1 else 'circuits'} on the front"
        )

    def front(self) -> tuple[Candidate, ...]:
        """Return the front of all circuits so far."""
        return pareto([each for outcome in self._outcomes.values() for each in outcome.candidates])


def opened(resources: Resources, lock: int, *, isolated: bool) -> Executor:
    """Open the executor of the trials of a search, whose lock its processes inherit."""
    threads = max(1, processors() // resources.jobs)
    return resources.open(isolated=isolated, threads=threads, locks=(lock,), patience_s=_PATIENCE_S)


def _shown(assignment: Assignment) -> str:
    """Return an assignment as part of a message."""
    return ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in assignment.items()
        if value != "null"
    )


def earlier_outcomes(folder: Path) -> Iterator[tuple[int, Outcome]]:
    """Yield number and outcome of each trial in the folder of a search that has ended."""
    for file in sorted((folder / "trials").glob("[0-9]*.yaml")):
        number = int(file.stem)
        outcome = Trial(number, file, file.with_suffix("")).outcome()
        if outcome is not None:
            yield number, outcome


def write_flow_file(path: Path, base: str, content: Mapping[str, Any]) -> None:
    """Write a flow file that extends another one, unless it has this content already."""
    text = yaml.safe_dump({"extends": base, **content}, sort_keys=False)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def open_search(
    file: Path,
    build: Path,
    *,
    seed: int | None = None,
    further: Sequence[str] = (),
    storage: str | None = None,
    prunes: bool = True,
) -> Search:
    """Open the search of a flow file, whose folder is ``NAME_search`` in the folder ``build``.

    Parameters
    ----------
    file
        Flow file. Its section ``search`` is the space; without it, a space that suits the task is used.
    build
        Folder of all build folders.
    seed
        Seed that replaces the flow file's.
    further
        Objectives beside score and area: ``delay``, ``energy``.
    storage
        Journal file, or URL of a database; by default a journal in the search's folder.
    prunes
        Whether trials whose validation score is low after a few epochs end there.

    Raises
    ------
    ConfigError
        The flow file cannot be searched, or an objective is unknown.
    """
    config = load_flow(file, seed)
    if isinstance(config.model, ImportConfig):
        raise ConfigError(file, "model.file", "is a trained network", "an architecture to train")
    for name in further:
        if name not in FURTHER or config.target != "asic":
            allowed = ", ".join(FURTHER) if config.target == "asic" else "none with this target"
            raise ConfigError("search", "objective", f"is {name!r}", allowed)
    folder = build / f"{config.name}_search"
    space = _space(config, file)
    where = str(folder / "journal.log") if storage is None else storage
    return Search(Flow(config, folder, file), folder, space, tuple(further), where, prunes)


def _space(config: FlowConfig, file: Path) -> Space:
    """Return the space of the flow's section ``search``, or the default one."""
    if config.search is None:
        from dwn_asic.data.dataset import split_table

        assert config.data is not None
        table, _ = split_table(config.data, config.seed)
        trees = any(each.kind == TREES["kind"] for each in config.baselines)
        space: Space = default_space(len(table.class_names), trees=trees)
    else:
        space = {key: read_axis(value) for key, value in config.search.items()}
    try:
        return including(space, config.model_dump(mode="json"))
    except ValueError as error:
        raise ConfigError(file, "search", str(error)) from error
