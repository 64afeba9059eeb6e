"""The steps of a run: typed files, the function that makes them, and what a running step may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from dwn_asic.errors import DataError, DwnAsicError
from dwn_asic.flow.store import FolderStore

__all__ = ["OUTPUTS", "Artifact", "Codec", "Reporter", "Step", "Workspace"]

OUTPUTS = "outputs"
"""Name of the folder of a step's outputs, inside its scratch folder, while the step runs."""

Value = TypeVar("Value")
Settings = TypeVar("Settings")


class Reporter:
    """Receiver of messages from running steps. This class ignores them; the command line displays them."""

    def message(self, text: str) -> None:
        """Report one line of text."""

    def progress(self, what: str, done: int, total: int, note: str = "") -> None:
        """Report that ``done`` of ``total`` parts of the work ``what`` are finished."""


@dataclass(frozen=True)
class Codec(Generic[Value]):
    """A pair of functions that write a value to a file (or a folder) and read it again.

    Attributes
    ----------
    write
        Writes a value to a path that does not exist yet; equal values result in equal bytes.
    read
        Reads the value; raises DataError if the file is missing, damaged or of another kind.
    """

    write: Callable[[Value, Path], None]
    read: Callable[[Path], Value]


@dataclass(frozen=True)
class Artifact(Generic[Value]):
    """A typed file (or folder) of a run; two of the same name and folder are equal.

    Attributes
    ----------
    name
        Path of the file inside ``folder``.
    codec
        Functions that write and read its value.
    folder
        Folder inside the run's folder; None for the folder of the step that uses the artifact.
    """

    name: str
    codec: Codec[Value] = field(repr=False, compare=False)
    folder: str | None = None

    def at(self, folder: str) -> Artifact[Value]:
        """Return the artifact of the same name in another folder of the run; ``""`` is the run's own."""
        return replace(self, folder=folder)


def _no_environment(_settings: object) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Step(Generic[Settings]):
    """One step of a flow.

    To run in another process, a step is pickled: its functions belong to modules.

    Attributes
    ----------
    name
        Name of the work, for example ``minimize``.
    folder
        Folder of the step inside the run's folder, for example ``""`` or ``baselines/tree-8``.
    settings
        All parts of the configuration that ``work`` uses.
    work
        Function that reads the inputs from the workspace and puts all outputs into it.
    inputs, outputs
        Artifacts that ``work`` may read, and artifacts that it makes.
    optional
        Further inputs, which may be missing because their steps failed.
    environment
        Function that returns, for given settings, everything else that ``work`` depends on, as texts.
    tolerates
        Errors that end this step and the steps that depend on it, but not the run.
    """

    name: str
    folder: str
    settings: Settings
    work: Callable[[Settings, Workspace], None] = field(repr=False)
    inputs: tuple[Artifact[Any], ...]
    outputs: tuple[Artifact[Any], ...]
    optional: tuple[Artifact[Any], ...] = ()
    environment: Callable[[Settings], Mapping[str, str]] = field(default=_no_environment, repr=False)
    tolerates: tuple[type[DwnAsicError], ...] = ()

    @property
    def title(self) -> str:
        """Folder and name of the step, unique in a run."""
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @property
    def reads(self) -> tuple[str, ...]:
        """Paths of all inputs, the optional ones last, inside the run's folder."""
        return tuple(self.place(artifact) for artifact in (*self.inputs, *self.optional))

    @property
    def makes(self) -> tuple[str, ...]:
        """Paths of the outputs inside the run's folder."""
        return tuple(map(self.place, self.outputs))

    def place(self, artifact: Artifact[Any]) -> str:
        """Return the path of one of its artifacts inside the run's folder."""
        folder = self.folder if artifact.folder is None else artifact.folder
        return f"{folder}/{artifact.name}" if folder else artifact.name


class Workspace:
    """The access of a running step to its inputs, its outputs, a store for checkpoints, and a reporter.

    Attributes
    ----------
    reporter
        Receiver of messages.
    checkpoints
        Store for unfinished work. It survives an interruption and is available when the step runs with the
        same key again.
    seconds
        Title of each step that has run, and the time it took in seconds; no key depends on it.
    folder
        Folder of the step inside the run's folder.
    """

    def __init__(
        self,
        step: Step[Any],
        folder: Path,
        scratch: Path,
        reporter: Reporter,
        failures: Mapping[str, str],
        seconds: Mapping[str, float],
    ) -> None:
        self.reporter, self.seconds, self.folder = reporter, seconds, step.folder
        self.checkpoints = FolderStore(scratch / "checkpoints")
        self._step, self._root, self._outputs, self._failures = step, folder, scratch / OUTPUTS, failures

    def get(self, artifact: Artifact[Value]) -> Value:
        """Return the value of an input; raises DataError if its file is damaged or was not made."""
        place = self._place(artifact)
        if place in self._failures:
            raise DataError(self._root / place, f"was not made: {self._failures[place]}")
        return artifact.codec.read(self._root / place)

    def failure(self, artifact: Artifact[Any]) -> str | None:
        """Return the reason why an optional input was not made, or None if it was made."""
        return self._failures.get(self._place(artifact))

    def put(self, artifact: Artifact[Value], value: Value) -> None:
        """Store an output; it appears in the run's folder once the whole step has succeeded."""
        if artifact not in self._step.outputs:
            raise LookupError(f"step {self._step.title} declares no output {artifact.name}")
        path = self._outputs / self._step.place(artifact)
        path.parent.mkdir(parents=True, exist_ok=True)
        artifact.codec.write(value, path)

    def _place(self, artifact: Artifact[Any]) -> str:
        if artifact not in (*self._step.inputs, *self._step.optional):
            raise LookupError(f"step {self._step.title} declares no input {artifact.name}")
        return self._step.place(artifact)
