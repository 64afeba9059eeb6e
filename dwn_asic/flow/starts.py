"""The starts of the annealing: the circuits of a flow that ``shrink.starts`` names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from dwn_asic.methods.base import Plan
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.registry import method

__all__ = ["UNTRAINED", "UNTRAINED_FOLDER", "allowed_starts", "start_folders"]

UNTRAINED = "untrained"
"""Name of the start that is a network before training."""
UNTRAINED_FOLDER = f"starts/{UNTRAINED}"
"""Folder of this network inside the run's folder."""


def start_folders(patterns: Sequence[str], baselines: Sequence[Plan]) -> Mapping[str, str]:
    """Return the name and the folder of each start: the flow's network first, then in the order of patterns.

    A pattern is a name of :func:`allowed_starts` or the kind of baselines, and may have wildcards.
    """
    found: dict[str, str] = {}
    for pattern in sorted(patterns, key=lambda pattern: pattern != OWN.kind):
        found |= _matching(pattern, baselines)
    return found


def allowed_starts(baselines: Sequence[Plan]) -> tuple[str, ...]:
    """Return the names that match a start."""
    return (OWN.kind, UNTRAINED, *(each.name for each in _circuits(baselines)))


def _matching(pattern: str, baselines: Sequence[Plan]) -> dict[str, str]:
    own = {OWN.kind: "", UNTRAINED: UNTRAINED_FOLDER}
    if pattern in own:
        return {pattern: own[pattern]}
    return {
        each.name: f"baselines/{each.name}"
        for each in _circuits(baselines)
        if fnmatchcase(each.name, pattern) or fnmatchcase(each.kind, pattern)
    }


def _circuits(baselines: Sequence[Plan]) -> list[Plan]:
    return [each for each in baselines if not method(each.kind).software]
