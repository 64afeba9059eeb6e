"""Conversion of checkpoints of torch_dwn and dwn2rtl to LutNetworks, and back.

References
----------
github.com/alanbacellar/DWN (torch_dwn); pypi.org/project/dwn2rtl.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import MAX_INPUT_BITS
from dwn_asic.errors import DataError
from dwn_asic.exchange.checkpoint import read_checkpoint
from dwn_asic.exchange.layers import write_layers
from dwn_asic.exchange.thresholds import farthest_boundary, quantize, real_thresholds
from dwn_asic.files import staged

__all__ = ["Import", "export_checkpoint", "import_checkpoint", "read_model"]


@dataclass(frozen=True)
class Import:
    """A network that was read from a file, and how exactly it reproduces the model's thresholds.

    Attributes
    ----------
    network
        The network, whose inputs are integer codes of the features.
    rows, changed
        Number of rows on which the network was compared with the model, and number of those on which its
        prediction differs because its thresholds are constants of codes; None without data.
    steps
        Largest distance between a threshold and the value at which its code changes, in code steps. For
        values farther than this from every threshold, and for values equal to a threshold, all bits are those
        of the model.
    """

    network: LutNetwork
    rows: int | None
    changed: int | None
    steps: float = 0.0


def read_model(
    path: Path,
    *,
    thresholds: Path | None = None,
    n_classes: int | None = None,
    n_features: int | None = None,
    input_bits: int = MAX_INPUT_BITS,
    values: NDArray[np.float64] | None = None,
    feature_names: tuple[str, ...] | None = None,
    class_names: tuple[str, ...] | None = None,
) -> Import:
    """Read a model from a checkpoint, or from a network file of this package, whichever the file is.

    Parameters
    ----------
    path, thresholds, n_classes, n_features, input_bits, values, feature_names, class_names
        As in :func:`import_checkpoint`. A network of this package already has thresholds on codes: then
        ``thresholds`` must be None, and ``input_bits`` and ``values`` have no effect on it.

    Raises
    ------
    DataError
        The file is refused, damaged or incomplete, or does not fit the data.
    """
    if not _is_network(path):
        return import_checkpoint(
            path,
            thresholds=thresholds,
            n_classes=n_classes,
            n_features=n_features,
            input_bits=input_bits,
            values=values,
            feature_names=feature_names,
            class_names=class_names,
        )
    if thresholds is not None:
        raise DataError(path, f"the network has its own thresholds; {thresholds} cannot replace them")
    network = LutNetwork.load(path)
    if values is not None:
        n_features = values.shape[1]
    _check_fits(path, network.quantizer.n_features, n_features, "features")
    _check_fits(path, network.head.n_classes, n_classes, "classes")
    _check_fits(path, network.head.n_classes, None if class_names is None else len(class_names), "classes")
    network = replace(
        network,
        feature_names=feature_names or network.feature_names,
        class_names=class_names or network.class_names,
    )
    return Import(network, None if values is None else len(values), None if values is None else 0)


def _is_network(path: Path) -> bool:
    """Return whether a file was written by :meth:`LutNetwork.save`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "meta.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _check_fits(path: Path, found: int, expected: int | None, what: str) -> None:
    if expected is not None and found != expected:
        raise DataError(path, f"the model has {found} {what}, but {expected} are expected")


def import_checkpoint(
    path: Path,
    *,
    thresholds: Path | None = None,
    n_classes: int | None = None,
    n_features: int | None = None,
    input_bits: int = MAX_INPUT_BITS,
    values: NDArray[np.float64] | None = None,
    feature_names: tuple[str, ...] | None = None,
    class_names: tuple[str, ...] | None = None,
) -> Import:
    """Read a checkpoint and convert its thresholds to constants of integer codes.

    Parameters
    ----------
    path, thresholds, n_classes, n_features
        As in :func:`dwn_asic.exchange.checkpoint.read_checkpoint`.
    input_bits
        Maximum width of a code in bits, 1 to 16; each feature gets as few bits as its thresholds need.
    values
        (N, F) data on which to fit the codes and to compare predictions; optional.
    feature_names, class_names
        (F,) and (C,) names for the network; by default features are called x0, x1, ... and classes 0, 1, ...

    Raises
    ------
    DataError
        The file is refused, damaged or incomplete, or does not fit the data.
    """
    if not 1 <= input_bits <= MAX_INPUT_BITS:
        raise DataError(path, f"input_bits is {input_bits} (allowed: 1 to {MAX_INPUT_BITS})")
    if values is not None:
        n_features = values.shape[1]
    if class_names is not None and n_classes is None:
        n_classes = len(class_names)
    model = read_checkpoint(path, thresholds=thresholds, n_classes=n_classes, n_features=n_features)
    _check_fits(path, model.n_features, n_features, "features")
    _check_fits(path, model.n_classes, None if class_names is None else len(class_names), "classes")
    quantizer, thermometer = quantize(model, input_bits, values)
    network = LutNetwork(
        quantizer,
        thermometer,
        model.layers,
        Head("popcount", "onehot", model.n_classes),
        feature_names or tuple(f"x{f}" for f in range(model.n_features)),
        class_names or tuple(map(str, range(model.n_classes))),
    )
    steps = farthest_boundary(model, quantizer, thermometer)
    if values is None:
        return Import(network, None, None, steps)
    changed = model.predict(values) != network.predict(quantizer.codes(values))
    return Import(network, len(values), int(changed.sum()), steps)


def export_checkpoint(network: LutNetwork, path: Path) -> None:
    """Write a network as a checkpoint ``{config, state_dict, thermometer, ...}``.

    The state dict fits an ``nn.Sequential`` of torch_dwn layers that ends in ``GroupSum(n_classes)``. A
    direct head is written as groups of one output each; if its outputs are the class index in binary, a layer
    of LUTs is added that decodes the index, and an index without a class is decoded as class 0. dwn2rtl can
    read the checkpoint too if all LUTs have the same number of inputs and all classes the same number of
    outputs.
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
    """Return a layer with one LUT per class, which is 1 if the head's outputs are the index of the class."""
    bits = head.class_bits
    mapping = np.tile(np.arange(bits), (head.n_classes, 1))
    return LutLayer(mapping, np.eye(1 << bits, dtype=bool)[: head.n_classes])
