"""LutNetwork: the trained model exactly, as bits, in plain numpy arrays and one file, without torch."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import DataError

__all__ = ["Head", "LutLayer", "LutNetwork"]

_FORMAT = 1
# Errors of numpy and zipfile on damaged files: bad archive, bad stream, unknown compression, encryption.
_UNREADABLE = (
    AttributeError,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class LutLayer:
    """A layer of L lookup tables with n inputs each.

    Attributes
    ----------
    mapping
        (L, n) int64: the index, among the bits that the layer reads, of each slot's bit; slot 0 is the least
        significant bit of the address. Several slots may read the same bit.
    tables
        (L, 2**n) bool: the output at each address.
    """

    mapping: NDArray[np.int64]
    tables: NDArray[np.bool_]

    @property
    def n_luts(self) -> int:
        """Number of LUTs, L."""
        return int(self.mapping.shape[0])

    @property
    def n_inputs(self) -> int:
        """Number of inputs of each LUT, n."""
        return int(self.mapping.shape[1])

    def evaluate(self, bits: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Evaluate the layer: (N, inputs) bits -> (N, L) bits."""
        addresses = bits[:, self.mapping] @ (1 << np.arange(self.n_inputs))  # (N, L)
        values: NDArray[np.bool_] = self.tables[np.arange(self.n_luts), addresses]
        return values


@dataclass(frozen=True)
class Head:
    """The rule that turns the last layer's outputs into a class index.

    Attributes
    ----------
    kind
        ``direct``: the outputs are the class. ``popcount``: each class has one contiguous group of outputs
        (the last is padded with zeros); the largest count wins, ties go to the first class.
    code
        For ``direct``: ``binary`` (output k is bit k of the class index) or ``onehot`` (the first set output
        is the class; class 0 if none is set). For ``popcount`` only ``onehot``.
    n_classes
        Number of classes, C.
    """

    kind: Literal["direct", "popcount"]
    code: Literal["binary", "onehot"]
    n_classes: int

    @property
    def class_bits(self) -> int:
        """Width of the class index in bits."""
        return max(1, (self.n_classes - 1).bit_length())

    @property
    def direct_outputs(self) -> int:
        """The number of outputs that the ``direct`` head needs."""
        return self.class_bits if self.code == "binary" else self.n_classes

    def group_size(self, outputs: int) -> int:
        """Return the number of outputs per class for a ``popcount`` head."""
        return -(-outputs // self.n_classes)

    def scores(self, outputs: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count votes: (N, L) last-layer bits -> (N, C) counts; undefined for the binary code."""
        n_rows, n_outputs = outputs.shape
        if self.kind == "direct":
            return outputs.astype(np.int64)
        padded = np.zeros((n_rows, self.n_classes * self.group_size(n_outputs)), np.int64)
        padded[:, :n_outputs] = outputs
        counts: NDArray[np.int64] = padded.reshape(n_rows, self.n_classes, self.group_size(n_outputs)).sum(
            axis=2
        )
        return counts

    def decide(self, outputs: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Decide: (N, L) last-layer bits -> (N,) class indices; an unused binary code stays as it is."""
        if self.code == "binary":
            index: NDArray[np.int64] = outputs[:, : self.class_bits] @ (1 << np.arange(self.class_bits))
            return index
        return np.argmax(self.scores(outputs), axis=1)


@dataclass(frozen=True)
class LutNetwork:
    """Quantizer, thermometer, LUT layers and head: everything that decides a class.

    Attributes
    ----------
    feature_names
        (F,) names, in the order of the table's columns.
    class_names
        (C,) names, in the order of the class indices.
    """

    quantizer: Quantizer
    thermometer: Thermometer
    layers: tuple[LutLayer, ...]
    head: Head
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        features, width = len(self.feature_names), len(self.thermometer)
        if self.quantizer.n_features != features:
            raise ValueError(f"{features} feature names, the quantizer has {self.quantizer.n_features}")
        if width and not 0 <= self.thermometer.feature.min() <= self.thermometer.feature.max() < features:
            raise ValueError(f"the thermometer reads outside its {features} features")
        if len(self.class_names) != self.head.n_classes:
            raise ValueError(f"{len(self.class_names)} class names, the head has {self.head.n_classes}")
        for i, layer in enumerate(self.layers):
            if layer.mapping.ndim != 2 or layer.tables.shape != (layer.n_luts, 1 << layer.n_inputs):
                raise ValueError(
                    f"layer {i}: tables {layer.tables.shape} do not fit mapping {layer.mapping.shape}"
                )
            if layer.mapping.size and not (0 <= layer.mapping.min() and layer.mapping.max() < width):
                raise ValueError(f"layer {i}: mapping reads outside its {width} input bits")
            width = layer.n_luts
        if self.head.kind == "direct" and width != self.head.direct_outputs:
            raise ValueError(
                f"direct head of {self.head.n_classes} classes ({self.head.code}) needs "
                f"{self.head.direct_outputs} outputs, the last layer has {width}"
            )

    def outputs(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Evaluate all layers: (N, F) codes -> (N, L) bits of the last layer."""
        bits = self.thermometer.encode(codes)
        for layer in self.layers:
            bits = layer.evaluate(bits)
        return bits

    def predict(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Classify rows: (N, F) codes -> (N,) class indices, the reference for every later stage."""
        return self.head.decide(self.outputs(codes))

    def save(self, path: Path) -> None:
        """Write one ``.npz`` file; equal networks have equal bytes."""
        arrays: dict[str, NDArray[Any]] = {
            "quantizer_lo": self.quantizer.lo,
            "quantizer_step": self.quantizer.step,
            "quantizer_bits": self.quantizer.bits,
            "thermometer_feature": self.thermometer.feature,
            "thermometer_constant": self.thermometer.constant,
        }
        for i, layer in enumerate(self.layers):
            arrays[f"mapping_{i}"] = layer.mapping
            arrays[f"tables_{i}"] = layer.tables
        meta = {
            "format": _FORMAT,
            "layers": len(self.layers),
            "head": {"kind": self.head.kind, "code": self.head.code, "n_classes": self.head.n_classes},
            "feature_names": self.feature_names,
            "class_names": self.class_names,
        }
        arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> LutNetwork:
        """Read a file that :meth:`save` wrote; raises DataError if it is not a network."""
        try:
            # If numpy opens a damaged file itself, it leaves the file open.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                meta = json.loads(file["meta"].tobytes())
                if meta["format"] != _FORMAT:
                    raise DataError(path, f"network format {meta['format']}, this version reads {_FORMAT}")
                return cls(
                    Quantizer(file["quantizer_lo"], file["quantizer_step"], file["quantizer_bits"]),
                    Thermometer(file["thermometer_feature"], file["thermometer_constant"]),
                    tuple(LutLayer(file[f"mapping_{i}"], file[f"tables_{i}"]) for i in range(meta["layers"])),
                    Head(**meta["head"]),
                    tuple(meta["feature_names"]),
                    tuple(meta["class_names"]),
                )
        except _UNREADABLE as error:
            raise DataError(path, f"not a LUT network file: {error!r}") from error
