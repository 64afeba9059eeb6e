"""Small data sets and models for the tests of this folder."""

import numpy as np
import torch

from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.methods.dwn.config import EfdConfig, LayerConfig, ModelConfig
from dwn_asic.methods.dwn.model import DwnModel


def dataset(values, labels, *, n_classes=None):
    """Make a data set in which every fifth row validates and the row after it tests."""
    n_rows, n_features = values.shape
    rows = np.arange(n_rows)
    split = Split(rows[(rows % 5 > 1)], rows[rows % 5 == 0], rows[rows % 5 == 1])
    classes = tuple(str(c) for c in range(n_classes or int(labels.max()) + 1))
    names = tuple(f"x{f}" for f in range(n_features))
    table = Table("test:toy", values.astype(np.float64), labels.astype(np.int64), names, classes)
    return Dataset(table, split, Quantizer.fit(table.values[split.train], 8))


def xor_of_thresholds(n_rows=600, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 10, (n_rows, 3))
    return dataset(values, (values[:, 0] > 4) ^ (values[:, 1] > 2))


def model_config(layers, *, head="direct", code="binary", mapping="learnable", temperature=0.3, **more):
    """Make a configuration; ``layers`` lists (luts, inputs), and ``more`` applies to each of them."""
    return ModelConfig(
        layers=tuple(LayerConfig(luts=l, inputs=n, mapping=mapping, **more) for l, n in layers),
        head=head,
        code=code,
        temperature=temperature,
    )


def random_model(config, n_classes, *, n_features=4, starts=1, seed=0):
    """Make an untrained model over a random encoder, and (200, F) codes to try it on."""
    rng = np.random.default_rng(seed)
    quantizer = Quantizer(np.zeros(n_features), np.ones(n_features), np.full(n_features, 5))
    codes = rng.integers(0, 32, (200, n_features))
    thermometer = Thermometer.fit(codes, quantizer.bits, kind="uniform", bits=6)
    generator = torch.Generator().manual_seed(seed)
    model = DwnModel(
        config, quantizer, thermometer, n_classes, starts=starts, efd=EfdConfig(), generator=generator
    )
    return model.eval(), codes


def as_bits(model, codes):
    return torch.from_numpy(model.thermometer.encode(codes)).float()
