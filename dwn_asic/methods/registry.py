"""Registry of methods, and the plans for a flow's ``baselines``.

A method is registered if its module defines ``METHOD``: every module of this package, every entry point of
the group ``dwn_asic.methods`` of an installed distribution, and every argument of :func:`register`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from dwn_asic.discovery import discover
from dwn_asic.errors import DwnAsicError
from dwn_asic.methods.base import Method, MethodConfig, Plan

__all__ = ["GROUP", "AnyMethod", "method", "methods", "plan", "register"]

GROUP = "dwn_asic.methods"
"""Group of the entry points that name a Method, for example ``mine = "package.module:METHOD"``."""
AnyMethod = Method[MethodConfig]

_registered: dict[str, AnyMethod] = {}


def methods() -> Mapping[str, AnyMethod]:
    """Return all methods by kind, in the order of tables and legends: by rank, then by kind.

    Raises
    ------
    DwnAsicError
        An entry point cannot be loaded or names no method, or two methods have the same kind.
    """
    found = {**_discovered(), **_registered}
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: (item[1].rank, item[0]))))


def method(kind: str) -> AnyMethod:
    """Return the method of this kind; raises DwnAsicError if there is none."""
    known = methods()
    if kind not in known:
        raise DwnAsicError(f"there is no method of kind {kind!r} (allowed: {', '.join(known)})")
    return known[kind]


def register(added: AnyMethod) -> None:
    """Register a method in this process, for example in a notebook, replacing an earlier registration.

    Raises
    ------
    DwnAsicError
        A module of this package or an entry point defines a method of this kind.
    """
    if added.kind in _discovered():
        raise DwnAsicError(f"a method of kind {added.kind!r} exists already: choose another kind")
    _registered[added.kind] = added


def plan(configs: Sequence[MethodConfig]) -> list[Plan]:
    """Return the baselines that a flow asks for, in its order, each once and under a unique name.

    A second baseline with the same name but other options gets a number: ``tiny-2bit-v2``.
    """
    plans: list[Plan] = []
    for wanted in (each for config in configs for each in method(config.kind).plans(config)):
        alike = [p for p in plans if p.name == wanted.name or p.name.startswith(f"{wanted.name}-v")]
        if any(p.fitter == wanted.fitter for p in alike):
            continue
        version = len(alike) + 1
        name, label = f"{wanted.name}-v{version}", f"{wanted.label} (version {version})"
        plans.append(replace(wanted, name=name, label=label) if alike else wanted)
    return plans


@cache
def _discovered() -> Mapping[str, AnyMethod]:
    """Return the methods of this package and of entry points by kind."""
    found: dict[str, AnyMethod] = {}
    for declared in discover("dwn_asic.methods", "METHOD", GROUP, Method):
        if declared.kind in found:
            raise DwnAsicError(f"two methods have the kind {declared.kind!r}")
        found[declared.kind] = declared
    return MappingProxyType(found)
