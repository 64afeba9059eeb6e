"""The runs of a study: each data set's flow over several seeds, and what each method gave on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from dwn_asic.errors import DataError
from dwn_asic.report.result import NO_CIRCUIT, MethodResult, Result

__all__ = ["Run", "Study", "over_runs", "study_of"]


@dataclass(frozen=True)
class Run:
    """One flow with one seed.

    Attributes
    ----------
    result
        What it measured.
    place
        Where it is, for readers: a path, usually from the working directory.
    text
        Returns the text of a file of the run, for example ``shrunk/design.v``; None where it isn't there.
    """

    result: Result
    place: str
    text: Callable[[str], str | None] = field(repr=False, compare=False)

    @property
    def file(self) -> str:
        """Its ``result.json``, for readers."""
        return f"{self.place}/result.json"

    @property
    def tools(self) -> str:
        """Names and versions in one line."""
        return "; ".join(f"{tool} {version}" for tool, version in sorted(self.result.tools.items()))

    @cached_property
    def methods(self) -> Mapping[str, MethodResult]:
        """By name."""
        return {method.name: method for method in self.result.methods}


@dataclass(frozen=True)
class Study:
    """Runs of several data sets.

    Attributes
    ----------
    name
        For headings and folders.
    sets
        Flow name -> runs, ascending by seed; names in order.
    """

    name: str
    sets: Mapping[str, Sequence[Run]]

    @property
    def runs(self) -> list[Run]:
        """All of them, by set and seed."""
        return [run for runs in self.sets.values() for run in runs]

    @property
    def seeds(self) -> list[int]:
        """Those that any set has."""
        return sorted({run.result.seed for run in self.runs})

    @property
    def seed_list(self) -> str:
        """The seeds for a sentence, with commas."""
        return ", ".join(map(str, self.seeds))

    @cached_property
    def methods(self) -> dict[str, MethodResult]:
        """What stands for each method that occurs, by name, in the order of the flows: :func:`over_runs`."""
        found: dict[str, list[MethodResult]] = {}
        for run in self.runs:
            for name, method in run.methods.items():
                found.setdefault(name, []).append(method)
        return {name: over_runs(results) for name, results in found.items()}

    def having(self, method: str) -> Study:
        """The data sets whose every run has this method."""
        return replace(
            self,
            sets={f: runs for f, runs in self.sets.items() if all(method in run.methods for run in runs)},
        )

    def of(self, flow: str, method: str) -> list[MethodResult]:
        """A method's results on one set, ascending by seed; runs that lack it are left out."""
        return [run.methods[method] for run in self.sets[flow] if method in run.methods]


def over_runs(found: Iterable[MethodResult]) -> MethodResult:
    """Of one method's results the first with a circuit, else the first; its label is the method's own.

    A baseline may have a circuit on some runs and, on the others, its accuracy alone. It's software only if
    it has none at all.
    """
    first = min(found, key=lambda method: method.kind == "software")
    return first.model_copy(update={"label": first.label.removesuffix(NO_CIRCUIT)})


def study_of(name: str, runs: Iterable[Run]) -> Study:
    """Runs as a study of that name.

    Raises
    ------
    DataError
        Two runs of a flow have the same seed.
    """
    sets: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.result.flow, run.result.seed)):
        same = sets.setdefault(run.result.flow, [])
        if same and same[-1].result.seed == run.result.seed:
            raise DataError(run.file, f"is of the same flow and seed as {same[-1].file}")
        same.append(run)
    return Study(name, sets)
