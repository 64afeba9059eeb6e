"""Reader of torch files that executes nothing in them.

torch's weights-only loading builds tensors and plain containers. Pickled models of torch_dwn also refer to
classes. This module has stand-ins for the few expected ones, which only hold attributes; every other class is
refused.
"""

from __future__ import annotations

import collections
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dwn_asic.errors import DataError

__all__ = ["StandIn", "is_a", "load_safely"]


class StandIn:
    """A stand-in for an object of a class that is not loaded; it holds the object's attributes."""

    kind = ""

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) == 2:  # objects with slots
            state = {**(state[0] or {}), **(state[1] or {})}
        if isinstance(state, dict):
            self.__dict__.update(state)


def _stand_in(name: str) -> type[StandIn]:
    return type(name, (StandIn,), {"kind": name})


_MODULES = ("LUTLayer", "LearnableMapping", "GroupSum", "STE")
_THERMOMETERS = ("Thermometer", "GaussianThermometer", "DistributiveThermometer")
_STAND_INS = {name: _stand_in(name) for name in (*_MODULES, *_THERMOMETERS, "Sequential", "ModuleList")}
_PLACES = {
    **{
        f"torch_dwn.{place}{name}": name
        for name in (*_MODULES, *_THERMOMETERS)
        for place in ("", "lut_layer.", "mapping.", "utils.", "binarization.")
    },
    "torch.nn.modules.container.Sequential": "Sequential",
    "torch.nn.modules.container.ModuleList": "ModuleList",
}
"""Full class names as they appear in files, and the names of their stand-ins."""


def _numpy_builders() -> list[Any]:
    """Return the functions and types that build pickled numpy arrays; none runs code of the file."""
    array = np.zeros(1)
    rebuild = array.__reduce__()[0]
    scalar = np.float64(0.0).__reduce__()[0]
    dtypes = [type(np.dtype(code)) for code in "bBhHiIlLqQefd?"]
    names = ("numpy.core.multiarray", "numpy._core.multiarray")
    return [
        np.ndarray,
        np.dtype,
        *dict.fromkeys(dtypes),
        *((rebuild, f"{name}._reconstruct") for name in names),
        *((scalar, f"{name}.scalar") for name in names),
    ]


def is_a(value: object, *kinds: str) -> bool:
    """Return whether a loaded object is a stand-in for one of these classes."""
    return isinstance(value, StandIn) and value.kind in kinds


def load_safely(path: Path) -> Any:
    """Load a file of ``torch.save`` as tensors, plain containers and stand-ins.

    Raises
    ------
    DataError
        There is no such file, it was not written by torch, or it contains objects of other classes.
    """
    if not path.is_file():
        raise DataError(path, "no such file" if not path.exists() else "not a file")
    allowed = [(_STAND_INS[kind], name) for name, kind in _PLACES.items()]
    builders = [*_numpy_builders(), collections.OrderedDict, set, *allowed]
    try:
        with torch.serialization.safe_globals(builders), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols; an unsupported one is an error anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(path, _why(path, error)) from error
    except (
        AttributeError, EOFError, ImportError, IndexError, KeyError, OSError, RuntimeError, TypeError,
        UnicodeDecodeError, ValueError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        first = (str(error).splitlines() or [""])[0]
        raise DataError(path, f"not a file of torch.save: {first or type(error).__name__}") from error


def _why(path: Path, error: Exception) -> str:
    """Return the reason of a refusal in one line, with the refused classes if there are any."""
    text = str(error)
    try:
        named = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except (ValueError, RuntimeError, OSError, pickle.UnpicklingError, EOFError):
        named = []
    known = {name for name, _ in _PLACES.items()}
    foreign = sorted(set(named) - known - {"builtins.set"})
    foreign = [name for name in foreign if not name.startswith(("numpy.", "collections."))]
    foreign = foreign or re.findall(r"GLOBAL (\w[\w.]*\w) wh?[ao]s", text)[:1]
    if foreign:
        listed = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        return (
            f"refused: it refers to {listed}, but only tensors, plain containers and the classes of "
            "torch_dwn are read; save model.state_dict() and the thermometer's thresholds instead"
        )
    reason = re.search(r"Unpickler error: ([^\n]*)", text)
    return f"refused or damaged: {reason[1] if reason else type(error).__name__}"
