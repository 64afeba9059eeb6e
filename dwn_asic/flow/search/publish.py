"""The end of a search: circuits of its front become flows of their own, which are implemented and proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dwn_asic.errors import DwnAsicError, ToolTimeoutError
from dwn_asic.execution.executor import seconds_to
from dwn_asic.execution.resources import Resources
from dwn_asic.files import write_text
from dwn_asic.flow.artifacts import DATASET, IMPLEMENTATION, PREDICTIONS, PROOF
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.flow.locking import locked
from dwn_asic.flow.run import Flow
from dwn_asic.flow.search.session import BASE, OWN_SECTIONS, Search, opened, write_flow_file
from dwn_asic.flow.search.trial import Outcome
from dwn_asic.flow.step import Reporter
from dwn_asic.flow.steps.shared import SHRUNK, summary
from dwn_asic.flow.tasks import carried_out
from dwn_asic.flow.work import Files
from dwn_asic.report.result import write_atomically
from dwn_asic.search.pareto import Candidate, pareto, spread
from dwn_asic.search.report import Proved, front_csv, front_figure, front_markdown
from dwn_asic.targets.registry import target_kind
from dwn_asic.yaml_file import load_yaml

__all__ = ["CHIP_FILES", "Point", "publish", "published_front"]

CHIP_FILES = ("datasheet.html", "datasheet.md", PROOF.name)
"""Files of a published circuit, beside those of its target."""


@dataclass(frozen=True)
class Point:
    """A circuit of the front to publish, which can be done in any process.

    Attributes
    ----------
    candidate
        The circuit.
    file, folder
        Flow file that leads to it, and build folder.
    donors
        Flow file and build folder of runs from which steps with equal keys are taken: its trial first.
    """

    candidate: Candidate
    file: Path
    folder: Path
    donors: tuple[tuple[Path, Path], ...]

    @property
    def title(self) -> str:
        """Name of the flow."""
        return self.file.stem

    @property
    def log(self) -> Path:
        """File of its messages."""
        return self.folder.with_suffix(".log")

    @property
    def work(self) -> Files:
        """Implementation, proof and data sheet."""
        return Files(tuple(f"{SHRUNK}/{name}" for name in CHIP_FILES))

    @property
    def flow(self) -> Flow:
        """The flow of the circuit."""
        return Flow(load_flow(self.file), self.folder, self.file)

    def open(self) -> Flow:
        """Open the flow, with the steps that its donors have made."""
        flow = self.flow
        for file, folder in self.donors:
            flow.engine.adopt(Flow(load_flow(file), folder, file).engine)
        return flow


def published_front(
    outcomes: Mapping[int, Outcome], count: int, always: Sequence[Candidate] = ()
) -> tuple[Candidate, ...]:
    """Return the circuits to publish: at most ``count``, spread evenly over the front of all trials."""
    everything = [each for outcome in outcomes.values() for each in outcome.candidates]
    return spread(pareto(everything), count, always)


def publish(
    search: Search,
    outcomes: Mapping[int, Outcome],
    chosen: Sequence[Candidate],
    resources: Resources,
    reporter: Reporter,
    *,
    files: Mapping[int, Path] | None = None,
    names: Sequence[str] | None = None,
    known: Sequence[Proved] = (),
    deadline: float | None = None,
) -> tuple[Proved, ...]:
    """Implement and prove circuits, and write the table and the figure of the front.

    The names of the flows are ``NAME_1``, ``NAME_2`` and so on, by ascending area. Circuits that fail,
    or that are late, are reported and left out.

    Parameters
    ----------
    search, outcomes
        The search, and the outcomes of its trials.
    chosen
        Circuits by ascending area.
    resources
        Where circuits are made.
    reporter
        Receives a message for each circuit.
    files
        Flow file of each trial; by default those that the search wrote.
    names
        Names of the flows in place of the usual ones.
    known
        Circuits that were proved before, which the table and the result hold too.
    deadline
        Time of :func:`time.monotonic` after which circuits are left out; None for no limit.

    Raises
    ------
    DwnAsicError
        No circuit could be made; this is the error of the first.
    """
    config = search.flow.config
    named = names or [f"{config.name}_{number}" for number in range(1, len(chosen) + 1)]
    points = [
        _point(search, each, name, (files or {}).get(each.trial))
        for each, name in zip(chosen, named, strict=True)
    ]
    errors: dict[int, Exception] = {}
    made: list[Point] = []
    jobs = max(1, min(resources.jobs, len(points)))
    with (
        locked(search.folder, reporter) as lock,
        opened(replace(resources, jobs=jobs), lock, isolated=deadline is not None) as executor,
    ):
        for point, found in carried_out(points, executor, ahead=1, deadline=deadline):
            if not isinstance(found, Exception):
                made.append(point)
                continue
            if not isinstance(found, DwnAsicError):
                raise found
            if isinstance(found, ToolTimeoutError) and seconds_to(deadline) == 0.0:
                continue
            errors[points.index(point)] = found
            reporter.message(f"{point.title}: failed: {found} (log: {point.log})")
        late = [each.title for each in points if each not in made and points.index(each) not in errors]
        if late:
            reporter.message(f"not made, since the time is up: {', '.join(late)}; their flow files are there")
        if not made and not known:
            raise errors[min(errors)] if errors else DwnAsicError(f"{config.name}: the time is up")
        new = [_proved(search, point, reporter) for point in sorted(made, key=points.index)]
        proved = tuple(sorted((*known, *new), key=lambda each: each.candidate.order))
        _write(search, outcomes, proved)
    return proved


def _point(search: Search, candidate: Candidate, name: str, trial: Path | None) -> Point:
    """Write the flow file of a circuit."""
    trials = search.folder / "trials"
    trial = trial or trials / f"{candidate.trial:04d}.yaml"
    sections = {key: value for key, value in load_yaml(trial).items() if key in OWN_SECTIONS}
    limit = {"max_area": round(candidate.area, 2)}
    content = {"name": name, **sections, "shrink": {**sections["shrink"], **limit}}
    file = search.folder / f"{name}.yaml"
    write_flow_file(file, BASE, content)
    # The first trial has the flow's own network, which the data sheet of circuits from other starts names.
    donors = dict.fromkeys(each for each in (trial, trials / "0000.yaml") if each.exists())
    return Point(
        candidate, file, search.folder / name, tuple((each, each.with_suffix("")) for each in donors)
    )


def _proved(search: Search, point: Point, reporter: Reporter) -> Proved:
    """Return what was measured of a circuit; here its predictions on test rows are scored, once."""
    from dwn_asic.data.scores import scores

    flow = point.flow
    dataset, size = flow.read(DATASET), target_kind(search.flow.config.target).size
    found = scores(dataset, flow.read(PREDICTIONS.at(SHRUNK)))
    metrics = {**flow.read(IMPLEMENTATION.at(SHRUNK)).metrics, **found}
    reporter.message(f"{point.file.stem}: {summary(metrics, dataset.objective.key, size)}")
    changed = _changed(search, point)
    return Proved(point.file.stem, point.candidate, metrics, changed)


def _changed(search: Search, point: Point) -> str:
    """Return the values of the axes in the flow file of a trial, for people."""
    content = load_yaml(point.donors[0][0])
    parts = []
    for key in search.space:
        here: object = content
        for part in key.split("."):
            here = here.get(part) if isinstance(here, dict) else None
        if here is not None:
            shown = f"{here:.3g}" if isinstance(here, float) else str(here)
            parts.append(f"{key} {shown}")
    return ", ".join(parts)


def _write(search: Search, outcomes: Mapping[int, Outcome], proved: Sequence[Proved]) -> None:
    """Write ``front.csv``, ``front.md`` and ``front.svg``."""
    config = search.flow.config
    size = target_kind(config.target).size
    score = Flow(config, search.folder / proved[0].name, search.flow.file).dataset.objective.key
    everything = [each for outcome in outcomes.values() for each in outcome.candidates]
    write_text(search.folder / "front.csv", front_csv(proved, size, score))
    write_text(search.folder / "front.md", front_markdown(proved, size, score, len(outcomes)))
    write_atomically(search.folder / "front.svg", front_figure(everything, proved, size, score))
