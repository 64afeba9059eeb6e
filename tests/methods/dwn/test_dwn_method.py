"""Our own network as a method among others."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris

from dwn_asic.data.dataset import Dataset
from dwn_asic.data.split import stratified_split
from dwn_asic.data.table import Table
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.methods.dwn import DwnConfig, network_label
from dwn_asic.methods.dwn.config import LayerConfig, ModelConfig, TrainingConfig
from dwn_asic.methods.dwn.fit import train
from dwn_asic.methods.registry import plan

LAYERS = ModelConfig(layers=(LayerConfig(luts=4, inputs=(3, 2)), LayerConfig(luts=2, inputs=(2,))))
TRAINING = TrainingConfig(epochs=3, restarts=2)


@pytest.fixture(scope="module")
def iris() -> Dataset:
    values, labels = load_iris(return_X_y=True)
    split = stratified_split(labels, val=0.2, test=0.2, seed=0)
    table = Table("iris", values, labels.astype(np.int64), tuple("abcd"), ("x", "y", "z"))
    return Dataset(table, split, Quantizer.fit(values[split.train], 4))


def config(model: ModelConfig) -> DwnConfig:
    return DwnConfig(encoder=EncoderConfig(bits=3), model=model, training=TRAINING)


def test_it_is_the_network_that_training_returns(iris: Dataset) -> None:
    lines = list[str]()
    (ours,) = plan([config(LAYERS)])
    found = ours.fit(iris, 7, lines.append)
    direct = train(iris, EncoderConfig(bits=3), LAYERS, TRAINING, 7)
    assert found.network is not None
    assert np.array_equal(found.predictions, direct.network.predict(iris.codes))
    for one, other in zip(found.network.layers, direct.network.layers, strict=True):
        assert np.array_equal(one.tables, other.tables)
        assert np.array_equal(one.mapping, other.mapping)
    assert found.graph is not None
    assert (found.name, found.kind, found.details) == ("dwn", "dwn", {"head": "direct", "luts": 6})
    assert len(lines) == TRAINING.epochs * TRAINING.restarts + 1
    assert lines[0].startswith("epoch 1 of 3: loss ")
    assert lines[-1] == f"best epoch {direct.best_epoch + 1} of start {direct.restart + 1}"


def test_its_label_shows_sizes_and_fan_ins(iris: Dataset) -> None:
    (ours,) = plan([config(LAYERS)])
    assert ours.label == "DWN 4-2 (3+2,2-input LUTs)"
    assert ours.fit(iris, 0).label == ours.label


def test_the_classes_decide_the_label_of_a_pyramid(iris: Dataset) -> None:
    pyramid = ModelConfig(pyramid=(3, 2))
    (ours,) = plan([config(pyramid)])
    assert ours.label == network_label(pyramid, 2) == "DWN 2-1 (3,2-input LUTs)"
    assert ours.fit(iris, 0).label == network_label(pyramid, 3) == "DWN 4-2 (3,2-input LUTs)"


def test_a_last_layer_that_does_not_fit_the_classes_names_the_key(iris: Dataset) -> None:
    wrong = ModelConfig(layers=(LayerConfig(luts=3, inputs=(2,)),))
    with pytest.raises(ConfigError, match=r"model\.layers: the last layer has 3 LUTs") as caught:
        plan([config(wrong)])[0].fit(iris, 0)
    assert caught.value.key == "model.layers"


def test_nothing_to_learn_is_an_error(iris: Dataset) -> None:
    still = np.ones_like(iris.table.values)
    table = Table("still", still, iris.table.labels, iris.table.feature_names, iris.table.class_names)
    with pytest.raises(DataError, match="no feature varies"):
        plan([config(LAYERS)])[0].fit(Dataset(table, iris.split, Quantizer.fit(still, 4)), 0)
