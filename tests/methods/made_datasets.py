"""Made-up data sets for the tests of the methods."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from dwn_asic.data.config import DataConfig
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.data.split import stratified_split
from dwn_asic.data.table import Table
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.encode.quantizer import Quantizer


def load(source: str, input_bits: int = 8) -> Dataset:
    return prepare(DataConfig(source=source), EncoderConfig(input_bits=input_bits), 0)


def make(values: NDArray[np.float64], labels: NDArray[np.int64], input_bits: int = 4) -> Dataset:
    names = tuple(f"x{f}" for f in range(values.shape[1]))
    classes = tuple(f"class {c}" for c in range(int(labels.max()) + 1))
    split = stratified_split(labels, val=0.2, test=0.2, seed=0)
    quantizer = Quantizer.fit(values[split.train], input_bits)
    return Dataset(Table("test", values, labels, names, classes), split, quantizer)


def blobs(n_classes: int, n_features: int = 4, rows: int = 400) -> Dataset:
    """Make a data set of overlapping normal clouds, one per class."""
    generator = np.random.default_rng(n_classes)
    labels = np.arange(rows) % n_classes
    centres = generator.normal(scale=2.0, size=(n_classes, n_features))
    return make(centres[labels] + generator.normal(size=(rows, n_features)), labels, input_bits=6)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Draw data sets of few rows: one feature or more, some of them constant, and 2 to 9 classes."""
    n_classes = draw(st.integers(2, 9))
    rows = draw(st.integers(3 * n_classes, 3 * n_classes + 60))
    n_features = draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    values = generator.normal(size=(rows, n_features))
    values[:, sorted(draw(st.sets(st.integers(0, n_features - 1))))] = 1.5
    rounded = draw(st.integers(0, n_features))
    values[:, :rounded] = values[:, :rounded].round()
    labels = np.concatenate([np.arange(n_classes)] * 3 + [generator.integers(n_classes, size=rows)])[:rows]
    return make(values, labels, draw(st.integers(1, 8)))
