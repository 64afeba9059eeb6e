"""The effort of trials that fits a budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.errors import ConfigError
from dwn_asic.search.effort import Times, scaled, seconds_of, share_of_effort
from dwn_asic.search.recipes import base_sections

SECONDS = st.floats(0.0, 1000.0)


@given(SECONDS, SECONDS, SECONDS, st.floats(0.1, 10_000.0))
def test_a_trial_of_this_effort_ends_in_time_if_any_does(
    training: float, annealing: float, rest: float, limit: float
) -> None:
    times = Times(training, annealing, rest)
    share = share_of_effort(times, 0.05, limit)
    assert 0.05 <= share <= 1.0
    if share > 0.05:
        assert times.at(share, 0.05) <= limit * (1 + 1e-9) or training + annealing == 0.0
    if share < 1.0:
        assert times.at(min(1.0, share * 1.1), 0.05) >= limit * (1 - 1e-9)


def test_the_whole_effort_is_the_recipe_itself() -> None:
    sections = base_sections(1000, 2)
    assert scaled(sections, 1.0) == sections
    tenth = scaled(sections, 0.1)
    assert (tenth["training"]["epochs"], tenth["shrink"]["proposals"]) == (6, 100_000)
    assert scaled(sections, 1e-6)["training"]["epochs"] == 4


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("10m", 600.0), ("1.5h", 5400.0), ("20", 20.0)])
def test_budgets(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "ten", "10d", "-5m", "0m"])
def test_no_budget(text: str) -> None:
    with pytest.raises(ConfigError, match="budget"):
        seconds_of(text)
