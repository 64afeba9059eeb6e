"""The sampler: what it asks for first, and that an interruption does not change what follows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dwn_asic.errors import ConfigError, ToolError
from dwn_asic.search.sampler import Asked, Sampler, open_sampler
from dwn_asic.search.space import Choices, Numbers

pytest.importorskip("optuna")

SPACE = {
    "encoder.bits": Numbers(1, 64, whole=True, log=True),
    "model.pyramid": Choices.of([[4], [2, 2]]),
    "training.learning_rate": Numbers(0.01, 1.0, whole=False, log=True),
}
FIRST = {"encoder.bits": 5, "model.pyramid": "[2, 2]", "training.learning_rate": 0.1}


def opened(storage: str | Path, seed: int = 1) -> Sampler:
    sampler = open_sampler(storage, "mine", SPACE, {"score": "maximize", "area": "minimize"}, seed)
    sampler.plan([FIRST])
    return sampler


def tell(sampler: Sampler, asked: Asked) -> None:
    values = [-abs(asked.assignment["training.learning_rate"] - 0.2), asked.assignment["encoder.bits"]]
    sampler.tell(asked.number, None if asked.number == 3 else values)


def trials(sampler: Sampler, count: int) -> list[Asked]:
    found = []
    for _ in range(count):
        found.append(sampler.ask())
        tell(sampler, found[-1])
    return found


def test_what_was_planned_comes_first_and_all_values_are_in_the_space() -> None:
    found = trials(opened("a/journal.log"), 14)
    assert found[0] == Asked(0, FIRST)
    assert [each.number for each in found] == list(range(14))
    for each in found:
        assert 1 <= each.assignment["encoder.bits"] <= 64
        assert each.assignment["model.pyramid"] in {"[4]", "[2, 2]"}
        assert 0.01 <= each.assignment["training.learning_rate"] <= 1.0
    assert len({str(each.assignment) for each in found}) > 10


@pytest.mark.parametrize(("storage", "count"), [("journal.log", 11), ("sqlite:///trials.db", 1)])
def test_an_interruption_changes_no_later_trial(storage: str, count: int) -> None:
    undisturbed = trials(opened("undisturbed.log"), count + 2)
    before = trials(opened(storage), count)
    begun = opened(storage).ask()  # ... and the process ends here
    again = opened(storage)
    assert again.begun() == (begun,)
    assert again.ended() == count
    tell(again, begun)
    assert [*before, begun, *trials(again, 1)] == undisturbed


def test_another_seed_has_other_trials() -> None:
    assert trials(opened("a.log"), 3)[1:] != trials(opened("b.log", seed=2), 3)[1:]


def test_an_unusable_storage_is_an_error_that_says_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"storage: cannot be used.*a file, or the URL of a database"):
        opened("nonsense://x")


def test_without_optuna_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ToolError, match=r"pip install 'dwn-asic\[search\]'"):
        opened("journal.log")
