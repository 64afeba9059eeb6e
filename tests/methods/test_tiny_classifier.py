from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_datasets import blobs, load, make
from sklearn.metrics import balanced_accuracy_score

from dwn_asic.boolean.graph import Lut
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import Part
from dwn_asic.methods.base import Classifier, Plan
from dwn_asic.methods.parts.bucket_code import BucketCode
from dwn_asic.methods.tiny_classifier import Inputs, TinyClassifier
from dwn_asic.methods.tiny_classifier.circuit import Circuit
from dwn_asic.methods.tiny_classifier.evolution import LabelledWords, active_gates, advance, random_genes


def fit(dataset: Dataset, fitter: TinyClassifier, seed: int = 0) -> Classifier:
    return Plan("tiny", "tiny", "tiny_classifier", fitter).fit(dataset, seed)


def balanced(dataset: Dataset, found: Classifier, part: Part) -> float:
    assert found.graph is not None
    codes, labels = dataset.part(part)
    predicted = found.graph.predict(codes)
    return float(np.mean([(predicted == labels)[labels == c].mean() for c in np.unique(labels)]))


def uneven() -> Dataset:
    """Make a data set with one row in ten of class 1, outnumbered by class 0 in its own region."""
    generator = np.random.default_rng(0)
    rows = generator.uniform(size=(2_000, 3))
    rare = (rows[:, 0] > 0.7) & (generator.uniform(size=2_000) < 0.35)
    return make(rows, rare.astype(np.int64))


class Evolution:
    """The evolution loop alone, on one data set."""

    def __init__(self, dataset: Dataset, seed: int, n_gates: int = 40) -> None:
        codes, _ = dataset.part("train")
        self.dataset, self.n_gates = dataset, n_gates
        self.inputs = BucketCode.fit(
            codes, dataset.quantizer.bits, cuts="quantile", code="thermometer", bits=2
        )
        self.n_outputs = dataset.interface.class_bits
        generator = np.random.default_rng(seed)
        self.genes = random_genes(len(self.inputs), n_gates, self.n_outputs, generator)
        self.best = self.genes.copy()
        self.scores = np.array([-1.0, -1.0, 0.0])
        self.state = generator.integers(1, 1 << 63, size=1, dtype=np.uint64)

    def words(self, part: Part) -> LabelledWords:
        codes, labels = self.dataset.part(part)
        return LabelledWords.pack(
            self.inputs.encode(codes),
            labels,
            n_classes=self.dataset.table.n_classes,
            n_gates=self.n_gates,
            n_outputs=self.n_outputs,
        )

    def run(self, generations: int, patience: int = 1 << 30, *, balanced: bool = True) -> int:
        return advance(
            self.genes,
            self.best,
            self.scores,
            self.state,
            train=self.words("train"),
            val=self.words("val"),
            n_gates=self.n_gates,
            mutations=np.array([0.05, 0.3, 0.6, 0.8, 1.0]),
            generations=generations,
            patience=patience,
            balanced=balanced,
        )

    def measured(self, genes: np.ndarray, part: Part) -> float:
        """Return the balanced accuracy by scikit-learn and the numpy model."""
        codes, labels = self.dataset.part(part)
        predicted = Circuit.from_genes(genes, self.inputs, self.n_gates).predict(codes)
        hits = np.where(predicted == labels, labels, -1)  # unused codes must not be classes of their own
        recall = [(hits == labels)[labels == c].mean() for c in np.unique(labels)]
        if predicted.max() < self.dataset.table.n_classes:
            assert np.mean(recall) == pytest.approx(balanced_accuracy_score(labels, predicted))
        return float(np.mean(recall))


@pytest.mark.parametrize("n_classes", [2, 3, 5, 8])
def test_the_kernel_s_scores_are_balanced_accuracies(n_classes: int) -> None:
    evolution = Evolution(blobs(n_classes), seed=n_classes)
    for generations in (0, 1, 20, 300):
        evolution.run(generations)
        assert evolution.scores[0] == pytest.approx(evolution.measured(evolution.genes, "train"))
        assert evolution.scores[1] == pytest.approx(evolution.measured(evolution.best, "val"))


def test_the_kernel_s_scores_are_accuracies_where_fitness_is() -> None:
    evolution = Evolution(uneven(), seed=3)
    for generations in (0, 1, 300):
        evolution.run(generations, balanced=False)
        for genes, part, score in (
            (evolution.genes, "train", evolution.scores[0]),
            (evolution.best, "val", evolution.scores[1]),
        ):
            codes, labels = evolution.dataset.part(part)
            predicted = Circuit.from_genes(genes, evolution.inputs, evolution.n_gates).predict(codes)
            assert score == np.mean(predicted == labels)


def test_each_fitness_gives_the_better_circuit_by_its_own_measure() -> None:
    dataset = uneven()
    fitter = TinyClassifier((Inputs(4),), 40, 3_000, 3_000)
    by_balance = fit(dataset, fitter)
    by_accuracy = fit(dataset, replace(fitter, fitness="accuracy"))
    assert (
        by_accuracy.details["accuracy_val"]
        == by_accuracy.accuracy(dataset)["val"]
        > by_balance.accuracy(dataset)["val"]
    )
    assert balanced(dataset, by_balance, "val") > balanced(dataset, by_accuracy, "val")


def test_training_fitness_never_falls_and_rises() -> None:
    evolution = Evolution(blobs(4), seed=1)
    seen = []
    for _ in range(20):
        evolution.run(50)
        seen.append(evolution.scores[:2].copy())
    assert (np.diff(seen, axis=0) >= 0).all()
    assert seen[-1][0] > seen[0][0] + 0.05


def test_neutral_drift_changes_the_parent_without_a_gain() -> None:
    evolution = Evolution(make(np.arange(60.0)[:, None], np.repeat([0, 1], 30)), seed=1)
    evolution.run(300)
    before, score = evolution.genes.copy(), evolution.scores[0]
    evolution.run(20)
    assert evolution.scores[0] == score
    assert (evolution.genes != before).any()


def test_the_number_of_calls_makes_no_difference() -> None:
    one, other = (Evolution(blobs(3), seed=5) for _ in range(2))
    one.run(90)
    for generations in (1, 0, 40, 49):
        other.run(generations)
    assert np.array_equal(one.genes, other.genes)
    assert np.array_equal(one.best, other.best)
    assert np.array_equal(one.scores, other.scores)


def test_patience_ends_the_evolution() -> None:
    evolution = Evolution(blobs(2), seed=0)
    done = evolution.run(100_000, patience=30)
    assert done < 100_000
    assert evolution.scores[2] == 30
    assert evolution.run(10, patience=30) == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 20), n_gates=st.integers(1, 12), generations=st.integers(0, 60))
def test_circuits_stay_acyclic(seed: int, n_gates: int, generations: int) -> None:
    evolution = Evolution(blobs(3), seed, n_gates)
    evolution.run(generations)
    n_inputs = len(evolution.inputs)
    fanins = evolution.genes[n_gates : 3 * n_gates].reshape(-1, 2) - n_inputs
    known: set[int] = set()
    while fresh := {
        g for g in range(n_gates) if g not in known and all(f < 0 or f in known for f in fanins[g])
    }:
        known |= fresh
    assert known == set(range(n_gates))
    active = active_gates(evolution.genes, n_gates, n_inputs).tolist()
    for position, gate in enumerate(active):
        assert all(f < 0 or f in active[:position] for f in fanins[gate])


def test_same_seed_same_circuit() -> None:
    dataset, fitter = blobs(3), TinyClassifier((Inputs(4),), 50, 500, 500)
    one, again, other = fit(dataset, fitter, 7), fit(dataset, fitter, 7), fit(dataset, fitter, 8)
    assert one.graph is not None
    assert again.graph is not None
    assert other.graph is not None
    assert list(one.graph.nodes()) == list(again.graph.nodes())
    assert one.details == again.details
    assert list(one.graph.nodes()) != list(other.graph.nodes())


def test_the_circuit_kept_is_the_one_with_the_best_validation_score() -> None:
    dataset = blobs(4)
    found = fit(dataset, TinyClassifier((Inputs(4),), 60, 2_000, 2_000))
    assert found.details["balanced_accuracy_val"] == pytest.approx(balanced(dataset, found, "val"))
    longer = fit(dataset, TinyClassifier((Inputs(4),), 60, 6_000, 6_000))
    assert balanced(dataset, longer, "val") >= balanced(dataset, found, "val")


def test_test_rows_have_no_part_in_it() -> None:
    dataset = blobs(3)
    labels = dataset.table.labels.copy()
    labels[dataset.split.test] = labels[dataset.split.test][::-1]
    other = replace(dataset, table=replace(dataset.table, labels=labels))
    one, two = (fit(each, TinyClassifier((Inputs(2),), 30, 300, 300)) for each in (dataset, other))
    assert one.graph is not None
    assert two.graph is not None
    assert list(one.graph.nodes()) == list(two.graph.nodes())


def test_gates_and_thresholds_stay_in_the_budget() -> None:
    dataset = blobs(4)
    for gates in (1, 3, 20):
        found = fit(dataset, TinyClassifier((Inputs(2),), gates, 500, 500))
        assert found.graph is not None
        assert found.details["gates"] == len(found.graph.luts) <= gates
        assert found.details["thresholds"] == len(found.graph.inputs) <= 2 * dataset.quantizer.n_features
        assert all(len(lut.fanins) == 2 for _, lut in found.graph.luts)


def test_a_function_that_one_gate_computes_is_found_and_small() -> None:
    grid = np.stack(np.meshgrid(np.arange(2.0), np.arange(2.0), np.arange(10)), axis=-1).reshape(-1, 3)
    dataset = make(grid, (grid[:, 0].astype(bool) & grid[:, 1].astype(bool)).astype(np.int64))
    found = fit(dataset, TinyClassifier((Inputs(2),), 30, 3_000, 3_000))
    assert found.accuracy(dataset) == {"train": 1.0, "val": 1.0, "test": 1.0}
    assert int(found.details["gates"]) <= 3


def test_phoneme_reaches_what_the_paper_s_method_is_known_for() -> None:
    dataset = load("bundled:phoneme")
    fit(dataset, TinyClassifier((Inputs(2),), 300, 1, 1))  # compile
    start = time.perf_counter()
    found = fit(dataset, TinyClassifier((Inputs(4),), 300, 20_000, 20_000))
    # 20,000 generations take half a second; the limit allows for a busy machine.
    assert time.perf_counter() - start < 25
    assert found.accuracy(dataset)["val"] > 0.76
    assert found.details["gates_allowed"] == 300


def test_the_best_encoding_on_validation_rows_is_kept_and_alone_goes_on() -> None:
    dataset = blobs(2)
    encodings = tuple(
        Inputs(2, cuts, code) for cuts in ("quantile", "equal_width") for code in ("onehot", "gray")
    )
    alone = {each: fit(dataset, TinyClassifier((each,), 40, 200, 10_000)) for each in encodings}
    best = max(float(found.details["balanced_accuracy_val"]) for found in alone.values())
    together = fit(dataset, TinyClassifier(encodings, 40, 200, 10_000))
    assert together.details["balanced_accuracy_val"] == best
    assert together.details["generations_of_all"] == 200 * len(encodings)
    longer = fit(dataset, TinyClassifier(encodings, 40, 600, 10_000, trial=200))
    assert longer.details["inputs"] == together.details["inputs"]
    assert longer.details["generations"] == 600
    assert longer.details["generations_of_all"] == 200 * len(encodings) + 400


def test_of_many_training_rows_some_are_drawn() -> None:
    dataset = blobs(2)
    every = len(dataset.split.train)
    all_rows = fit(dataset, TinyClassifier((Inputs(2),), 20, 300, 300))
    same = fit(dataset, TinyClassifier((Inputs(2),), 20, 300, 300, rows=every))
    fewer = fit(dataset, TinyClassifier((Inputs(2),), 20, 300, 300, rows=every // 4))
    assert same.accuracy(dataset) == all_rows.accuracy(dataset)
    assert fewer.details != all_rows.details


def test_nand_only_uses_no_other_gate() -> None:
    dataset = blobs(2)
    found = fit(dataset, TinyClassifier((Inputs(4),), 40, 2_000, 2_000, nand_only=True))
    assert found.graph is not None
    tables = {node.table for _, node in found.graph.nodes() if isinstance(node, Lut)}
    assert tables == {0b0111}
    assert balanced(dataset, found, "val") > 0.8
