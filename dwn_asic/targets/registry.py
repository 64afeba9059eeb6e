"""Registry of all targets: those of this package, of entry points, and registered in this process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dwn_asic.discovery import discover
from dwn_asic.targets.base import TargetKind

__all__ = ["register", "target_kind", "target_kinds"]

_GROUP = "dwn_asic.targets"
_registered: dict[str, TargetKind[Any]] = {}


@cache
def _installed() -> Mapping[str, TargetKind[Any]]:
    return {each.kind: each for each in discover("dwn_asic.targets", "TARGET", _GROUP, TargetKind)}


def register(target: TargetKind[Any]) -> None:
    """Add a target for this process, for example in a notebook; an entry point adds it for every process."""
    _registered[target.kind] = target


def target_kinds() -> Mapping[str, TargetKind[Any]]:
    """Return all targets by name."""
    return {**_installed(), **_registered}


def target_kind(name: str) -> TargetKind[Any]:
    """Return the target of this name; raises KeyError if there is none."""
    return target_kinds()[name]
