"""Plug-ins: the modules of a package that define a name, and entry points of other distributions."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterator

__all__ = ["discover"]


def discover(package: str, name: str, group: str) -> Iterator[object]:
    """What modules of a package, and then entry points, offer under a name.

    Parameters
    ----------
    package
        For example ``dwn_asic.methods``; each of its modules and packages is imported.
    name
        Attribute, for example ``METHOD``; modules without it are passed over.
    group
        Of the entry points, for example ``dwn_asic.methods``.
    """
    path = importlib.import_module(package).__path__
    for found in sorted(pkgutil.iter_modules(path), key=lambda module: module.name):
        module = importlib.import_module(f"{package}.{found.name}")
        if hasattr(module, name):
            yield getattr(module, name)
    for entry in sorted(importlib.metadata.entry_points(group=group), key=lambda entry: entry.name):
        yield entry.load()
