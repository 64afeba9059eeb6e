"""A trial: a flow that runs to the front of its shrunk circuits, and the file with its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from dwn_asic.errors import DataError
from dwn_asic.files import content_digest, write_text
from dwn_asic.flow.artifacts import DATASET, FRONT, IMPLEMENTATION, FrontRow
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.flow.run import Flow, run_flow
from dwn_asic.flow.step import Reporter
from dwn_asic.flow.steps.shared import SHRUNK
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.search.pareto import Candidate
from dwn_asic.search.pruning import pilot_epochs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Outcome", "Trial", "TrialWork"]

_OUTCOME = "outcome.json"
_FRONT = f"{SHRUNK}/{FRONT.name}"
_IMPLEMENTATION = f"{SHRUNK}/{IMPLEMENTATION.name}"


@dataclass(frozen=True)
class Outcome:
    """The circuits that a trial found; it holds nothing that was measured on test rows.

    Attributes
    ----------
    flow_file
        Digest of the flow file that it belongs to.
    candidates
        Circuits of the front; empty if the trial was pruned.
    pilot
        Validation score after the first epochs; None if no network was trained, or nothing is pruned.
    n_val
        Number of validation rows.
    """

    flow_file: str
    candidates: tuple[Candidate, ...]
    pilot: float | None
    n_val: int

    @property
    def pruned(self) -> bool:
        """True if the trial ended after its first epochs."""
        return not self.candidates

    @property
    def chosen(self) -> Candidate:
        """The circuit that the trial chose."""
        return next(each for each in self.candidates if each.chosen)


@dataclass(frozen=True)
class Trial:
    """A trial of a search, which can be run in any process.

    Attributes
    ----------
    number
        Its number.
    file, folder
        Flow file, and build folder.
    least
        Validation score after the first epochs below which the trial is pruned; None to go on in any case.
    prunes
        Whether that score is measured.
    further
        Metrics of the implemented circuit that are further objectives.
    """

    number: int
    file: Path
    folder: Path
    least: float | None = None
    prunes: bool = False
    further: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Title for people."""
        return f"trial {self.number}"

    @property
    def log(self) -> Path:
        """File of its messages."""
        return self.folder.with_suffix(".log")

    @property
    def work(self) -> TrialWork:
        """The flow up to its front, and the outcome."""
        return TrialWork(self.number, content_digest(self.file), self.least, self.prunes, self.further)

    def open(self) -> Flow:
        """Open the flow."""
        return Flow(load_flow(self.file), self.folder, self.file)

    def outcome(self) -> Outcome | None:
        """Return the outcome of this flow file, or None if the trial has not ended."""
        return _outcome(self.folder, content_digest(self.file))


@dataclass(frozen=True)
class TrialWork:
    """A trial wherever its folder is: the flow runs to its front, and the outcome is a file.

    Attributes
    ----------
    number, least, prunes, further
        As in :class:`Trial`.
    flow_file
        Digest of the flow file.
    """

    number: int
    flow_file: str
    least: float | None
    prunes: bool
    further: tuple[str, ...]

    def done(self, flow: Flow) -> bool:
        """Return whether there is an outcome."""
        return _outcome(flow.folder, self.flow_file) is not None

    def run(self, flow: Flow, reporter: Reporter) -> list[str]:
        """Run the flow to its front and write the outcome, unless that was done before."""
        if self.done(flow):
            return []
        ran = run_flow(flow, reporter, targets=[DATASET.name])
        n_val = len(flow.dataset.split.val)
        pilot = self._pilot(flow)
        if pilot is not None and self.least is not None and pilot < self.least:
            self._write(flow, Outcome(self.flow_file, (), pilot, n_val))
            return ran
        ran += run_flow(flow, reporter, targets=[_IMPLEMENTATION if self.further else _FRONT])
        metrics = flow.read(IMPLEMENTATION.at(SHRUNK)).metrics if self.further else {}
        core = flow.config.shrink is not None and flow.config.shrink.area == "core"
        rows = flow.read(FRONT.at(SHRUNK))
        found = tuple(self._candidate(place, row, metrics, core=core) for place, row in enumerate(rows))
        self._write(flow, Outcome(self.flow_file, found, pilot, n_val))
        return ran

    def _pilot(self, flow: Flow) -> float | None:
        from dwn_asic.methods.dwn.config import ModelConfig
        from dwn_asic.search.pilot import pilot_score

        config = flow.config
        assert config.shrink is not None
        assert isinstance(config.model, ModelConfig)
        if not self.prunes or OWN.kind not in config.shrink.starts:
            return None
        epochs = pilot_epochs(config.training.epochs)
        return pilot_score(
            flow.dataset,
            config.encoder.thermometer_only,
            config.model,
            config.training,
            config.seed,
            epochs,
        )

    def _candidate(self, place: int, row: FrontRow, metrics: Mapping[str, float], *, core: bool) -> Candidate:
        further = {name: float(metrics[name]) for name in self.further} if row.chosen else {}
        area = row.core if core else row.total
        return Candidate(self.number, place, area, row.val, row.expected, row.chosen, further)

    def _write(self, flow: Flow, outcome: Outcome) -> None:
        content = TypeAdapter(Outcome).dump_json(outcome, indent=1).decode()
        write_text(flow.folder / _OUTCOME, f"{content}\n")


def _outcome(folder: Path, flow_file: str) -> Outcome | None:
    """Return the outcome in the folder of a trial, or None if there is none of this flow file."""
    path = folder / _OUTCOME
    if not path.exists():
        return None
    try:
        found = TypeAdapter(Outcome).validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(path, f"is damaged: {error.errors()[0]['msg']}") from error
    return found if found.flow_file == flow_file else None
