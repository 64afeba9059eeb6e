"""The engine by itself, on small steps: what runs, what is kept, what is copied."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dwn_asic.errors import DataError, ToolError, ToolTimeoutError
from dwn_asic.flow.artifacts import text_artifact
from dwn_asic.flow.engine import Engine
from dwn_asic.flow.locking import locked
from dwn_asic.flow.step import Artifact, Reporter, Step, Workspace
from flows import Lines

SOURCE, NUMBER, DOUBLE, SUM = (text_artifact(f"{name}.txt") for name in ("source", "number", "double", "sum"))
ENVIRONMENT: dict[str, str] = {}


@dataclass(frozen=True)
class Make:
    """A number to write, or the error to end with."""

    number: int
    error: str = ""


def make(settings: Make, space: Workspace) -> None:
    space.put(NUMBER, "half a file" if settings.error else str(settings.number))
    if settings.error == "tool":
        raise ToolError("abc", "exit code 1", output="all that it said")
    if settings.error == "time":
        raise ToolTimeoutError("abc", "timed out after 1 s")
    if settings.error == "interrupt":
        space.checkpoints["half"] = b"way"
        raise KeyboardInterrupt


def double(factor: int, space: Workspace) -> None:
    space.put(DOUBLE, str(factor * int(space.get(NUMBER))))
    space.reporter.message(f"doubled in {space.folder or 'the run'}")


def add(places: tuple[str, ...], space: Workspace) -> None:
    found = {place: space.failure(DOUBLE.at(place)) for place in places}
    texts = [why or space.get(DOUBLE.at(place)) for place, why in found.items()]
    space.put(SUM, " + ".join(texts))


def environment(_: object) -> Mapping[str, str]:
    return dict(ENVIRONMENT)


def steps(**settings: Make) -> list[Step[Any]]:
    """Return steps that make a number and its double in each folder, and one that collects all of them."""
    folders = list(settings)
    found: list[Step[Any]] = []
    for folder, each in settings.items():
        tolerates = (ToolTimeoutError,)
        found.append(Step("make", folder, each, make, (), (NUMBER,), tolerates=tolerates))
        found.append(
            Step(
                "double",
                folder,
                2,
                double,
                (NUMBER,),
                (DOUBLE,),
                environment=environment,
                tolerates=tolerates,
            )
        )
    places = tuple(DOUBLE.at(folder) for folder in folders)
    return [*found, Step("add", "", tuple(folders), add, (), (SUM,), optional=places)]


def ran(folder: Path, reporter: Reporter | None = None, **settings: Make) -> list[str]:
    return [s.title for s in Engine(folder, steps(**settings), ["*"]).run(reporter or Reporter())]


def test_what_was_made_is_kept_and_what_changes_is_made_again(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert ran(run, a=Make(1), b=Make(2)) == ["a/make", "a/double", "b/make", "b/double", "add"]
    assert (run / "sum.txt").read_text() == "2 + 4"
    assert ran(run, a=Make(1), b=Make(2)) == []
    assert ran(run, a=Make(1), b=Make(3)) == ["b/make", "b/double", "add"]
    assert (run / "sum.txt").read_text() == "2 + 6"


def test_an_edited_file_reruns_what_reads_it(tmp_path: Path) -> None:
    ran(tmp_path, a=Make(1))
    (tmp_path / "a" / "number.txt").write_text("5")
    assert ran(tmp_path, a=Make(1)) == ["a/double", "add"]
    assert (tmp_path / "sum.txt").read_text() == "10"


def test_equal_content_stops_the_chain(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Same(Make):
        note: str = ""

    ran(tmp_path, a=Same(1, note="x"))
    assert ran(tmp_path, a=Same(1, note="y")) == ["a/make"]


def test_a_changed_environment_reruns_the_steps_that_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(tmp_path, a=Make(1))
    monkeypatch.setitem(ENVIRONMENT, "abc", "2.0")
    assert ran(tmp_path, a=Make(1)) == ["a/double"]


def test_force_runs_every_step_and_copies_none(tmp_path: Path) -> None:
    lines = Lines()
    engine = Engine(tmp_path, steps(a=Make(1), b=Make(1)))
    engine.run(Reporter())
    assert [s.title for s in engine.run(lines, force=True)] == [s.title for s in engine.steps]
    assert lines.lines == ["doubled in a", "doubled in b"]


def test_a_step_of_the_same_key_is_copied(tmp_path: Path) -> None:
    lines = Lines()
    ran(tmp_path, lines, a=Make(1), b=Make(1))
    assert lines.lines == ["doubled in a"]
    assert (tmp_path / "b" / "double.txt").read_text() == "2"


def test_targets_run_what_leads_to_them(tmp_path: Path) -> None:
    engine = Engine(tmp_path, steps(a=Make(1), b=Make(2)))
    assert [s.title for s in engine.run(Reporter(), targets=["b/double.txt"])] == ["b/make", "b/double"]
    with pytest.raises(DataError, match=r"c\.txt: no step makes it; files of the run: a/number\.txt"):
        engine.run(Reporter(), targets=["c.txt"])


@pytest.mark.parametrize("error", ["tool", "interrupt"])
def test_a_failed_step_leaves_the_old_outputs_and_runs_again(tmp_path: Path, error: str) -> None:
    ran(tmp_path, a=Make(1))
    kind = ToolError if error == "tool" else KeyboardInterrupt
    with pytest.raises(kind) as caught:
        ran(tmp_path, a=Make(2, error))
    assert (tmp_path / "a" / "number.txt").read_text() == "1"
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name or path.name == "outputs"]
    if error == "tool":
        assert (tmp_path / "a" / "make.log").read_text() == "all that it said"
        assert "make.log" in str(caught.value)
    assert ran(tmp_path, a=Make(3)) == ["a/make", "a/double", "add"]


def test_checkpoints_outlive_an_interrupt_but_not_a_change(tmp_path: Path) -> None:
    seen: list[dict[str, bytes]] = []

    def work(settings: Make, space: Workspace) -> None:
        seen.append(dict(space.checkpoints))
        make(settings, space)

    def once(settings: Make) -> None:
        Engine(tmp_path, [Step("make", "", settings, work, (), (NUMBER,))]).run(Reporter())

    for settings in (Make(1, "interrupt"), Make(1, "interrupt"), Make(2, "interrupt")):
        with pytest.raises(KeyboardInterrupt):
            once(settings)
    assert seen == [{}, {"half": b"way"}, {}]
    once(Make(3))
    assert not (tmp_path / ".work").exists() or not list((tmp_path / ".work").rglob("*.*"))


def test_a_tolerated_error_costs_its_chain_alone(tmp_path: Path) -> None:
    lines = Lines()
    assert ran(tmp_path, lines, a=Make(1, "time"), b=Make(2)) == [
        "a/make",
        "a/double",
        "b/make",
        "b/double",
        "add",
    ]
    assert lines.lines[0] == "a/make: given up: abc: timed out after 1 s"
    assert (tmp_path / "sum.txt").read_text() == "abc: timed out after 1 s + 4"
    assert not (tmp_path / "a" / "number.txt").exists()
    assert ran(tmp_path, a=Make(1, "time"), b=Make(2)) == []
    assert ran(tmp_path, a=Make(1), b=Make(2)) == ["a/make", "a/double", "add"]


def test_folders_of_no_step_are_removed(tmp_path: Path) -> None:
    def once(*names: str) -> None:
        found = [Step("make", f"all/{name}", Make(1), make, (), (NUMBER,)) for name in names]
        Engine(tmp_path, found, ["all/*", "alone"]).run(Reporter())

    once("a", "b")
    once("b")
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["b"]
    once("a", "b")
    assert (tmp_path / "all" / "a" / "number.txt").read_text() == "1"
    (tmp_path / "alone").mkdir()
    once("a")
    assert not (tmp_path / "alone").exists()


def test_a_file_that_no_step_made_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "number.txt").write_text("mine")
    with pytest.raises(DataError, match=r"number\.txt: already exists and was not made by step a/make"):
        ran(tmp_path, a=Make(1))
    assert (tmp_path / "a" / "number.txt").read_text() == "mine"


def test_a_step_sees_only_what_it_declares(tmp_path: Path) -> None:
    def peek(_: int, space: Workspace) -> None:
        space.get(SOURCE)

    def spill(_: int, space: Workspace) -> None:
        space.put(SOURCE, "")

    def forget(_: int, space: Workspace) -> None:
        pass

    for work, says in ((peek, "no input source"), (spill, "no output source"), (forget, "did not make sum")):
        with pytest.raises(LookupError, match=says):
            Engine(tmp_path / says, [Step("s", "", 0, work, (), (SUM,))]).run(Reporter())


def test_a_missing_input_names_the_step_that_makes_it(tmp_path: Path) -> None:
    engine = Engine(tmp_path, [Step("double", "", 2, double, (NUMBER,), (DOUBLE,))])
    with pytest.raises(DataError, match=r"number\.txt: is missing"):
        engine.run(Reporter())


def test_a_folder_is_an_artifact_too(tmp_path: Path) -> None:
    from dwn_asic.flow.step import Codec

    def write(value: tuple[str, ...], path: Path) -> None:
        path.mkdir()
        for n, text in enumerate(value):
            (path / f"{n}.txt").write_text(text)

    many = Artifact("many", Codec(write, lambda path: tuple(f.read_text() for f in sorted(path.iterdir()))))

    def fill(count: int, space: Workspace) -> None:
        space.put(many, tuple(map(str, range(count))))

    def join(_: int, space: Workspace) -> None:
        space.put(SUM, "".join(space.get(many)))

    def once(count: int) -> list[str]:
        found: list[Step[Any]] = [
            Step("fill", "", count, fill, (), (many,)),
            Step("join", "", 0, join, (many,), (SUM,)),
        ]
        return [s.title for s in Engine(tmp_path, found).run(Reporter())]

    assert once(3) == ["fill", "join"]
    assert once(2) == ["fill", "join"]
    assert (tmp_path / "sum.txt").read_text() == "01"
    (tmp_path / "many" / "1.txt").write_text("x")
    assert once(2) == ["join"]


def _hold(folder: Path, ready: Any, release: Any) -> None:
    with locked(folder, Reporter()):
        ready.set()
        release.wait(30)


def test_a_second_process_waits_and_says_so(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, release))
    other.start()
    assert ready.wait(60)
    lines = Lines()
    thread = threading.Thread(target=ran, args=(tmp_path, lines), kwargs={"a": Make(1)})
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    assert f"is in use by process {other.pid}: waiting" in lines.lines[0]
    release.set()
    thread.join(30)
    other.join(30)
    assert (tmp_path / "sum.txt").read_text() == "2"
