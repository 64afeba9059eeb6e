"""Codes of one feature on which given cuts lie where they may: the search for offset, step and width.

Boundary c of a quantizer is the value ``lo + step * (c - 0.5)``, at which the code becomes c. A threshold is
exact where a boundary lies in its window: above the threshold, since a value that equals it has a cleared
bit, and not above the window's end. All offsets and steps place some boundaries well; of the codes that place
all of them, those are taken whose comparators need the fewest gates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Codes", "Windows", "find_codes"]

_CANDIDATES = 2000
"""Pairs of step and offset that are tried for each width."""
_COUNTED = 64
"""Of those that place all boundaries well: the ones whose gates are counted."""
_MORE_BITS = 2
"""Wider codes that are tried once there is one, for boundaries within half a step."""
_MARGIN = 1e-6
"""Of a step: a boundary is that far from values that it must tell apart."""


@dataclass(frozen=True)
class Windows:
    """Where the boundaries of one feature's K thresholds must lie: above ``low``, at most at ``high``.

    Attributes
    ----------
    low
        (K,) distinct thresholds, ascending, their ties included.
    high
        (K,) greater than ``low``.
    weight
        (K,) what a boundary costs for each unit of the feature above ``low``, where no code places all well.
    first, last
        Values that are told apart from those next to them: a code is no narrower than from one to the other.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    weight: NDArray[np.float64]
    first: float
    last: float


@dataclass(frozen=True)
class Codes:
    """A feature's quantizer, and the constant of each window's threshold.

    Attributes
    ----------
    lo, step, bits
        As in :class:`dwn_asic.encode.quantizer.Quantizer`.
    constants
        (K,) int64.
    exact
        Whether all boundaries lie in their windows.
    """

    lo: float
    step: float
    bits: int
    constants: NDArray[np.int64]
    exact: bool


@dataclass(frozen=True)
class _Found:
    """A candidate: boundary c lies at ``zero + step * c``."""

    bits: int
    zero: float
    step: float
    constants: NDArray[np.int64]

    @cached_property
    def gates(self) -> int:
        """Of the comparators: each a chain from the constant's lowest bit up, shared where chains agree."""
        parts = {
            (k, constant & ((2 << k) - 1))
            for constant in set(self.constants.tolist())
            for k in range((constant & -constant).bit_length(), self.bits)
        }
        return len(parts)


def find_codes(windows: Windows, least_bits: int, most_bits: int, rng: np.random.Generator) -> Codes:
    """Narrow codes of few gates that place all boundaries well, or the best of ``most_bits`` if none do.

    Boundaries that all lie at most half a step above their thresholds are preferred. None lies more than a
    step above.

    Parameters
    ----------
    windows
        Where boundaries may lie.
    least_bits, most_bits
        Widths to try, the narrowest first.
    rng
        Draws the steps and offsets that are tried.
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
    assert best is not None, "the widest code has no place for the thresholds"
    return Codes(best.zero + best.step / 2, best.step, best.bits, best.constants, bool(chosen))


def _drawn(
    windows: Windows, bits: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(M,) values of boundary 0 and (M,) steps of codes that reach from the first to the last value.

    Half of the steps divide the distance of the outer thresholds, as those do on which all lie if they lie on
    a grid.
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
    # Which boundary that is: the codes below must reach the first value, those from it on the last.
    least_constant = np.maximum(np.ceil((before + above) / step), 1)
    most_constant = np.floor(np.minimum((above - after) / step + top + 1, (above - distance) / step + top))
    room_left = np.maximum(most_constant - least_constant, 0)
    constant = least_constant + np.floor(rng.random(_CANDIDATES) * (room_left + 1))
    return low + above - step * constant, step


def _cheapest(constants: NDArray[np.int64], kept: NDArray[np.bool_], bits: int) -> list[int]:
    """Places of those (M, K) constants that are kept whose comparators alone need the fewest gates."""
    places = np.flatnonzero(kept)
    lowest = constants[places] & -constants[places]
    gates = (bits - np.log2(lowest)).sum(axis=1)
    return [int(i) for i in places[np.argsort(gates, kind="stable")[:_COUNTED]]]
