"""The effort of trials that fits a budget of time, from the times of a first, short trial."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dwn_asic.errors import ConfigError

__all__ = ["Times", "scaled", "seconds_of", "share_of_effort"]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")
_LEAST_EPOCHS, _LEAST_PROPOSALS = 4, 10_000


@dataclass(frozen=True)
class Times:
    """Times of the parts of a trial in seconds.

    Attributes
    ----------
    training, annealing
        Training, and the chains of the annealing, which grow in proportion to epochs and proposals.
    rest
        All else, which does not depend on them.
    """

    training: float
    annealing: float
    rest: float

    @property
    def content(self) -> dict[str, float]:
        """The times by name."""
        return asdict(self)

    def at(self, share: float, measured: float) -> float:
        """Return the time of a trial with a share of the whole effort, given the share that was measured."""
        return self.rest + (self.training + self.annealing) * share / measured


def share_of_effort(times: Times, measured: float, seconds: float) -> float:
    """Return the largest share of the whole effort, at most 1, with which a trial ends in so many seconds.

    Parameters
    ----------
    times
        Times of a trial with the share ``measured``.
    measured
        Share of the whole effort with which they were measured.
    seconds
        Time that a trial may take; if even its fixed part takes longer, the share is the measured one.

    Examples
    --------
    >>> share_of_effort(Times(training=1.0, annealing=3.0, rest=2.0), 0.05, 42.0)
    0.5
    >>> share_of_effort(Times(training=1.0, annealing=3.0, rest=2.0), 0.05, 1000.0)
    1.0
    """
    growing = (times.training + times.annealing) / measured
    if growing <= 0.0:
        return 1.0
    return min(1.0, max(measured, (seconds - times.rest) / growing))


def scaled(sections: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Return the sections of a flow file with a share of epochs and proposals, rounded to two digits."""
    training, shrink = dict(sections["training"]), dict(sections["shrink"])
    training["epochs"] = max(_LEAST_EPOCHS, _rounded(training["epochs"] * share))
    shrink["proposals"] = max(_LEAST_PROPOSALS, _rounded(shrink["proposals"] * share))
    return {**sections, "training": training, "shrink": shrink}


def _rounded(value: float) -> int:
    return int(float(f"{value:.2g}"))


def seconds_of(budget: str) -> float:
    """Return the seconds of a budget such as ``90s``, ``10m`` or ``1.5h``.

    Raises
    ------
    ConfigError
        The text is no budget.

    Examples
    --------
    >>> seconds_of("10m"), seconds_of("45")
    (600.0, 45.0)
    """
    found = _BUDGET.fullmatch(budget.strip())
    if found is None or float(found[1]) <= 0.0:
        raise ConfigError("auto", "budget", f"is {budget!r}", "a time such as 90s, 10m or 1h")
    return float(found[1]) * _UNITS[found[2] or "s"]
