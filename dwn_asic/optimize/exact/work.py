"""The budget of a search, counted in operations, so that its result depends on neither machine nor load."""

from __future__ import annotations

__all__ = ["Work"]


class Work:
    """The work that a search has done and may still do, in nominal seconds.

    A nominal second is roughly a second of one core at 3 GHz. It is computed from counts of operations
    (nodes, simulated words, propagations of the SAT solver), never from a clock.

    Parameters
    ----------
    limit
        Most work of the search in nominal seconds.

    Attributes
    ----------
    spent
        The work done so far in nominal seconds.
    """

    def __init__(self, limit: float) -> None:
        self._limit, self.spent = limit, 0.0

    def add(self, seconds: float) -> None:
        """Count some nominal seconds of work."""
        self.spent += seconds

    def extend(self, seconds: float) -> None:
        """Allow some nominal seconds from now on, beside what is left."""
        self._limit = max(self._limit, self.spent) + seconds

    def allows(self, seconds: float = 0.0) -> bool:
        """Return whether the budget has more than these nominal seconds left."""
        return self.spent + seconds < self._limit
