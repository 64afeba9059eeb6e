"""The executor of searches: failures, deaths and the end of the time stop no other task."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from search_tasks import Task

from dwn_asic.errors import DataError, ToolError, ToolTimeoutError
from dwn_asic.flow.search.executor import completed


def test_one_worker_is_this_process_and_takes_a_task_when_the_last_one_was_seen(tmp_path: Path) -> None:
    seen: list[str] = []

    def tasks() -> Iterator[Task]:
        for number in range(3):
            assert len(seen) == number
            yield Task(str(number), tmp_path)

    for task, error in completed(tasks(), 1):
        assert error is None
        seen.append((tmp_path / task.name).read_text())
    assert seen == [str(os.getpid())] * 3


def test_a_failing_and_a_dying_task_stop_no_other(tmp_path: Path) -> None:
    names = ["a", "die", "fail", "b", "c"]
    ended = dict(completed([Task(name, tmp_path) for name in names], 2))
    errors = {task.name: error for task, error in ended.items()}
    assert errors.keys() == set(names)
    assert [errors[name] for name in "abc"] == [None] * 3
    assert isinstance(errors["fail"], DataError)
    assert str(errors["fail"]) == "table.csv: is bad"
    assert isinstance(errors["die"], ToolError)
    assert "exit code 7" in str(errors["die"])
    processes = {(tmp_path / name).read_text() for name in "abc"}
    assert str(os.getpid()) not in processes


def test_at_the_deadline_what_runs_is_stopped_and_nothing_begins(tmp_path: Path) -> None:
    begun = time.monotonic()
    names = ["sleep", "a", "b"]
    deadline = begun + 1.0
    ended = [
        (task.name, error)
        for task, error in completed([Task(n, tmp_path) for n in names], 1, deadline=deadline)
    ]
    assert [name for name, _ in ended] == ["sleep"]
    assert isinstance(ended[0][1], ToolTimeoutError)
    assert time.monotonic() - begun < 60.0
    assert list(tmp_path.iterdir()) == []
