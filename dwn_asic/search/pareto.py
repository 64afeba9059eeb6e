"""The circuits of all trials as one front, and the choice of one of them; validation rows decide."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dwn_asic.errors import ConfigError

__all__ = ["Candidate", "choose", "pareto", "smallest_reaching", "spread", "within_area"]

_STANDARD_ERRORS = 10.0
"""Standard errors of the number of errors that a tolerance of 1 allows at least, as in shrinking."""


@dataclass(frozen=True)
class Candidate:
    """A circuit of a trial's front; scores are those of the flow's objective.

    Attributes
    ----------
    trial
        Number of the trial.
    place
        Place on the front of the trial, counted from 0.
    area
        Total area, or that of the core if the flow minimizes it, in units of the target.
    val, expected
        Score on validation rows as measured, and as circuits of about this size lead one to expect.
    chosen
        Whether the trial itself chose the circuit.
    further
        Values of further objectives, such as the delay, of which less is better; only chosen circuits have
        them.
    """

    trial: int
    place: int
    area: float
    val: float
    expected: float
    chosen: bool = False
    further: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def score(self) -> float:
        """The lower of the measured and the expected score, so that favourable noise does not decide."""
        return min(self.val, self.expected)

    @property
    def order(self) -> tuple[float, float, int, int]:
        """Key that sorts by area; among equal areas the best, then the one of the first trial comes first."""
        return self.area, -self.score, self.trial, self.place


def pareto(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the circuits that no other is at least as good as in every objective, by ascending area.

    A circuit without further objectives is compared by area and score alone.
    """
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda each: each.order):
        if not any(_covers(other, one) for other in kept):
            kept.append(one)
    return tuple(kept)


def _covers(other: Candidate, one: Candidate) -> bool:
    """Return whether a circuit of at most the same area is as good as another one."""
    if other.score < one.score:
        return False
    return all(other.further.get(name, math.inf) <= value for name, value in one.further.items())


def within_area(front: Sequence[Candidate], limit: float) -> Candidate:
    """Return the circuit of the best score among those of at most this area; ties go to the smallest.

    Raises
    ------
    ConfigError
        No circuit is so small.
    """
    fitting = [each for each in front if each.area <= limit]
    if not fitting:
        least = min(each.area for each in front)
        raise ConfigError("search", "max_area", f"is {limit:g}", f"at least {least:.2f}, the smallest found")
    return min(fitting, key=lambda each: (-each.score, *each.order))


def smallest_reaching(front: Sequence[Candidate], score: float) -> Candidate | None:
    """Return the smallest circuit of at least this score, or None."""
    return min((each for each in front if each.score >= score), key=lambda each: each.order, default=None)


def choose(front: Sequence[Candidate], tolerance: float, n_rows: int) -> Candidate:
    """Return the smallest circuit that adds few errors to those of the best, as shrinking does.

    Parameters
    ----------
    front
        Circuits, at least one.
    tolerance
        Errors that may be added: this share of the errors or, below 100 errors, ten times this share of their
        standard error.
    n_rows
        Number of validation rows.
    """
    best = max(each.score for each in front)
    errors = (1.0 - best) * n_rows
    added = tolerance * max(errors, _STANDARD_ERRORS * math.sqrt(max(0.0, errors)))
    found = smallest_reaching(front, best - added / n_rows)
    assert found is not None
    return found


def spread(
    front: Sequence[Candidate],
    count: int,
    always: Sequence[Candidate] = (),
    distance: Callable[[float], float] = math.log1p,
) -> tuple[Candidate, ...]:
    """Return at most ``count`` circuits that lie evenly over the front, by ascending area.

    Parameters
    ----------
    front
        Circuits by ascending area.
    count
        Number of circuits, at least that of ``always``.
    always
        Circuits that are taken in any case.
    distance
        Function of the area on which circuits lie evenly; by default that of orders of magnitude.
    """
    taken = list(dict.fromkeys((each.trial, each.place) for each in always))
    ends = [front[0], front[-1]] if front else []
    for end in ends:
        if len(taken) < count and (end.trial, end.place) not in taken:
            taken.append((end.trial, end.place))
    places = {(each.trial, each.place): distance(each.area) for each in (*front, *always)}
    while len(taken) < min(count, len(places)):
        rest = [key for key in places if key not in taken]
        taken.append(max(rest, key=lambda key: min(abs(places[key] - places[other]) for other in taken)))
    known = {(each.trial, each.place): each for each in (*always, *front)}
    return tuple(sorted((known[key] for key in taken), key=lambda each: each.order))
