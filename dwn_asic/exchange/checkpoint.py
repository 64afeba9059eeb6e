"""Reading checkpoints: what the files of torch_dwn, dwn2rtl and training loops around them hold.

Supported are state dicts, pickled models, dicts of either with a thermometer and more, and what
``dwn2rtl.save`` writes. An entry of a state dict that could change the network and is not understood is an
error; what training loops write beside it (optimizers, epochs, callbacks) is not looked at.

References
----------
github.com/alanbacellar/DWN (torch_dwn); pypi.org/project/dwn2rtl.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import LutLayer
from dwn_asic.errors import DataError
from dwn_asic.exchange.foreign_model import ForeignModel
from dwn_asic.exchange.layers import LayerError, check_all_used, read_layers
from dwn_asic.exchange.unpickle import StandIn, is_a, load_safely

__all__ = ["read_checkpoint"]

_THERMOMETERS = ("Thermometer", "GaussianThermometer", "DistributiveThermometer")
_MODELS = ("state_dict", "model_state_dict", "model")
"""Keys under which checkpoints keep the model, the first that is there."""
_CONFIGURATIONS = ("config", "hyper_parameters")
_BUFFERS = ("thresholds", "randperm", "k")
"""Of a thermometer and of a GroupSum, where a module keeps them in its state dict."""
_OF_A_THERMOMETER = ("num_bits", "feature_wise")
"""Beside ``thresholds``: what they were fitted with."""


def read_checkpoint(
    path: Path,
    *,
    thresholds: Path | None = None,
    n_classes: int | None = None,
    n_features: int | None = None,
) -> ForeignModel:
    """Read a checkpoint, safely.

    Parameters
    ----------
    path
        Written by ``torch.save`` or ``dwn2rtl.save``.
    thresholds
        A file (``.npy``, ``.csv``, or of ``torch.save``) where the checkpoint has no thermometer.
    n_classes
        C where the checkpoint has no GroupSum; else it must agree.
    n_features
        F, needed where all features share their thresholds and the wiring is fixed.

    Raises
    ------
    DataError
        See :func:`import_checkpoint`.
    """
    content = load_safely(path)
    try:
        return _model(content, thresholds, n_classes, n_features)
    except LayerError as error:
        raise DataError(path, str(error)) from error


def _model(content: Any, file: Path | None, n_classes: int | None, n_features: int | None) -> ForeignModel:
    parts = _parts(content)
    classes = _classes(parts.n_classes, n_classes)
    thermometer = parts.thermometer if file is None else _thresholds_file(file)
    if thermometer is None:
        raise LayerError("has no thermometer: give a file with its thresholds (--thresholds)")
    thresholds = _per_feature(_threshold_array(thermometer), parts.state, n_features)
    layers = read_layers(parts.state, thresholds.size)
    check_all_used(parts.state, parts.used)
    outputs = layers[-1].n_luts
    if parts.order is not None:
        order = parts.order
        if order.size == 0 or order.min() < 0 or order.max() >= outputs:
            raise LayerError(f"GroupSum.randperm does not permute the {outputs} outputs of the last layer")
        last = layers[-1]
        layers = (*layers[:-1], LutLayer(last.mapping[order], last.tables[order]))
        outputs = len(order)
    if outputs < classes:
        raise LayerError(f"{classes} classes are more than the {outputs} outputs of the last layer")
    return ForeignModel.build(thresholds, _scaling(parts.scaler, len(thresholds)), layers, classes)


@dataclass(frozen=True)
class _Parts:
    """What a checkpoint holds, found but not yet checked; None where there is no such thing.

    Attributes
    ----------
    used
        Keys of the state dict that are not of its layers, and understood.
    order
        Of the last layer's outputs before they are counted.
    """

    state: Mapping[str, Any]
    used: frozenset[str]
    thermometer: Any
    scaler: Any
    n_classes: Any
    order: NDArray[np.int64] | None


def _parts(content: Any) -> _Parts:
    model, thermometer, scaler, n_classes = content, None, None, None
    if isinstance(content, Mapping) and not _is_state(content):
        model = next((content[key] for key in _MODELS if key in content), None)
        if model is None:
            raise LayerError(
                f"has neither {_listed(_MODELS)}; there are: {', '.join(map(str, content)) or 'none'}"
            )
        thermometer = content.get("thermometer", content.get("thermometre"))
        scaler = content.get("scaler")
        for section in (content.get(key) for key in _CONFIGURATIONS):
            if isinstance(section, Mapping) and n_classes is None:
                n_classes = section.get("num_classes")
    state, counter = _state_of(model)
    found = {name: key for name in _BUFFERS if (key := _key_of(state, name)) is not None}
    stored = state[found["thresholds"]] if "thresholds" in found else None
    if thermometer is None:
        thermometer = stored
    elif stored is not None and not np.array_equal(_threshold_array(stored), _threshold_array(thermometer)):
        raise LayerError("has two thermometers whose thresholds differ: one is in its state dict")
    if n_classes is None:
        n_classes = state[found["k"]] if "k" in found else getattr(counter, "k", None)
    order = state[found["randperm"]] if "randperm" in found else getattr(counter, "randperm", None)
    prefix = found.get("thresholds", "")[: -len("thresholds")]
    return _Parts(
        state,
        frozenset({*found.values(), *(f"{prefix}{name}" for name in _OF_A_THERMOMETER)}),
        thermometer,
        scaler,
        n_classes,
        None if order is None else np.asarray(order, np.int64).ravel(),
    )


def _key_of(state: Mapping[str, Any], name: str) -> str | None:
    """The key of the entry with this last name; None where there is none."""
    keys = [key for key in state if key == name or key.endswith(f".{name}")]
    if len(keys) > 1:
        raise LayerError(f"has {len(keys)} entries of the name {name}, expected one: {', '.join(keys)}")
    return keys[0] if keys else None


def _classes(found: Any, asked: int | None) -> int:
    """The number of classes, of the file or as asked for."""
    value = asked if found is None else found
    if value is None:
        raise LayerError("has no GroupSum, which holds the number of classes: say it (--classes)")
    array = np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)
    if isinstance(value, bool) or array.size != 1 or array.dtype.kind not in "iuf":
        raise LayerError(f"the number of classes is {value!r}, expected 2 or more")
    number = float(array.ravel()[0])
    if not number.is_integer() or number < 2:
        raise LayerError(f"the number of classes is {value!r}, expected 2 or more")
    if asked is not None and number != asked:
        raise LayerError(f"the model has {number:.0f} classes, {asked} are asked for")
    return int(number)


def _is_state(content: Mapping[Any, Any]) -> bool:
    return any(str(key) == "luts" or str(key).endswith(".luts") for key in content)


def _state_of(model: Any) -> tuple[Mapping[str, Any], StandIn | None]:
    """State dict, and the GroupSum, of a state dict or a model's stand-in."""
    if isinstance(model, Mapping):
        unnamed = [key for key in model if not isinstance(key, str)]
        if unnamed:
            raise LayerError(f"the state dict has the key {unnamed[0]!r}, expected names")
        return model, None
    if not isinstance(model, StandIn):
        raise LayerError(f"the model is a {type(model).__name__}, expected a state dict or a torch_dwn model")
    if is_a(model, *_THERMOMETERS):
        raise LayerError("is a thermometer alone, without a model")
    modules = [(prefix, module) for prefix, module in _walk(model, "")]
    _check_outputs_are_bits(modules)
    state: dict[str, Any] = {}
    for prefix, module in modules:
        for store in ("_parameters", "_buffers"):
            entries = getattr(module, store, None) or {}
            state.update({f"{prefix}{name}": value for name, value in entries.items() if value is not None})
    groups = [module for _, module in modules if is_a(module, "GroupSum")]
    if len(groups) > 1:
        raise LayerError(f"has {len(groups)} GroupSum layers, expected one")
    return state, groups[0] if groups else None


def _check_outputs_are_bits(modules: list[tuple[str, StandIn]]) -> None:
    """Raise LayerError where a layer has real outputs and no STE after it."""
    layers = [(prefix, module) for prefix, module in modules if is_a(module, "LUTLayer")]
    followers = {id(before): after for (_, before), (_, after) in pairwise(modules)}
    for i, (prefix, layer) in enumerate(layers):
        after = followers.get(id(layer))
        while after is not None and is_a(after, "LearnableMapping"):  # a part of the layer itself
            after = followers.get(id(after))
        if getattr(layer, "ste", True) is False and not is_a(after, "STE"):
            where = "the last layer" if i == len(layers) - 1 else f"layer {prefix.rstrip('.')}"
            raise LayerError(
                f"{where} has ste=False: its outputs are real values, whose sum is no count of bits; "
                "train it with ste=True"
            )


def _walk(module: StandIn, prefix: str) -> Iterator[tuple[str, StandIn]]:
    yield prefix, module
    for name, child in (getattr(module, "_modules", None) or {}).items():
        if isinstance(child, StandIn):
            yield from _walk(child, f"{prefix}{name}.")


def _thresholds_file(file: Path) -> Any:
    try:
        if file.suffix == ".npy":
            return np.load(file, allow_pickle=False)
        if file.suffix in {".csv", ".txt"}:
            return np.loadtxt(file, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(file, f"cannot be read as thresholds: {str(error).splitlines()[0]}") from error
    return load_safely(file)


def _threshold_array(thermometer: Any) -> NDArray[np.float64]:
    """(..., z) finite."""
    value = thermometer
    if is_a(value, *_THERMOMETERS):
        value = getattr(value, "thresholds", None)
    elif isinstance(value, Mapping):
        if "thresholds" not in value:
            raise LayerError(f"the thermometer has no 'thresholds'; there are: {', '.join(map(str, value))}")
        value = value["thresholds"]
    if value is None:
        raise LayerError("the thermometer was never fitted: its thresholds are None")
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().double().numpy()
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise LayerError(f"the thresholds are a {type(value).__name__}, not numbers") from error
    if array.ndim == 0 or not array.size:
        raise LayerError(f"the thresholds have shape {array.shape}, expected (features, bits)")
    if not np.isfinite(array).all():
        raise LayerError(f"{(~np.isfinite(array)).sum()} of {array.size} thresholds are not finite")
    return array


def _per_feature(
    array: NDArray[np.float64], state: Mapping[str, Any], n_features: int | None
) -> NDArray[np.float64]:
    """(F, z) from (F, z), (1, z), (z,) or (height, width, ..., z) thresholds."""
    z = array.shape[-1]
    found = array.reshape(-1, z)
    if len(found) > 1:
        return found
    weights = next((value for key, value in state.items() if str(key).endswith("mapping.weights")), None)
    if isinstance(weights, torch.Tensor) and weights.shape[0] % z == 0:
        n_features = int(weights.shape[0]) // z
    elif n_features is None:
        if array.ndim == 1:
            raise LayerError(
                "all features share their thresholds: say how many features there are (--features)"
            )
        n_features = 1
    return np.repeat(found, n_features, axis=0)


def _scaling(scaler: Any, n_features: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """(F,) means and scales of thresholds on ``(x - mean) / scale``."""
    if scaler is None:
        return None
    if not isinstance(scaler, Mapping) or not {"mean", "scale"} <= set(scaler):
        raise LayerError("the scaler is not a dict of 'mean' and 'scale'")
    mean, scale = (np.asarray(scaler[key], np.float64).ravel() for key in ("mean", "scale"))
    if len(mean) != n_features or len(scale) != n_features:
        raise LayerError(
            f"the scaler has {len(mean)} means and {len(scale)} scales, there are {n_features} features"
        )
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise LayerError("the scaler's means and scales must be finite, scales above 0")
    return mean, scale


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} nor {quoted[-1]}"
