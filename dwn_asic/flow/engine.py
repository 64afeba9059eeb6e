"""The engine: it runs steps with typed inputs and outputs, but only if something that they read has changed.

A :class:`Step` wraps a pure function. Its key is a digest of everything that the function depends on: the
settings of the step, its environment (the content of files and the versions of tools that the settings refer
to), and the content of its input files. A step is current if its outputs exist and were made with this key.
Only the engine deals with folders, digests, locks and partly written files.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from dwn_asic.errors import DataError, DwnAsicError, ToolError
from dwn_asic.files import canonical_digest, content_digest, read_json, replace_path, write_json
from dwn_asic.flow.locking import locked
from dwn_asic.flow.store import FolderStore

__all__ = ["Artifact", "Codec", "Engine", "Reporter", "Step", "Workspace"]

Value = TypeVar("Value")
Settings = TypeVar("Settings")

_RECORDS = ".steps"
_SCRATCH = ".work"


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
    """A typed file (or folder) of a run.

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
    codec: Codec[Value] = field(repr=False)
    folder: str | None = None

    def at(self, folder: str) -> Artifact[Value]:
        """Return the artifact of the same name in another folder of the run; ``""`` is the run's own."""
        return replace(self, folder=folder)


@dataclass(frozen=True)
class Step(Generic[Settings]):
    """One step of a flow.

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
    environment: Callable[[Settings], Mapping[str, str]] = field(default=lambda _: {}, repr=False)
    tolerates: tuple[type[DwnAsicError], ...] = ()

    @property
    def title(self) -> str:
        """Folder and name of the step, unique in a run."""
        return f"{self.folder}/{self.name}" if self.folder else self.name

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
        self._step, self._root, self._outputs, self._failures = step, folder, scratch / "outputs", failures

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


@dataclass(frozen=True)
class _Record:
    """The record of a step: the key it ran with, its time in seconds, and the reason if it failed.

    While the step runs, the key is preceded by ``running``.
    """

    key: str
    seconds: float
    failure: str | None


class Engine:
    """The steps of a run in order, and the folder that they work in.

    Parameters
    ----------
    folder
        Folder of the run.
    steps
        Steps, each after those that make its inputs.
    owned
        Folders of the run that belong to steps; ``NAME/*`` stands for all subfolders of NAME. Folders among
        them that no step uses any more are removed.
    """

    def __init__(self, folder: Path, steps: Sequence[Step[Any]], owned: Iterable[str] = ()) -> None:
        self.folder, self.steps = folder, tuple(steps)
        self._owned = tuple(owned)
        self._makers = {step.place(output): step for step in steps for output in step.outputs}
        self._failures: dict[str, str] = {}
        self._environments: dict[tuple[int, str], Mapping[str, str]] = {}

    def run(
        self,
        reporter: Reporter,
        *,
        targets: Iterable[str] | None = None,
        force: bool = False,
        before: Callable[[], object] = lambda: None,
    ) -> list[Step[Any]]:
        """Run every step that is not current, and return the steps that ran.

        Parameters
        ----------
        reporter
            Receives the messages of the steps.
        targets
            Files of the run to bring up to date; only the steps that lead to them run. None runs all steps.
        force
            Whether to run steps that are current too.
        before
            Function that is called once, before the first step that runs.

        Raises
        ------
        DwnAsicError
            A step failed; its outputs are unchanged, and it is not current.
        """
        chosen = self.steps if targets is None else self._leading_to(targets)
        with locked(self.folder, reporter):
            self._environments.clear()
            self._failures.clear()
            self._remove_stale()
            ran: list[Step[Any]] = []
            for step in chosen:
                if not force and self.is_current(step):
                    continue
                if not ran:
                    before()
                if force or not self._copied(step):
                    self._run(step, reporter, force=force)
                ran.append(step)
        return ran

    def is_current(self, step: Step[Any]) -> bool:
        """Return whether the outputs of a step exist and were made from what it would read now."""
        record = self._record(step)
        key = self.key(step)
        if record is None or key is None or record.key != key:
            return False
        if record.failure is not None:
            self._fail(step, record.failure)
            return True
        return all((self.folder / step.place(output)).exists() for output in step.outputs)

    def key(self, step: Step[Any]) -> str | None:
        """Return the digest of everything a step depends on, or None if an input does not exist yet."""
        contents: dict[str, str] = {}
        for artifact in (*step.inputs, *step.optional):
            place = step.place(artifact)
            path = self.folder / place
            name = f"{artifact.folder or ''}/{artifact.name}"
            if place in self._failures:
                contents[name] = f"failed: {self._failures[place]}"
            elif path.exists():
                contents[name] = content_digest(path)
            else:
                return None
        return canonical_digest(
            {
                "step": step.name,
                "settings": step.settings,
                "environment": self._environment(step),
                "inputs": contents,
            }
        )

    def _known_key(self, step: Step[Any]) -> str:
        """Return the key of a step whose inputs all exist or are known to have failed."""
        key = self.key(step)
        assert key is not None
        return key

    def _environment(self, step: Step[Any]) -> Mapping[str, str]:
        """Return the environment of a step, which is computed once for all steps with equal settings."""
        known = id(step.environment), canonical_digest(step.settings)
        if known not in self._environments:
            self._environments[known] = step.environment(step.settings)
        return self._environments[known]

    def seconds(self) -> dict[str, float]:
        """Return the title of each step that has run, and the time it took in seconds."""
        records = {step.title: self._record(step) for step in self.steps}
        return {title: record.seconds for title, record in records.items() if record is not None}

    def _leading_to(self, targets: Iterable[str]) -> tuple[Step[Any], ...]:
        """Return the steps that make these files, and the steps that those depend on."""
        wanted = set(targets)
        for name in sorted(wanted):
            if name not in self._makers:
                raise DataError(
                    self.folder / name, f"no step makes it; files of the run: {', '.join(self._makers)}"
                )
        chosen: list[Step[Any]] = []
        for step in reversed(self.steps):
            if any(step.place(output) in wanted for output in step.outputs):
                chosen.insert(0, step)
                wanted |= {step.place(artifact) for artifact in (*step.inputs, *step.optional)}
        return tuple(chosen)

    def _run(self, step: Step[Any], reporter: Reporter, *, force: bool) -> None:
        failed = next((a for a in step.inputs if step.place(a) in self._failures), None)
        if failed is not None:
            self._give_up(step, self._known_key(step), 0.0, self._failures[step.place(failed)])
            return
        self._check_inputs(step)
        self._check_foreign(step)
        key = self._known_key(step)
        scratch = self._scratch(step)
        if force or (self._record(step) or _Record("", 0.0, None)).key != f"running {key}":
            shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(scratch / "outputs", ignore_errors=True)
        self._write(step, _Record(f"running {key}", 0.0, None))
        start = time.perf_counter()
        space = Workspace(step, self.folder, scratch, reporter, self._failures, self.seconds())
        try:
            step.work(step.settings, space)
            self._take(step, scratch / "outputs")
        except step.tolerates as error:
            shutil.rmtree(scratch, ignore_errors=True)
            reporter.message(f"{step.title}: given up: {error}")
            self._give_up(step, key, time.perf_counter() - start, str(error))
            return
        except ToolError as error:
            raise self._with_log(step, error) from error
        finally:
            shutil.rmtree(scratch / "outputs", ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
        self._write(step, _Record(key, time.perf_counter() - start, None))

    def _copied(self, step: Step[Any]) -> bool:
        """Copy the outputs of another step that ran with the same key; return whether there is one."""
        key = self.key(step)
        for other in self.steps:
            record = self._record(other) if other.name == step.name and other != step else None
            if key is None or record is None or record.key != key or record.failure is not None:
                continue
            sources = [self.folder / other.place(output) for output in other.outputs]
            if all(source.exists() for source in sources):
                for source, output in zip(sources, step.outputs, strict=True):
                    replace_path(source, self.folder / step.place(output), copy=True)
                self._write(step, record)
                return True
        return False

    def _take(self, step: Step[Any], outputs: Path) -> None:
        missing = [o.name for o in step.outputs if not (outputs / step.place(o)).exists()]
        if missing:
            raise LookupError(f"step {step.title} did not make {', '.join(missing)}")
        for output in step.outputs:
            replace_path(outputs / step.place(output), self.folder / step.place(output))

    def _check_inputs(self, step: Step[Any]) -> None:
        for artifact in (*step.inputs, *step.optional):
            place = step.place(artifact)
            if place not in self._failures and not (self.folder / place).exists():
                maker = self._makers.get(place)
                hint = f"; step {maker.title} makes it" if maker is not None else ""
                raise DataError(self.folder / place, f"is missing{hint}")

    def _check_foreign(self, step: Step[Any]) -> None:
        """Raise DataError if an output would overwrite a file that no step has made."""
        if self._record(step) is not None:
            return
        for output in step.outputs:
            path = self.folder / step.place(output)
            if path.exists():
                raise DataError(
                    path, f"already exists and was not made by step {step.title}: move it away first"
                )

    def _give_up(self, step: Step[Any], key: str, seconds: float, failure: str) -> None:
        for output in step.outputs:
            replace_path(None, self.folder / step.place(output))
        self._fail(step, failure)
        self._write(step, _Record(key, seconds, failure))

    def _fail(self, step: Step[Any], failure: str) -> None:
        self._failures |= {step.place(output): failure for output in step.outputs}

    def _with_log(self, step: Step[Any], error: ToolError) -> ToolError:
        """Write the whole output of the failed tool to a log, and return the error with its path."""
        if not error.output:
            return error
        log = self.folder / f"{step.title}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(error.output, encoding="utf-8")
        return error.with_log(log)

    def _remove_stale(self) -> None:
        """Remove folders of steps that the flow no longer has, for example of a removed baseline."""
        wanted = {Path(step.folder) for step in self.steps}
        for pattern in self._owned:
            for found in sorted(self.folder.glob(pattern)):
                folder = found.relative_to(self.folder)
                if not found.is_dir() or folder.name.startswith("."):
                    continue
                if any(folder == path or folder in path.parents for path in wanted):
                    continue
                replace_path(None, found)
                replace_path(None, self.folder / _RECORDS / folder)

    def _scratch(self, step: Step[Any]) -> Path:
        return self.folder / _SCRATCH / step.title

    def _record_file(self, step: Step[Any]) -> Path:
        return self.folder / _RECORDS / f"{step.title}.json"

    def _record(self, step: Step[Any]) -> _Record | None:
        path = self._record_file(step)
        return _Record(**read_json(path)) if path.exists() else None

    def _write(self, step: Step[Any], record: _Record) -> None:
        path = self._record_file(step)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        write_json(partial, {"key": record.key, "seconds": record.seconds, "failure": record.failure})
        partial.replace(path)
