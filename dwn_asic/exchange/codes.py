"""Search for the offset, step and width of a feature's codes that represent given thresholds.

Boundary c of a quantizer is the value ``lo + step * (c - 0.5)``, at which the code changes to c. A threshold
is represented exactly if a boundary lies in its window: above the threshold, since the bit of a value equal
to the threshold is cleared, and at most at the window's end. The search draws offsets and steps at random.
Among the codes with a boundary in every window, it chooses those whose comparators need the fewest gates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Codes", "Windows", "find_codes"]

_CANDIDATES = 2000
"""Number of pairs of step and offset that are tried for each width."""
_COUNTED = 64
"""Number of pairs, among those with a boundary in every window, whose gates are counted exactly."""
_MORE_BITS = 2
"""Number of further widths tried after the first success, to get all boundaries within half a step."""
_MARGIN = 1e-6
"""Smallest distance of a boundary from the values that it separates, as a fraction of a step."""


@dataclass(frozen=True)
class Windows:
    """Intervals for the boundaries of one feature's K thresholds: above ``low``, at most at ``high``.

    Attributes
    ----------
    low
        (K,) distinct thresholds, ascending, with the tolerance for ties added.
    high
        (K,) ends of the windows, each greater than ``low``.
    weight
        (K,) costs per unit of the feature by which a boundary lies above ``low``; they choose the best code
        if no code has a boundary in every window.
    first, last
        Smallest and largest value that the codes must cover.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    weight: NDArray[np.float64]
    first: float
    last: float


@dataclass(frozen=True)
class Codes:
    """The quantizer of one feature, and the constants that represent its thresholds.

    Attributes
    ----------
    lo, step, bits
        As in :class:`dwn_asic.encode.quantizer.Quantizer`.
    constants
        (K,) int64 constants, one for each window: the bit is ``code >= constant``.
    exact
        Whether every window contains its boundary.
    """

    lo: float
    step: float
    bits: int
    constants: NDArray[np.int64]
    exact: bool


@dataclass(frozen=True)
class _Found:
    """A candidate of the search, whose boundary c lies at ``zero + step * c``."""

    bits: int
    zero: float
    step: float
    constants: NDArray[np.int64]

    @cached_property
    def gates(self) -> int:
        """Number of gates of the comparators.

        Each comparator is a chain of gates from its constant's lowest set bit upwards; chains share their
        common gates.
        """
        parts = {
            (k, constant & ((2 << k) - 1))
            for constant in set(self.constants.tolist())
            for k in range((constant & -constant).bit_length(), self.bits)
        }
        return len(parts)


def find_codes(windows: Windows, least_bits: int, most_bits: int, rng: np.random.Generator) -> Codes:
    """Find narrow codes with few gates that have a boundary in every window.

    Codes whose boundaries all lie at most half a step above their thresholds are preferred; no boundary lies
    more than a step above. If no code has a boundary in every window, the best code of ``most_bits`` is
    returned.

    Parameters
    ----------
    windows
        Intervals for the boundaries.
    least_bits, most_bits
        Smallest and largest width to try in bits; narrow codes are tried first.
    rng
        Generator that draws the steps and offsets.
    """
    near: list[_Found] = []
    far: list[_Found] = []
    best: _Found | None = None
    for bits in range(least_bits, most_bits + 1):
        if (near and bits > near[0].bits + 1) or (far and bits > far[0].bits + _MORE_BITS):
            break
        zero, step = _drawn(windows, bits, rng)
        constants = np.floor((windows.low - zero[:, None]) / step[:, None] + _MARGIN).astype(np.int64) + 1
        above = zero[:, None] + step[:, None] * constants - windows.low  # (M, K)
        inside = (constants[:, 0] > 0) & (constants[:, -1] < 1 << bits)
        room = windows.high - windows.low - _MARGIN * step[:, None]
        good = inside & (above <= room).all(axis=1)
        half = good & (above <= step[:, None] / 2).all(axis=1)
        for found, kept in ((near, half), (far, good)):
            found += [_Found(bits, zero[i], step[i], constants[i]) for i in _cheapest(constants, kept, bits)]
        if inside.any():
            missed = np.where(inside, (above * windows.weight).sum(axis=1), np.inf)
            i = missed.argmin()
            best = _Found(bits, zero[i], step[i], constants[i])
    if chosen := near or far:
        best = min(chosen, key=lambda found: (found.gates, found.bits))
    assert best is not None, "the widest code is too narrow for the thresholds"
    return Codes(best.zero + best.step / 2, best.step, best.bits, best.constants, bool(chosen))


def _drawn(
    windows: Windows, bits: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw (M,) values of boundary 0 and (M,) steps of codes that cover the first to the last value.

    Half of the steps divide the distance between the outer thresholds. If all thresholds lie on a grid, its
    step is one of these.
    """
    low, room = windows.low[0], windows.high[0] - windows.low[0]
    distance = windows.low[-1] - low
    before, after = max(low - windows.first, 0.0), max(windows.last - low, distance)
    top = (1 << bits) - 1  # the highest code
    least = max((before + after) / (top + 1), distance / top)
    if least <= 0:
        step = np.array([2 * room])
        return low + room / 2 - step, step
    step = least * 2 ** rng.random(_CANDIDATES)
    if distance > 0:
        parts = np.arange(np.ceil(distance / (2 * least)), np.floor(distance / least) + 1)
        aligned = rng.choice(parts[parts > 0], _CANDIDATES // 2) if (parts > 0).any() else None
        if aligned is not None:
            step[: _CANDIDATES // 2] = distance / aligned
    above = rng.random(_CANDIDATES) * np.where(np.arange(_CANDIDATES) % 8 < 7, np.minimum(room, step), step)
    # The number of that boundary: the codes below it must reach down to the first value, and those above it
    # up to the last.
    least_constant = np.maximum(np.ceil((before + above) / step), 1)
    most_constant = np.floor(np.minimum((above - after) / step + top + 1, (above - distance) / step + top))
    room_left = np.maximum(most_constant - least_constant, 0)
    constant = least_constant + np.floor(rng.random(_CANDIDATES) * (room_left + 1))
    return low + above - step * constant, step


def _cheapest(constants: NDArray[np.int64], kept: NDArray[np.bool_], bits: int) -> list[int]:
    """Return the rows of (M, K) constants that are kept and whose unshared comparators have fewest gates."""
    places = np.flatnonzero(kept)
    lowest = constants[places] & -constants[places]
    gates = (bits - np.log2(lowest)).sum(axis=1)
    return [int(i) for i in places[np.argsort(gates, kind="stable")[:_COUNTED]]]
