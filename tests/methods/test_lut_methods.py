"""Methods that learn tables and neurons in torch or by counting."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from made_datasets import blobs, datasets, make
from sklearn.tree import DecisionTreeClassifier

from dwn_asic.data.dataset import Dataset
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.methods.base import Classifier, Fitter, Plan
from dwn_asic.methods.binarized_mlp import BinarizedMlp
from dwn_asic.methods.binarized_mlp.network import _Layer
from dwn_asic.methods.decision_tree import DecisionTree
from dwn_asic.methods.dwn.config import LayerConfig, ModelConfig, TrainingConfig
from dwn_asic.methods.dwn_variant import DwnVariant
from dwn_asic.methods.forest import Forest
from dwn_asic.methods.gate_network import GateNetwork
from dwn_asic.methods.parts.fitting_steps import thermometer_of
from dwn_asic.methods.wisard import Wisard

VARIANT = DwnVariant(
    EncoderConfig(bits=6),
    ModelConfig(
        layers=(LayerConfig(luts=30, inputs=(4,), mapping="random"),), head="popcount", temperature=2.0
    ),
    TrainingConfig(restarts=2, epochs=40, batch_size=32),
)
TRAINED = [BinarizedMlp(12, 6, 250), GateNetwork((60, 60), 6, 300), VARIANT, Wisard(30, 5, 6), Forest(7, 8)]


def fit(dataset: Dataset, fitter: Fitter, seed: int = 0) -> Classifier:
    return Plan("x", "x", "x", fitter).fit(dataset, seed)


@settings(max_examples=12, deadline=None)
@given(dataset=datasets())
def test_the_graph_is_the_model_on_any_table(dataset: Dataset) -> None:
    for fitter in (BinarizedMlp(3, 2, 2), GateNetwork((9, 12), 2, 2)):
        fit(dataset, fitter)  # compares all rows and raises


@pytest.mark.parametrize("fitter", TRAINED, ids=lambda fitter: type(fitter).__name__)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_clouds_are_told_apart_and_the_seed_decides(fitter: Fitter, n_classes: int) -> None:
    dataset = blobs(n_classes)
    first, again, other = fit(dataset, fitter, 1), fit(dataset, fitter, 1), fit(dataset, fitter, 2)
    assert first.accuracy(dataset) == again.accuracy(dataset)
    assert first.graph is not None
    assert again.graph is not None
    assert np.array_equal(first.graph.predict(dataset.codes), again.graph.predict(dataset.codes))
    assert min(first.accuracy(dataset)["test"], other.accuracy(dataset)["test"]) > 0.7


def test_gradients_of_a_binarized_layer_are_those_of_its_definition() -> None:
    generator = torch.Generator().manual_seed(0)
    signs = (torch.rand(70, 9, generator=generator) < 0.5).float() * 2 - 1
    weights, bias = torch.randn(5, 9, generator=generator), torch.randn(5, generator=generator)
    grad = torch.randn(70, 5, generator=generator)
    inputs = [x.requires_grad_() for x in (signs, weights, bias)]
    found = _Layer.apply(*inputs)
    rounded = torch.where(weights > 0, 1.0, -1.0)
    torch.testing.assert_close(found, signs @ rounded.t() / 3 + bias)
    inside = weights.abs() <= 1  # the slope of the sign, as training takes it
    expected = grad @ rounded / 3, grad.t() @ signs / 3 * inside, grad.sum(0)
    torch.testing.assert_close(torch.autograd.grad(found, inputs, grad), expected)


def test_bleaching_forgets_rare_rows() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((1500, 2))
    labels = (values[:, 0] > 0.5).astype(np.int64)
    labels = np.where(rng.random(1500) < 0.15, 1 - labels, labels)
    dataset = make(values, labels)
    found = fit(dataset, Wisard(10, 3, 3))
    assert found.accuracy(dataset)["test"] > 0.78  # at most 0.85; one row must not set a bit
    assert int(found.details["bleaching"]) > 1


@pytest.mark.parametrize("leaves", [2, 6, 20])
def test_a_pruned_tree_is_the_cheapest_cut_with_so_few_leaves(leaves: int) -> None:
    dataset = blobs(3)
    codes, labels = dataset.part("train")
    found = fit(dataset, DecisionTree(leaves, pruned=True))
    assert int(found.details["leaves"]) <= leaves
    path = DecisionTreeClassifier(random_state=0).cost_complexity_pruning_path(codes, labels)
    cuts = [
        DecisionTreeClassifier(random_state=0, ccp_alpha=max(0, a)).fit(codes, labels)
        for a in path.ccp_alphas
    ]
    assert found.details["leaves"] == max(cut.get_n_leaves() for cut in cuts if cut.get_n_leaves() <= leaves)


def test_wisard_reads_every_bit_twice() -> None:
    dataset = blobs(2)
    found = fit(dataset, Wisard(None, 3, 6))
    tables = -(-2 * len(thermometer_of(dataset, 6)) // 3)
    assert found.details["luts"] == 2 * tables
