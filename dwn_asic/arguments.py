"""Arguments of the functions of :mod:`dwn_asic.api`, checked before any work starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.dataset import Dataset
from dwn_asic.errors import ConfigError, DataError, DwnAsicError
from dwn_asic.methods.base import Classifier
from dwn_asic.optimize.lossy.front import FrontCircuit
from dwn_asic.yaml_file import validate

__all__ = ["check_fits", "checked_name", "graph_of", "validated"]

Model = TypeVar("Model", bound=BaseModel)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def validated(model: type[Model], what: str, options: Mapping[str, object]) -> Model:
    """Return options as a configuration; raises ConfigError naming ``what``, key and allowed values."""
    return validate(model, {key: _plain(value) for key, value in options.items()}, what)


def _plain(value: Any) -> Any:
    """Convert numpy numbers and arrays to Python's, since configurations accept no others."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def graph_of(start: Classifier | FrontCircuit | BooleanGraph) -> BooleanGraph:
    """Return the Boolean graph of a model or circuit; raises DwnAsicError if the model is software only."""
    if isinstance(start, BooleanGraph):
        return start
    if start.graph is None:
        raise DwnAsicError(f"{start.label} is software only: it has no circuit")
    return start.graph


def check_fits(graph: BooleanGraph, dataset: Dataset) -> None:
    """Raise DataError if features, code widths or classes of a circuit differ from those of a data set."""
    table, interface = dataset.table, graph.interface
    widths = tuple(int(width) for width in dataset.quantizer.bits)
    for what, own, given in (
        ("features", interface.feature_names, table.feature_names),
        ("widths", interface.widths, widths),
        ("classes", interface.class_names, table.class_names),
    ):
        if own != given:
            raise DataError(table.source, f"the circuit belongs to other data: its {what} differ")


def checked_name(name: str, what: str) -> str:
    """Return a name if Verilog modules can have it; otherwise raises ConfigError, which names ``what``."""
    if not _NAME.fullmatch(name):
        raise ConfigError(what, "name", f"is {name!r}", "a letter, then letters, digits and underscores")
    return name
