"""Models from files as LutNetworks, and networks as checkpoints of torch_dwn and dwn2rtl.

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
    """A model from a file as a network, and what became of its thresholds.

    Attributes
    ----------
    network
        It decides on codes.
    rows, changed
        Rows of data that both were asked for, and those that the network decides otherwise, since its
        thresholds are constants of codes; None without data.
    steps
        The largest distance of a threshold from where its code changes, in steps of the code: values farther
        from every threshold have the model's bits, and so have those that equal one.
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
    """Read a model of any kind, told by its content: a checkpoint, or a network that this package wrote.

    Parameters
    ----------
    path, thresholds, n_classes, n_features, input_bits, values, feature_names, class_names
        As in :func:`import_checkpoint`. A network of this package has its own thresholds on codes, so that
        ``thresholds`` is not for it, and ``input_bits`` and ``values`` change nothing.

    Raises
    ------
    DataError
        The file is refused, damaged, incomplete, or does not fit the data.
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
        raise DataError(path, f"a network with thresholds of its own, those of {thresholds} are not for it")
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
    """Whether a file is one of :meth:`LutNetwork.save`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "meta.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _check_fits(path: Path, found: int, expected: int | None, what: str) -> None:
    if expected is not None and found != expected:
        raise DataError(path, f"the model has {found} {what}, {expected} are asked for")


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
    """Read a checkpoint and turn its thresholds into constants of codes.

    Parameters
    ----------
    path, thresholds, n_classes, n_features
        As in :func:`dwn_asic.exchange.checkpoint.read_checkpoint`.
    input_bits
        The widest code, 1..16; each feature gets as few bits as its thresholds need.
    values, feature_names, class_names
        (N, F) data to fit the codes on and to compare decisions on, and names to use.

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
