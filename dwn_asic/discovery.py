"""Plug-ins, found in the modules of a package and in the entry points of other distributions."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from dwn_asic.errors import DwnAsicError

__all__ = ["discover"]

Kind = TypeVar("Kind")


def discover(package: str, name: str, group: str, kind: type[Kind]) -> Iterator[Kind]:
    """Yield the plug-ins that the modules of a package define, then those that entry points declare.

    Parameters
    ----------
    package
        Name of the package, for example ``dwn_asic.methods``; each module and subpackage in it is imported.
    name
        Module attribute that holds the plug-in, for example ``METHOD``; modules without it are skipped.
    group
        Group of the entry points, for example ``dwn_asic.methods``.
    kind
        Class that every plug-in must be an instance of.

    Raises
    ------
    DwnAsicError
        A plug-in cannot be loaded, or is not an instance of ``kind``.
    """
    path = import_module(package).__path__
    for found in sorted(pkgutil.iter_modules(path), key=lambda module: module.name):
        module = import_module(f"{package}.{found.name}")
        if hasattr(module, name):
            yield _checked(getattr(module, name), f"{module.__name__}.{name}", kind)
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        where = f"entry point {point.name!r} of the group {group!r} ({point.value})"
        yield _checked(_loaded(point, where), where, kind)


def _loaded(point: EntryPoint, where: str) -> object:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise DwnAsicError(f"{where} cannot be loaded: {error}") from error


def _checked(found: object, where: str, kind: type[Kind]) -> Kind:
    if not isinstance(found, kind):
        raise DwnAsicError(f"{where} must be of type {kind.__name__}, but is of type {type(found).__name__}")
    return found
