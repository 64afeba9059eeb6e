"""Steps that run at once: the same results and messages, no lost errors, no process left behind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dwn_asic.errors import DwnAsicError, ToolError, ToolTimeoutError
from dwn_asic.flow import workers
from dwn_asic.flow.artifacts import text_artifact
from dwn_asic.flow.engine import Engine
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.flow.run import Flow
from dwn_asic.flow.step import Reporter, Step, Workspace
from dwn_asic.targets.registry import target_kinds
from flows import Lines, write_flow

ROOT = Path(__file__).resolve().parents[2]
TEXT, SUM = text_artifact("text.txt"), text_artifact("sum.txt")
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Act:
    """The work of a step: it waits for some files, makes others, and ends as told.

    Attributes
    ----------
    text
        Text to write.
    awaits
        Files to wait for, relative to the working directory.
    signs
        File to make before the wait; its content is the number of the process.
    end
        How the step ends: empty for success.
    """

    text: str = ""
    awaits: tuple[str, ...] = ()
    signs: str = ""
    end: str = ""


class Odd(Exception):  # noqa: N818
    """An error that can be pickled, but not read again."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def act(settings: Act, space: Workspace) -> None:
    if settings.signs:
        sign(Path(settings.signs))
    space.checkpoints["half"] = b"way"
    wait_for(*settings.awaits)
    space.put(TEXT, f"{settings.text} of {space.folder}")
    space.reporter.progress(space.folder, 1, 1)
    space.reporter.message(f"{space.folder}: done")
    raise_as(settings.end)


def sign(path: Path) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(str(os.getpid()))
    partial.replace(path)


def wait_for(*names: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    for name in names:
        while not Path(name).exists():
            assert time.monotonic() < deadline, f"no {name} in time"
            time.sleep(0.01)


def raise_as(end: str) -> None:
    if end == "tool":
        raise ToolError("abc", "exit code 1", output="all that it said")
    if end == "time":
        raise ToolTimeoutError("abc", "timed out after 1 s")
    if end == "odd":
        raise Odd("out of", "ideas")
    if end == "disk":
        raise OSError(28, "No space left on device", "text.txt")
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    while end == "stubborn":
        with suppress(KeyboardInterrupt):
            time.sleep(0.01)
    if end == "sleep":
        subprocess.run(["sleep", "300"], check=True)


def collect(folders: tuple[str, ...], space: Workspace) -> None:
    found = {folder: space.failure(TEXT.at(folder)) for folder in folders}
    space.put(SUM, "\n".join(why or space.get(TEXT.at(folder)) for folder, why in found.items()))


def steps(**acts: Act) -> list[Step[Any]]:
    """Return a step in each folder, and one that collects what they make."""
    found: list[Step[Any]] = [
        Step("act", folder, each, act, (), (TEXT,), tolerates=(ToolTimeoutError,))
        for folder, each in acts.items()
    ]
    places = tuple(TEXT.at(folder) for folder in acts)
    return [*found, Step("collect", "", tuple(acts), collect, (), (SUM,), optional=places)]


def run(folder: Path, reporter: Reporter | None = None, *, jobs: int = 2, **acts: Act) -> list[str]:
    engine = Engine(folder, steps(**acts))
    return [step.title for step in engine.run(reporter or Reporter(), jobs=jobs)]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a run, except those that contain times."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if ".steps" not in path.parts}


@pytest.mark.parametrize("jobs", [2, 5])
def test_results_and_messages_do_not_depend_on_the_number_of_jobs(tmp_path: Path, jobs: int) -> None:
    names = "abcd"
    one, many = Lines(), Lines()
    first = run(tmp_path / "one", one, jobs=1, **{name: Act(name) for name in names})
    acts = {name: Act(name, signs=f"{name}.txt") for name in names}
    acts["a"] = Act("a", awaits=("b.txt",))  # b is done first
    assert run(tmp_path / "many", many, jobs=jobs, **acts) == first
    assert first == ["a/act", "b/act", "c/act", "d/act", "collect"]
    assert contents(tmp_path / "many") == contents(tmp_path / "one")
    assert many.lines == one.lines == [f"{name}: done" for name in names]


def test_steps_run_at_once_and_a_single_one_starts_no_process(tmp_path: Path) -> None:
    acts = {
        "a": Act(signs="a.txt", awaits=("b.txt",)),
        "b": Act(signs="b.txt", awaits=("a.txt",)),
    }
    run(tmp_path, **acts)
    processes = {int(Path(f"{name}.txt").read_text()) for name in "ab"}
    assert len(processes) == 2
    assert os.getpid() not in processes
    run(tmp_path, **acts, c=Act(signs="c.txt"))
    assert int(Path("c.txt").read_text()) == os.getpid()


def test_messages_of_the_first_step_pass_on_at_once(tmp_path: Path) -> None:
    class Signing(Lines):
        def message(self, text: str) -> None:
            super().message(text)
            Path(f"said-{text[0]}").touch()

    lines = Signing()
    run(tmp_path, lines, a=Act(), b=Act(awaits=("said-a",)))
    assert lines.lines == ["a: done", "b: done"]


def test_progress_passes_on(tmp_path: Path) -> None:
    class Seen(Reporter):
        def progress(self, what: str, done: int, total: int, note: str = "") -> None:
            found.add((what, done, total, note))

    found: set[tuple[str, int, int, str]] = set()
    run(tmp_path, Seen(), a=Act("x"), b=Act("y"))
    assert found == {("a", 1, 1, ""), ("b", 1, 1, "")}


def test_after_an_error_no_step_starts_and_none_is_lost(tmp_path: Path) -> None:
    class Signing(Lines):
        def message(self, text: str) -> None:
            super().message(text)
            if "failed" in text:
                Path("failed").touch()

    lines = Signing()
    with pytest.raises(ToolError, match=r"exit code 1; log: .*b/act\.log"):
        run(tmp_path, lines, a=Act("x", awaits=("failed",)), b=Act(end="tool"), c=Act("x"))
    assert lines.lines == ["b/act failed: waiting for a/act to end", "a: done", "b: done"]
    assert (tmp_path / "a" / "text.txt").read_text() == "x of a"
    assert (tmp_path / "b" / "act.log").read_text() == "all that it said"
    assert not (tmp_path / "b" / "text.txt").exists()
    assert not (tmp_path / "c").exists()
    assert not list(tmp_path.rglob("outputs"))
    again = run(tmp_path, a=Act("x", awaits=("failed",)), b=Act("x"), c=Act("x"))
    assert again == ["b/act", "c/act", "collect"]


def test_the_first_of_two_errors_is_raised_and_the_other_is_a_message(tmp_path: Path) -> None:
    lines = Lines()
    with pytest.raises(OSError, match="No space left") as caught:
        run(
            tmp_path,
            lines,
            a=Act(signs="a.txt", awaits=("b.txt",), end="disk"),
            b=Act(signs="b.txt", awaits=("a.txt",), end="tool"),
        )
    assert caught.value.filename == "text.txt"
    assert "act(settings" not in str(caught.value)
    assert "in raise_as" in "".join(caught.value.__notes__)  # --debug shows where it was raised
    assert any(line.startswith("b/act: abc: exit code 1; log: ") for line in lines.lines)


def test_an_error_that_cannot_be_read_again_keeps_its_text(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Odd: out of ideas"):
        run(tmp_path, a=Act(), b=Act(end="odd"))


def test_a_tolerated_error_costs_its_chain_alone(tmp_path: Path) -> None:
    lines = Lines()
    acts = {"a": Act(end="time"), "b": Act("x")}
    assert run(tmp_path, lines, **acts) == ["a/act", "b/act", "collect"]
    assert lines.lines == ["a: done", "a/act: given up: abc: timed out after 1 s", "b: done"]
    assert (tmp_path / "sum.txt").read_text() == "abc: timed out after 1 s\nx of b"
    assert run(tmp_path, **acts) == []


def test_of_two_steps_with_the_same_key_one_is_a_copy(tmp_path: Path) -> None:
    # The folder is no part of the key, so the text of the copy names the other folder.
    acts = {"a": Act("x", signs="once"), "b": Act("x", signs="once"), "c": Act()}
    assert run(tmp_path, **acts) == ["a/act", "b/act", "c/act", "collect"]
    assert (tmp_path / "b" / "text.txt").read_text() == "x of a"


def test_a_worker_that_dies_is_an_error_and_the_next_run_recovers(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="worker process: ended unexpectedly: Killed"):
        run(tmp_path, a=Act("x"), b=Act(end="killed"))
    assert run(tmp_path, a=Act("x"), b=Act("x")) == ["b/act", "collect"]


def alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def ended(*pids: int) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc")


@needs_proc
def test_an_interrupt_ends_the_workers_and_keeps_checkpoints(tmp_path: Path) -> None:
    class Impatient(Reporter):
        def message(self, _text: str) -> None:
            wait_for("b.txt")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Impatient(), a=Act(signs="a.txt"), b=Act(signs="b.txt", awaits=("never",)))
    assert ended(*(int(Path(f"{name}.txt").read_text()) for name in "ab"))
    assert not list(tmp_path.rglob("outputs"))
    assert not (tmp_path / "b" / "text.txt").exists()
    kept = tmp_path / ".work" / "b" / "act" / "checkpoints" / "half"
    assert kept.read_bytes() == b"way"


@needs_proc
def test_a_worker_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(Reporter):
        def message(self, _text: str) -> None:
            wait_for("b.txt")
            raise KeyboardInterrupt

    monkeypatch.setattr(workers, "_PATIENCE_S", 0.5)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Impatient(), a=Act("x"), b=Act("y", signs="b.txt", end="stubborn"))
    assert ended(int(Path("b.txt").read_text()))


BOTH = {"a": Act("x", signs="a.txt", end="sleep"), "b": Act("x", signs="b.txt", awaits=("never",))}


@needs_proc
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_engine_leaves_no_process_and_the_lock_until_then(
    tmp_path: Path, how: signal.Signals
) -> None:
    program = f"import sys; sys.path[:] = {sys.path!r}; import test_workers as t; t.killed()"
    engine = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    wait_for("a.txt", "b.txt")
    processes = children(engine.pid)
    deadline = time.monotonic() + PATIENCE_S
    while not (tools := [tool for worker in processes for tool in children(worker)]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(processes) == 2
    engine.send_signal(how)
    _, errors = engine.communicate(timeout=PATIENCE_S)
    if how == signal.SIGKILL:
        lines = Lines()
        assert run(tmp_path / "run", lines, a=Act("x"), b=Act("x")) == ["a/act", "b/act", "collect"]
        assert not any(map(alive, processes)), "they would write what this run writes"
        assert (tmp_path / "run" / "sum.txt").read_text() == "x of a\nx of a"
    else:
        assert errors.decode().count("Traceback") == 1, "the workers are silent"
    assert ended(*processes, *tools)


def killed() -> None:
    """Run steps that never end; a terminated engine is interrupted, as on the command line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    Engine(Path("run"), steps(**BOTH)).run(Reporter(), jobs=2)


FLOWS = sorted(
    # A file each.yaml is a flow only together with a file of data, which not every machine has.
    file
    for file in (ROOT / "flows").rglob("*.yaml")
    if file.parent.name != "base" and file.stem != "each"
)


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_every_step_of_every_flow_can_go_to_another_process(file: Path) -> None:
    check_pickles(file)


@pytest.mark.parametrize("target", sorted(target_kinds()))
def test_every_target_can_go_to_another_process(target: str, tmp_path: Path) -> None:
    check_pickles(write_flow(tmp_path / "tiny.yaml", target=target, shrink={}, match=["tree-3"]))


def check_pickles(file: Path) -> None:
    for step in Flow(load_flow(file), Path("build"), file).engine.steps:
        again = pickle.loads(pickle.dumps(step))
        assert again == step
        assert again.outputs[0].codec.read is not None


def errors(kind: type[DwnAsicError]) -> list[type[DwnAsicError]]:
    return [kind, *(inner for each in kind.__subclasses__() for inner in errors(each))]


@pytest.mark.parametrize("kind", errors(DwnAsicError), ids=lambda kind: kind.__name__)
def test_errors_can_go_to_another_process(kind: type[DwnAsicError]) -> None:
    arguments: Mapping[str, Callable[[], DwnAsicError]] = {
        "ConfigError": lambda: kind("a.yaml", "key", "is 'x'", "y"),
        "DataError": lambda: kind("a.csv", "is wrong", row=3, column="b"),
        "ToolError": lambda: kind("abc", "exit code 1", command="abc -q", tail="last", log=Path("a.log")),
        "ToolTimeoutError": lambda: kind("abc", "timed out", output="all"),
        "VerificationError": lambda: kind("differs", inputs="x0=1", expected="0", got="1"),
    }
    error = arguments.get(kind.__name__, lambda: kind("one line"))()
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert again.exit_code == error.exit_code
