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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dwn_asic.errors import DataError, ToolError
from dwn_asic.files import canonical_digest, content_digest, read_json, replace_path, write_json
from dwn_asic.flow.locking import locked
from dwn_asic.flow.messages import Messages
from dwn_asic.flow.schedule import Schedule
from dwn_asic.flow.step import Reporter, Step
from dwn_asic.flow.workers import Task, Workers

__all__ = ["RECORDS", "Engine"]

RECORDS = ".steps"
"""Name of the folder of records inside the folder of a run."""
_SCRATCH = ".work"


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
        jobs: int = 1,
        before: Callable[[], object] = lambda: None,
    ) -> list[Step[Any]]:
        """Run every step that is not current, and return the steps that ran.

        Outputs do not depend on ``jobs``, and messages keep the order of the steps. After an error no further
        step starts; those that still run are completed first, and their errors become messages.

        Parameters
        ----------
        reporter
            Receives the messages of the steps.
        targets
            Files of the run to bring up to date; only the steps that lead to them run. None runs all steps.
        force
            Whether to run steps that are current too.
        jobs
            Maximum number of steps that run at once, each in a process of its own. Until there are several,
            steps run in this process.
        before
            Function that is called once, before the first step that runs.

        Raises
        ------
        DwnAsicError
            A step failed; its outputs are unchanged, and it is not current.
        """
        chosen = self.steps if targets is None else self._leading_to(targets)
        messages = Messages(reporter, [step.title for step in chosen])
        with locked(self.folder, reporter) as lock:
            self._environments.clear()
            self._failures.clear()
            self._remove_stale()
            workers = Workers(jobs, lock, messages.of)
            schedule = Schedule(self, chosen, workers, messages, force=force, before=before)
            try:
                with workers:
                    schedule.run()
            finally:
                messages.end_all()
                for task in workers.tasks:
                    shutil.rmtree(task.outputs, ignore_errors=True)
        failed = [step.title for step in chosen if step.title in schedule.errors]
        for title in failed[1:]:
            reporter.message(f"{title}: {schedule.errors[title]}")
        if failed:
            raise schedule.errors[failed[0]]
        return [step for step in chosen if step.title in schedule.ran]

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

    def up_to_date(self, targets: Iterable[str] | None = None) -> bool:
        """Return whether no step would run, of those that lead to some files of the run or of all."""
        chosen = self.steps if targets is None else self._leading_to(targets)
        self._environments.clear()
        self._failures.clear()
        return all(self.is_current(step) for step in chosen)

    def environments(self) -> dict[str, Mapping[str, str]]:
        """Return the title of each step, and what it depends on beside its settings and inputs."""
        return {step.title: self._environment(step) for step in self.steps}

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

    def begin(self, step: Step[Any], *, force: bool) -> Task | None:
        """Return the task of a step, with an empty scratch folder; None if an input was not made."""
        failed = next((a for a in step.inputs if step.place(a) in self._failures), None)
        if failed is not None:
            self._give_up(step, self._known_key(step), 0.0, self._failures[step.place(failed)])
            return None
        self._check_inputs(step)
        self._check_foreign(step)
        key, scratch = self._known_key(step), self.folder / _SCRATCH / step.title
        task = Task(
            step, key, time.perf_counter(), self.folder, scratch, dict(self._failures), self.seconds()
        )
        if force or (self._record(step) or _Record("", 0.0, None)).key != f"running {key}":
            shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(task.outputs, ignore_errors=True)
        self._write(step, _Record(f"running {key}", 0.0, None))
        return task

    def finish(self, task: Task, error: Exception | None, reporter: Reporter) -> None:
        """Take the outputs of a task that has ended; raise its error, unless the step tolerates it."""
        step = task.step
        seconds = time.perf_counter() - task.begun
        try:
            if error is not None:
                raise error
            self._take(step, task.outputs)
        except step.tolerates as tolerated:
            shutil.rmtree(task.scratch, ignore_errors=True)
            reporter.message(f"{step.title}: given up: {tolerated}")
            self._give_up(step, task.key, seconds, str(tolerated))
        except ToolError as failed:
            raise self._with_log(step, failed) from failed
        else:
            shutil.rmtree(task.scratch, ignore_errors=True)
            self._write(step, _Record(task.key, seconds, None))
        finally:
            shutil.rmtree(task.outputs, ignore_errors=True)

    def copied(self, step: Step[Any]) -> bool:
        """Copy the outputs of another step that ran with the same key; return whether there is one."""
        return self._copied_from(self, step)

    def adopt(self, run: Engine) -> None:
        """Copy the outputs of all steps of another run that ran with the same keys."""
        with locked(self.folder, Reporter()):
            self._environments.clear()
            for step in self.steps:
                if not self.is_current(step):
                    self._copied_from(run, step)

    def _copied_from(self, run: Engine, step: Step[Any]) -> bool:
        key = self.key(step)
        for other in run.steps:
            record = run._record(other) if other.name == step.name and other is not step else None
            if key is None or record is None or record.key != key or record.failure is not None:
                continue
            sources = [run.folder / other.place(output) for output in other.outputs]
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
                replace_path(None, self.folder / RECORDS / folder)

    def _record_file(self, step: Step[Any]) -> Path:
        return self.folder / RECORDS / f"{step.title}.json"

    def _record(self, step: Step[Any]) -> _Record | None:
        path = self._record_file(step)
        return _Record(**read_json(path)) if path.exists() else None

    def _write(self, step: Step[Any], record: _Record) -> None:
        path = self._record_file(step)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        write_json(partial, {"key": record.key, "seconds": record.seconds, "failure": record.failure})
        partial.replace(path)
