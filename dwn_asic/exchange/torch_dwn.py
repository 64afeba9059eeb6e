"""Checkpoints of torch_dwn and dwn2rtl: read as LutNetwork, and written from one.

Read are state dicts, pickled models, dicts of either with a thermometer, and what ``dwn2rtl.save`` writes.

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

from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import MAX_INPUT_BITS
from dwn_asic.errors import DataError
from dwn_asic.exchange.layers import LayerError, read_layers, write_layers
from dwn_asic.exchange.thresholds import quantize, real_thresholds
from dwn_asic.exchange.unpickle import StandIn, is_a, load_safely
from dwn_asic.files import staged

__all__ = ["ForeignModel", "Import", "export_checkpoint", "import_checkpoint", "read_checkpoint"]

_THERMOMETERS = ("Thermometer", "GaussianThermometer", "DistributiveThermometer")


@dataclass(frozen=True)
class ForeignModel:
    """A model as its authors' code evaluates it: on real values.

    Attributes
    ----------
    thresholds
        (F, z) of features as they come, a scaler already taken into account; a bit is set above.
    layers
        First to last; the first reads bit ``f * z + i``.
    n_classes
        C: contiguous groups of the last layer's outputs are counted, the last padded with zeros.
    """

    thresholds: NDArray[np.float64]
    layers: tuple[LutLayer, ...]
    n_classes: int

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """(N, F) values -> (N,) class indices."""
        # In single precision, as torch_dwn compares: 0.3 is not above 0.3 however it was computed.
        above = values.astype(np.float32)[:, :, None] > self.thresholds.astype(np.float32)
        bits = above.reshape(len(values), -1)
        for layer in self.layers:
            bits = layer.evaluate(bits)
        return Head("popcount", "onehot", self.n_classes).decide(bits)


@dataclass(frozen=True)
class Import:
    """A foreign model as a network, and what became of it.

    Attributes
    ----------
    network
        It decides on codes.
    rows, changed
        Rows of data that both were asked for, and those that the network decides otherwise, since its
        thresholds are codes; None without data.
    """

    network: LutNetwork
    rows: int | None
    changed: int | None


def import_checkpoint(
    path: Path,
    *,
    thresholds: Path | None = None,
    n_classes: int | None = None,
    n_features: int | None = None,
    input_bits: int = 8,
    values: NDArray[np.float64] | None = None,
    feature_names: tuple[str, ...] | None = None,
    class_names: tuple[str, ...] | None = None,
) -> Import:
    """Read a checkpoint and turn its thresholds into constants of codes.

    Parameters
    ----------
    path, thresholds, n_classes, n_features
        As in :func:`read_checkpoint`.
    input_bits
        Of the codes, 1..16.
    values, feature_names, class_names
        (N, F) data to fit the codes' range on and to compare decisions on, and names to use.

    Raises
    ------
    DataError
        The file is refused, damaged, incomplete, or does not fit the data.
    """
    if not 1 <= input_bits <= MAX_INPUT_BITS:
        raise DataError(path, f"input bits is {input_bits}, allowed 1..{MAX_INPUT_BITS}")
    if values is not None:
        n_features = values.shape[1]
    if class_names is not None and n_classes is None:
        n_classes = len(class_names)
    model = read_checkpoint(path, thresholds=thresholds, n_classes=n_classes, n_features=n_features)
    features, classes = len(model.thresholds), model.n_classes
    if values is not None and values.shape[1] != features:
        raise DataError(path, f"the model has {features} features, the data {values.shape[1]}")
    if class_names is not None and len(class_names) != classes:
        raise DataError(path, f"the model has {classes} classes, the data {len(class_names)}")
    quantizer, thermometer = quantize(model.thresholds, input_bits, values)
    network = LutNetwork(
        quantizer,
        thermometer,
        model.layers,
        Head("popcount", "onehot", classes),
        feature_names or tuple(f"x{f}" for f in range(features)),
        class_names or tuple(map(str, range(classes))),
    )
    if values is None:
        return Import(network, None, None)
    changed = model.predict(values) != network.predict(quantizer.codes(values))
    return Import(network, len(values), int(changed.sum()))


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
        return _read(content, thresholds, n_classes, n_features)
    except LayerError as error:
        raise DataError(path, str(error)) from error


def _read(content: Any, file: Path | None, n_classes: int | None, n_features: int | None) -> ForeignModel:
    model, thermometer, config, scaler = content, None, None, None
    if isinstance(content, Mapping) and not _is_state(content):
        model = content.get("state_dict", content.get("model"))
        thermometer = content.get("thermometer", content.get("thermometre"))
        config, scaler = content.get("config"), content.get("scaler")
        if model is None:
            raise LayerError(
                f"has neither 'state_dict' nor 'model'; there are: {', '.join(map(str, content))}"
            )
    state, found_classes, order = _parts(model)
    if isinstance(config, Mapping):
        found_classes = config.get("num_classes", found_classes)
    if found_classes is not None and n_classes is not None and found_classes != n_classes:
        raise LayerError(f"the model has {found_classes} classes, {n_classes} are asked for")
    classes = n_classes if found_classes is None else found_classes
    if classes is None:
        raise LayerError("has no GroupSum, which holds the number of classes: say it (--classes)")
    if not isinstance(classes, int) or classes < 2:
        raise LayerError(f"the number of classes is {classes!r}, expected 2 or more")
    if file is not None:
        thermometer = _thresholds_file(file)
    if thermometer is None:
        raise LayerError("has no thermometer: give a file with its thresholds (--thresholds)")
    array = _scaled(_per_feature(_threshold_array(thermometer), state, n_features), scaler)
    layers = read_layers(state, array.size)
    outputs = layers[-1].n_luts
    if order is not None:
        if order.size == 0 or order.min() < 0 or order.max() >= outputs:
            raise LayerError(f"GroupSum.randperm does not permute the {outputs} outputs of the last layer")
        last = layers[-1]
        layers = (*layers[:-1], LutLayer(last.mapping[order], last.tables[order]))
        outputs = len(order)
    if outputs < classes:
        raise LayerError(f"{classes} classes are more than the {outputs} outputs of the last layer")
    return ForeignModel(array, layers, classes)


def _is_state(content: Mapping[Any, Any]) -> bool:
    return any(str(key) == "luts" or str(key).endswith(".luts") for key in content)


def _parts(model: Any) -> tuple[Mapping[str, Any], int | None, NDArray[np.int64] | None]:
    """State dict, number of classes and output order of a state dict or a model's stand-in."""
    if isinstance(model, Mapping):
        return model, None, None
    if not isinstance(model, StandIn):
        raise LayerError(f"the model is a {type(model).__name__}, expected a state dict or a torch_dwn model")
    if is_a(model, *_THERMOMETERS):
        raise LayerError("is a thermometer alone, without a model")
    modules = [(prefix, module) for prefix, module in _walk(model, "")]
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
    state: dict[str, Any] = {}
    for prefix, module in modules:
        for store in ("_parameters", "_buffers"):
            entries = getattr(module, store, None) or {}
            state.update({f"{prefix}{name}": value for name, value in entries.items() if value is not None})
    groups = [module for _, module in modules if is_a(module, "GroupSum")]
    if len(groups) > 1:
        raise LayerError(f"has {len(groups)} GroupSum layers, expected one")
    if not groups:
        return state, None, None
    order = getattr(groups[0], "randperm", None)
    return (
        state,
        int(getattr(groups[0], "k", 0)),
        None if order is None else np.asarray(order, np.int64).ravel(),
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


def _scaled(thresholds: NDArray[np.float64], scaler: Any) -> NDArray[np.float64]:
    """Thresholds on ``(x - mean) / scale`` become thresholds on x."""
    if scaler is None:
        return thresholds
    if not isinstance(scaler, Mapping) or not {"mean", "scale"} <= set(scaler):
        raise LayerError("the scaler is not a dict of 'mean' and 'scale'")
    mean, scale = (np.asarray(scaler[key], np.float64).ravel() for key in ("mean", "scale"))
    if len(mean) != len(thresholds) or len(scale) != len(thresholds):
        raise LayerError(
            f"the scaler has {len(mean)} means and {len(scale)} scales, there are {len(thresholds)} features"
        )
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise LayerError("the scaler's means and scales must be finite, scales above 0")
    return thresholds * scale[:, None] + mean[:, None]


def export_checkpoint(network: LutNetwork, path: Path) -> None:
    """Write ``{config, state_dict, thermometer, ...}``; the state dict fits a Sequential of torch_dwn layers.

    The Sequential ends in ``GroupSum(n_classes)``. A direct head becomes groups of one output, with one more
    layer of LUTs where its outputs are the class index in binary; an index that no class has counts as
    class 0 there. Where all LUTs have as many inputs and the classes as many outputs, dwn2rtl reads it too.
    """
    thresholds, places = real_thresholds(network.quantizer, network.thermometer)
    first = network.layers[0]
    layers = (LutLayer(places[first.mapping], first.tables), *network.layers[1:])
    head = network.head
    if head.kind == "direct" and head.code == "binary":
        layers = (*layers, _decoder(head))
    state = write_layers(layers)
    config = {
        "n": layers[0].n_inputs,
        "num_classes": head.n_classes,
        "layers": [layer.n_luts for layer in layers],
        "thermometer_bits": thresholds.shape[1],
    }
    content = {
        "config": config,
        "state_dict": state,
        "thermometer": {"thresholds": torch.from_numpy(thresholds.astype(np.float32))},
        "scaler": None,
        "results": {},
        "run_name": "dwn-asic",
    }
    with staged(path.parent, "export") as scratch:
        torch.save(content, scratch / path.name)


def _decoder(head: Head) -> LutLayer:
    """One LUT per class, set where the outputs are its index."""
    bits = head.class_bits
    mapping = np.tile(np.arange(bits), (head.n_classes, 1))
    return LutLayer(mapping, np.eye(1 << bits, dtype=bool)[: head.n_classes])
