"""Reader of checkpoints written by torch_dwn, by dwn2rtl and by common training loops.

It supports state dicts, pickled models, dicts that contain either together with a thermometer, and the files
of ``dwn2rtl.save``. An unknown entry of a state dict, which could change the network, is an error. Entries
that training loops store beside the state dict (optimizers, epochs, callbacks) are ignored.

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
"""Keys under which checkpoints keep the model, in order of preference."""
_CONFIGURATIONS = ("config", "hyper_parameters")
_BUFFERS = ("thresholds", "randperm", "k")
"""Names of the entries of a thermometer and of a GroupSum in a state dict."""
_OF_A_THERMOMETER = ("num_bits", "feature_wise")
"""Names of the entries that say how ``thresholds`` were fitted."""


def read_checkpoint(
    path: Path,
    *,
    thresholds: Path | None = None,
    n_classes: int | None = None,
    n_features: int | None = None,
) -> ForeignModel:
    """Read a checkpoint without executing anything in it.

    Parameters
    ----------
    path
        File written by ``torch.save`` or ``dwn2rtl.save``.
    thresholds
        File of the thresholds (``.npy``, ``.csv``, or written by ``torch.save``); needed if the checkpoint
        has no thermometer.
    n_classes
        Number C of classes; needed if the checkpoint has no GroupSum, with which it must agree otherwise.
    n_features
        Number F of features; needed if all features share their thresholds and the wiring is fixed.

    Raises
    ------
    DataError
        The file is refused, damaged or incomplete, or does not fit the arguments.
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
        raise LayerError("has no thermometer: pass a file with its thresholds (--thresholds)")
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
        raise LayerError(f"the last layer has {outputs} outputs, too few for {classes} classes")
    return ForeignModel.build(thresholds, _scaling(parts.scaler, len(thresholds)), layers, classes)


@dataclass(frozen=True)
class _Parts:
    """The parts of a checkpoint before they are checked; a part that is missing is None.

    Attributes
    ----------
    state
        State dict of the model.
    used
        Known keys of the state dict that do not belong to LUT layers.
    thermometer, scaler, n_classes
        Objects as stored in the checkpoint.
    order
        Order into which the last layer's outputs are permuted before they are counted.
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
                f"has neither {_listed(_MODELS)}; its keys are: {', '.join(map(str, content)) or 'none'}"
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
        raise LayerError("has two thermometers with different thresholds, one of them in its state dict")
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
    """Return the key of the state dict whose last part is ``name``, or None if there is none."""
    keys = [key for key in state if key == name or key.endswith(f".{name}")]
    if len(keys) > 1:
        raise LayerError(f"has {len(keys)} entries named {name}, expected one: {', '.join(keys)}")
    return keys[0] if keys else None


def _classes(found: Any, asked: int | None) -> int:
    """Return the number of classes: the file's, or the given one if the file has none."""
    value = asked if found is None else found
    if value is None:
        raise LayerError("has no GroupSum and so no number of classes: pass it (--classes)")
    array = np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)
    if isinstance(value, bool) or array.size != 1 or array.dtype.kind not in "iuf":
        raise LayerError(f"the number of classes is {value!r}, expected 2 or more")
    number = float(array.ravel()[0])
    if not number.is_integer() or number < 2:
        raise LayerError(f"the number of classes is {value!r}, expected 2 or more")
    if asked is not None and number != asked:
        raise LayerError(f"the model has {number:.0f} classes, but {asked} are expected")
    return int(number)


def _is_state(content: Mapping[Any, Any]) -> bool:
    return any(str(key) == "luts" or str(key).endswith(".luts") for key in content)


def _state_of(model: Any) -> tuple[Mapping[str, Any], StandIn | None]:
    """Return the state dict and the GroupSum, if any, of a state dict or of a model's stand-in."""
    if isinstance(model, Mapping):
        unnamed = [key for key in model if not isinstance(key, str)]
        if unnamed:
            raise LayerError(f"the state dict has the key {unnamed[0]!r}, expected only strings")
        return model, None
    if not isinstance(model, StandIn):
        raise LayerError(f"the model is a {type(model).__name__}, expected a state dict or a torch_dwn model")
    if is_a(model, *_THERMOMETERS):
        raise LayerError("contains only a thermometer, not a model")
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
    """Raise LayerError if a layer has real-valued outputs that no STE layer binarizes."""
    layers = [(prefix, module) for prefix, module in modules if is_a(module, "LUTLayer")]
    followers = {id(before): after for (_, before), (_, after) in pairwise(modules)}
    for i, (prefix, layer) in enumerate(layers):
        after = followers.get(id(layer))
        while after is not None and is_a(after, "LearnableMapping"):  # part of the layer itself
            after = followers.get(id(after))
        if getattr(layer, "ste", True) is False and not is_a(after, "STE"):
            where = "the last layer" if i == len(layers) - 1 else f"layer {prefix.rstrip('.')}"
            raise LayerError(
                f"{where} has ste=False, so its outputs are real values instead of bits; "
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
    """Return the thresholds of a thermometer object, dict or array as a finite (..., z) array."""
    value = thermometer
    if is_a(value, *_THERMOMETERS):
        value = getattr(value, "thresholds", None)
    elif isinstance(value, Mapping):
        if "thresholds" not in value:
            raise LayerError(
                f"the thermometer has no 'thresholds'; its keys are: {', '.join(map(str, value))}"
            )
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
    """Return (F, z) thresholds, given (F, z), (1, z), (z,) or (height, width, ..., z) thresholds."""
    z = array.shape[-1]
    found = array.reshape(-1, z)
    if len(found) > 1:
        return found
    weights = next((value for key, value in state.items() if str(key).endswith("mapping.weights")), None)
    if isinstance(weights, torch.Tensor) and weights.shape[0] % z == 0:
        n_features = int(weights.shape[0]) // z
    elif n_features is None:
        if array.ndim == 1:
            raise LayerError("all features share their thresholds: pass the number of features (--features)")
        n_features = 1
    return np.repeat(found, n_features, axis=0)


def _scaling(scaler: Any, n_features: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return (F,) means and (F,) scales of a scaler; thresholds apply to ``(x - mean) / scale``."""
    if scaler is None:
        return None
    if not isinstance(scaler, Mapping) or not {"mean", "scale"} <= set(scaler):
        raise LayerError("the scaler is not a dict with the keys 'mean' and 'scale'")
    mean, scale = (np.asarray(scaler[key], np.float64).ravel() for key in ("mean", "scale"))
    if len(mean) != n_features or len(scale) != n_features:
        raise LayerError(
            f"the scaler has {len(mean)} means and {len(scale)} scales for {n_features} features"
        )
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise LayerError("the scaler's means and scales must be finite, and its scales greater than 0")
    return mean, scale


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} nor {quoted[-1]}"
