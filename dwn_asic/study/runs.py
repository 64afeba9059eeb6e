"""The runs of a study: each data set's flow over several seeds, with the results of every method."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from dwn_asic.errors import DataError
from dwn_asic.metrics import SCORES, Size
from dwn_asic.report.result import NO_CIRCUIT, MethodResult, Result

__all__ = ["Run", "Study", "over_runs", "study_of"]


_PLURALS = {"macro F1": "macro F1 scores", "F1": "F1 scores", "cost score": "cost scores", "score": "scores"}


@dataclass(frozen=True)
class Run:
    """One flow with one seed.

    Attributes
    ----------
    result
        Its measurements.
    place
        Path of its folder as readers see it, usually from the working directory.
    text
        Returns the text of a file of the run, for example ``shrunk/design.v``; None where it is missing.
    """

    result: Result
    place: str
    text: Callable[[str], str | None] = field(repr=False, compare=False)

    @property
    def file(self) -> str:
        """Path of its ``result.json`` as readers see it."""
        return f"{self.place}/result.json"

    @property
    def tools(self) -> str:
        """Names and versions of the tools in one line."""
        return "; ".join(f"{tool} {version}" for tool, version in sorted(self.result.tools.items()))

    @cached_property
    def methods(self) -> Mapping[str, MethodResult]:
        """Results of all methods, by name."""
        return {method.name: method for method in self.result.methods}


@dataclass(frozen=True)
class Study:
    """Runs of several data sets.

    Attributes
    ----------
    name
        Name in headings and folders.
    sets
        Flow name -> runs, ascending by seed; names are in order.
    """

    name: str
    sets: Mapping[str, Sequence[Run]]

    @property
    def size(self) -> Size | None:
        """Unit and metrics of sizes on the target of all runs; None if it counts none."""
        return next((run.result.size for run in self.runs), None)

    @property
    def runs(self) -> list[Run]:
        """All runs, by set and seed."""
        return [run for runs in self.sets.values() for run in runs]

    @property
    def seeds(self) -> list[int]:
        """Seeds that any set has."""
        return sorted({run.result.seed for run in self.runs})

    @property
    def seed_list(self) -> str:
        """The seeds with commas between them."""
        return ", ".join(map(str, self.seeds))

    @property
    def seed_words(self) -> str:
        """The seeds for the end of a sentence: ``seed 0``, or ``seeds 0, 1, 2``."""
        return f"seed{'s' * (len(self.seeds) > 1)} {self.seed_list}"

    @property
    def averaging(self) -> str:
        """The way numbers come from the seeds, for the end of a sentence."""
        spread = "mean ± standard deviation over " if len(self.seeds) > 1 else "of "
        return f"{spread}{self.seed_words}"

    @property
    def score(self) -> str:
        """Name of the score of the runs' objective, or ``score`` if they have different ones."""
        names = {SCORES[run.result.metric] for run in self.runs}
        return names.pop() if len(names) == 1 else "score"

    @property
    def scores(self) -> str:
        """Plural of :attr:`score`."""
        return f"{self.score[:-1]}ies" if self.score.endswith("accuracy") else _PLURALS[self.score]

    @property
    def test(self) -> str:
        """Heading of a column with scores on test rows, in percent."""
        return "test (%)" if self.score == "accuracy" else f"{self.score} test (%)"

    @cached_property
    def methods(self) -> dict[str, MethodResult]:
        """The result that stands for each method (:func:`over_runs`), by name, in the order of the flows."""
        found: dict[str, list[MethodResult]] = {}
        for run in self.runs:
            for name, method in run.methods.items():
                found.setdefault(name, []).append(method)
        return {name: over_runs(results) for name, results in found.items()}

    def having(self, method: str) -> Study:
        """Return the study with only the data sets whose every run has this method."""
        return replace(
            self,
            sets={f: runs for f, runs in self.sets.items() if all(method in run.methods for run in runs)},
        )

    def of(self, flow: str, method: str) -> list[MethodResult]:
        """Return a method's results on one set, ascending by seed, without runs that lack it."""
        return [run.methods[method] for run in self.sets[flow] if method in run.methods]


def over_runs(found: Iterable[MethodResult]) -> MethodResult:
    """Return a method's first result with a circuit, else its first, under the method's own label.

    A baseline may have a circuit on some runs and only its accuracy on others; it is software only if no run
    has a circuit.
    """
    first = min(found, key=lambda method: method.kind == "software")
    return first.model_copy(update={"label": first.label.removesuffix(NO_CIRCUIT)})


def study_of(name: str, runs: Iterable[Run]) -> Study:
    """Return the runs as a study of that name.

    Raises
    ------
    DataError
        Two runs of a flow have the same seed, or targets count sizes in different units.
    """
    sets: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.result.flow, run.result.seed)):
        same = sets.setdefault(run.result.flow, [])
        if same and same[-1].result.seed == run.result.seed:
            raise DataError(run.file, f"is of the same flow and seed as {same[-1].file}")
        same.append(run)
    study = Study(name, sets)
    for run in study.runs:
        if run.result.size != study.size:
            raise DataError(run.file, f"is for another target than {study.runs[0].file}")
    return study
