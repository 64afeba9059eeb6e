"""The estimators: scikit-learn's own checks, and behaviour that these checks don't cover."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from dwn_asic import api
from dwn_asic.boolean.graph import Constant, GraphBuilder, Interface
from dwn_asic.encode.config import QuantizerConfig
from dwn_asic.errors import DataError, DwnAsicError
from dwn_asic.estimators import Chip, CircuitClassifier, DwnClassifier
from dwn_asic.estimators.base import ChipClassifier
from dwn_asic.estimators.rows import answers, dataset_of
from dwn_asic.targets.base import Implementation, Proof, Technology

QUICK: dict[str, Any] = {"proposals": 300, "shrink_options": {"prices": [8.0], "temperatures": [1.0]}}
TREE = CircuitClassifier("tree", start_options={"leaves": 8}, random_state=0, **QUICK)
DWN = DwnClassifier(4, 4, epochs=20, random_state=0)
PYRAMID = DwnClassifier(pyramid=(4, 2), restarts=2, epochs=20, random_state=0)
X, Y = load_iris(return_X_y=True)


EACH: dict[str, ChipClassifier] = {"dwn": DWN, "pyramid": PYRAMID, "tree": TREE}


# ---- scikit-learn's checks ---------------------------------------------------------------------------------
ARRAY_API = "check_array_api_input"
"""Check that needs scipy imported under SCIPY_ARRAY_API=1, and so runs in a process of its own."""


CHECKED: dict[str, ChipClassifier] = {"dwn": DWN, "tree": TREE}


def checks() -> Iterator[Any]:
    for name, estimator in CHECKED.items():
        found = [*estimator_checks_generator(estimator)]
        assert sum(ARRAY_API in str(check) for _, check in found) == 1
        for number, (each, check) in enumerate(found):
            if ARRAY_API not in str(check):
                title = getattr(check, "func", check).__name__
                yield pytest.param(each, check, id=f"{name}-{number}-{title}")


@pytest.mark.parametrize(("estimator", "check"), [*checks()])
def test_scikit_learn_s_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_scikit_learn_s_check_of_arrays_of_other_packages() -> None:
    code = f"""if True:
        from sklearn.utils.estimator_checks import estimator_checks_generator
        from test_estimators import CHECKED
        for name, each in CHECKED.items():
            for estimator, check in estimator_checks_generator(each):
                if {ARRAY_API!r} in str(check):
                    check(estimator)
                    print(name)
    """
    tests = Path(__file__).parent
    path = os.pathsep.join([str(tests), str(tests.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": path}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [*CHECKED], done.stderr


# ---- both --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def fitted() -> dict[str, ChipClassifier]:
    names = ["setosa", "versicolor", "virginica"]
    frame = pd.DataFrame(X, columns=["sepal length", "sepal width", "petal length", "petal width"])
    labels = pd.Series([names[label] for label in Y])
    return {name: clone(each).fit(frame, labels) for name, each in EACH.items()}


@pytest.mark.parametrize("name", EACH)
def test_frames_and_texts(fitted: dict[str, ChipClassifier], name: str) -> None:
    model = fitted[name]
    frame = pd.DataFrame(X, columns=model.feature_names_in_)
    predicted = model.predict(frame)
    assert set(predicted) <= {"setosa", "versicolor", "virginica"}
    assert np.mean(predicted == np.array(model.classes_)[Y]) > 0.9
    assert model.feature_names_in_.tolist()[0] == "sepal length"
    assert model.classifier_.graph is not None
    assert model.graph_.interface.feature_names[2] == "petal length"
    assert model.graph_.interface.class_names == ("setosa", "versicolor", "virginica")
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[frame.columns[::-1]])


@pytest.mark.parametrize("name", EACH)
def test_what_predicts_is_what_is_built(fitted: dict[str, ChipClassifier], name: str) -> None:
    model = fitted[name]
    frame = pd.DataFrame(X, columns=model.feature_names_in_)
    codes = model.quantizer_.codes(X)
    built = model.circuit_.graph.predict(codes)
    assert model.circuit_ is model.circuit_
    assert (model.graph_.predict(codes) == built).all()
    legal = built < 3
    assert (model.classes_[built[legal]] == model.predict(frame)[legal]).all()
    chip = model.implement(name="iris")
    assert chip.verilog == model.to_verilog("iris") == chip.files["design.v"]
    assert "sky130_fd_sc_hd__" in chip.netlist
    assert chip.area == chip.metrics["area__nand2_equivalent"] > 0
    assert [check.what for check in chip.proof.checks if check.how == "proof"] == [
        "graph == minimized",
        "graph == Verilog",
        "graph == netlist",
    ]


@pytest.mark.parametrize("name", EACH)
def test_probabilities_agree_with_predictions(fitted: dict[str, ChipClassifier], name: str) -> None:
    model = fitted[name]
    frame = pd.DataFrame(X, columns=model.feature_names_in_)
    shares = model.predict_proba(frame)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert shares.min() > 0
    assert (model.classes_[shares.argmax(axis=1)] == model.predict(frame)).all()
    # Counts differ among rows of one class, a class index doesn't.
    assert (len(np.unique(shares, axis=0)) > 3) == (name == "dwn")


@pytest.mark.parametrize("name", EACH)
def test_they_can_be_pickled_and_cloned(fitted: dict[str, ChipClassifier], name: str) -> None:
    model = fitted[name]
    model.circuit_  # noqa: B018
    again = pickle.loads(pickle.dumps(model))
    frame = pd.DataFrame(X, columns=model.feature_names_in_)
    assert (again.predict(frame) == model.predict(frame)).all()
    assert again.to_verilog() == model.to_verilog()
    other = clone(model)
    assert other.get_params() == model.get_params()
    for ask in (lambda: other.predict(X), lambda: other.circuit_, other.implement, other.to_verilog):
        with pytest.raises(NotFittedError):
            ask()
    assert not hasattr(other, "circuit_")


def test_a_new_fit_forgets_the_circuit_and_no_file_is_left_behind(tmp_path: Path) -> None:
    model = clone(TREE).fit(X, Y)
    before = model.circuit_
    model.fit(X[50:], Y[50:])
    assert model.circuit_ is not before
    assert model.circuit_.core.interface.class_names == ("1", "2")
    assert [*tmp_path.iterdir()] == []


def test_another_target_gets_a_circuit_of_its_own(fitted: dict[str, ChipClassifier]) -> None:
    model = fitted["tree"]
    before = model.circuit_
    plain, held = model.implement(), model.implement(api.target(registers="both"))
    assert plain.circuit is before
    assert plain.metrics["area__registers"] == 0 < held.metrics["area__registers"]
    assert model.circuit_ is before
    assert "posedge" in model.to_verilog(registers="outputs")


def test_their_own_target_counts_and_travels_with_them() -> None:
    model = CircuitClassifier(**{**TREE.get_params(), "target": api.target(registers="both")}).fit(X, Y)
    plain = clone(TREE).fit(X, Y)
    registers = model.front_["total"] - model.front_["core"] - model.front_["encoder"]
    assert registers.min() >= 0 < registers.max()
    assert plain.front_["total"] == pytest.approx(plain.front_["core"] + plain.front_["encoder"])
    assert model.implement().metrics["area__registers"] > 0
    assert pickle.loads(pickle.dumps(clone(model))).fit(X, Y).implement().area == model.implement().area


@pytest.mark.parametrize("estimator", [DWN, TREE], ids=["dwn", "tree"])
def test_pipelines_and_searches(estimator: ChipClassifier) -> None:
    scores = cross_val_score(make_pipeline(StandardScaler(), clone(estimator)), X, Y, cv=2)
    assert scores.min() > 0.85
    grid = {"input_bits": np.array([2, 6])}
    search = GridSearchCV(clone(estimator), grid, cv=2, scoring="roc_auc_ovr").fit(X, Y)
    assert search.best_score_ > 0.85


def test_the_generator_is_drawn_from() -> None:
    same = [clone(DWN).set_params(random_state=seed).fit(X, Y).predict_proba(X) for seed in (5, 5, 6)]
    assert (same[0] == same[1]).all()
    assert (same[0] != same[2]).any()
    generator = np.random.RandomState(5)
    drawn = [clone(DWN).set_params(random_state=generator).fit(X, Y).predict_proba(X) for _ in range(2)]
    assert (drawn[0] != drawn[1]).any()
    np.random.seed(3)  # noqa: NPY002
    unseeded = [clone(DWN).set_params(random_state=None).fit(X, Y).predict_proba(X) for _ in range(2)]
    assert (unseeded[0] != unseeded[1]).any()


def test_nothing_is_said_of_test_rows(fitted: dict[str, ChipClassifier]) -> None:
    tree = fitted["tree"]
    assert isinstance(tree, CircuitClassifier)
    assert "accuracy_test" not in (tree.front_.dtype.names or ())


# ---- few rows, nothing to learn ----------------------------------------------------------------------------
@pytest.mark.parametrize("estimator", EACH.values(), ids=EACH)
@pytest.mark.parametrize("columns", [0, 1, 3])
def test_where_there_is_nothing_to_learn_the_circuit_is_constant(
    estimator: ChipClassifier, columns: int
) -> None:
    features = np.ones((9, max(1, columns))) * 7.0
    labels = np.array(["no", "yes", "yes"] * 3)
    if not columns:
        features, labels = X[:9], np.array(["only"] * 9)
    model = clone(estimator).fit(features, labels)
    assert set(model.predict(features + 1.0)) == {"yes" if columns else "only"}
    assert not model.graph_.inputs
    chip = model.implement()
    assert chip.area == 0.0
    assert "classifier_top" in chip.netlist
    assert model.predict_proba(features).shape == (9, 2 if columns else 1)


def test_the_front_of_a_constant_is_that_constant() -> None:
    model = clone(TREE).set_params(target=api.target(registers="outputs")).fit(np.ones((9, 2)), [0, 1, 1] * 3)
    assert len(model.front_) == 1
    assert model.front_["core"].tolist() == model.front_["encoder"].tolist() == [0.0]
    assert model.front_["total"][0] > 0
    assert model.front_["accuracy_val"][0] == 0.5
    assert model.front_["chosen"].tolist() == [True]


@pytest.mark.parametrize("estimator", EACH.values(), ids=EACH)
def test_a_class_with_one_row(estimator: ChipClassifier) -> None:
    model = clone(estimator).fit([[0.0], [1.0], [2.0], [3.0]], ["a", "a", "a", "b"])
    assert set(model.classes_) == {"a", "b"}
    assert set(model.predict([[0.0], [9.0]])) <= {"a", "b"}
    with pytest.raises(ValueError, match="each of the 3 classes has only one row"):
        clone(estimator).fit([[0.0], [1.0], [2.0]], ["a", "b", "c"])


def test_each_class_keeps_rows_on_both_sides() -> None:
    labels = np.array([0] * 10 + [1] * 2 + [2])
    values = np.arange(13.0)[:, None]

    def split(fraction: float) -> tuple[list[int], list[int]]:
        found = dataset_of(
            values,
            labels,
            ["x"],
            ["a", "b", "c"],
            validation_fraction=fraction,
            quantizer=QuantizerConfig(input_bits=4),
            seed=0,
        )
        assert not len(found.split.test)
        return tuple(np.bincount(found.part(part)[1], minlength=3).tolist() for part in ("train", "val"))  # type: ignore[return-value]

    assert split(0.2) == ([8, 1, 1], [2, 1, 0])
    assert split(0.01) == ([9, 1, 1], [1, 1, 0])
    assert split(0.99) == ([1, 1, 1], [9, 1, 0])


def test_an_answer_that_no_class_has_is_read_without_its_highest_bit() -> None:
    for n_classes in (1, 2, 3, 4, 5, 7):
        names = tuple(map(str, range(n_classes)))
        width = max(1, (n_classes - 1).bit_length())
        for answer in range(1 << width):
            builder = GraphBuilder(Interface(("x",), (4,), names))
            drivers = [builder.add(Constant(bool(answer >> k & 1))) for k in range(width)]
            (index,) = answers(builder.finish(drivers), np.zeros((1, 1), np.int64))
            wanted = answer if answer < n_classes else answer - (1 << (width - 1))
            assert index == wanted
            assert 0 <= index < n_classes


# ---- arguments ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("estimator", "wrong", "message"),
    [
        (DWN, {"inputs": 9}, r"method dwn: model\.layers\.0\.inputs: is 9"),
        (DWN, {"epochs": 0}, r"method dwn: training\.epochs: is 0"),
        (DWN, {"thermometer": "linear"}, r"method dwn: encoder\.thermometer: is 'linear' \(allowed: 'dist"),
        (DWN, {"training": {"epoch": 3}}, r"method dwn: training\.epoch: unknown key \(allowed: epochs, "),
        (DWN, {"pyramid": ()}, r"method dwn: model\.pyramid: is \[\]"),
        (
            DWN,
            {"validation_fraction": 1.0},
            "validation_fraction is 1.0, allowed: greater than 0 and less than 1",
        ),
        (DWN, {"input_bits": 17}, "input_bits is 17, allowed: 1 to 16"),
        (TREE, {"start": "oak"}, r"CircuitClassifier: start: is 'oak' \(allowed: dwn, decision_tree, opt"),
        (TREE, {"start": "gbdt"}, r"CircuitClassifier: start: is 'gbdt' \(allowed: dwn, decision_tree, opt"),
        (TREE, {"start_options": {"leaf": 3}}, "method decision_tree: leaf: unknown key"),
        (TREE, {"start_options": {"leaves": []}}, "CircuitClassifier: start_options: describe no classifier"),
        (TREE, {"area": "cost"}, "shrink: area: is 'cost' .allowed: 'total' or 'core'"),
        (
            TREE,
            {"objective": "core"},
            "objective: metric: is 'core' .allowed: 'accuracy', 'balanced_accuracy'",
        ),
        (TREE, {"tolerance": -0.1}, "shrink: tolerance: is -0.1"),
        (TREE, {"shrink_options": {"x": 1}}, "shrink: x: unknown key"),
    ],
)
def test_what_is_wrong_is_named_in_fit(estimator: Any, wrong: dict[str, Any], message: str) -> None:
    model = clone(estimator).set_params(**wrong)
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y)


def test_effort_is_checked_when_it_counts() -> None:
    with pytest.raises(DwnAsicError, match="minimize: effort: is 'none'"):
        clone(TREE).set_params(effort="none").fit(X, Y).circuit_  # noqa: B018


def test_the_networks_are_those_of_the_arguments() -> None:
    counting = clone(DWN).fit(X, Y).classifier_.network
    pyramid = clone(PYRAMID).fit(X, Y).classifier_.network
    assert counting is not None
    assert pyramid is not None
    assert [(layer.n_luts, layer.n_inputs) for layer in counting.layers] == [(12, 4)]
    assert [(layer.n_luts, layer.n_inputs) for layer in pyramid.layers] == [(4, 4), (2, 2)]
    assert counting.head.kind == "popcount"
    assert pyramid.head.kind == "direct"


# ---- the front ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def cancer() -> CircuitClassifier:
    data = load_breast_cancer()
    model = CircuitClassifier("tree", proposals=5000, random_state=0)
    return model.fit(data.data, data.target)


def rows(model: CircuitClassifier) -> pd.DataFrame:
    return pd.DataFrame(model.front_)


def test_the_front_is_a_table(cancer: CircuitClassifier) -> None:
    table = rows(cancer)
    assert len(table) > 5
    assert table.total.is_monotonic_increasing
    assert table.chosen.sum() == 1
    assert table.chosen[cancer.choice_]
    assert table.total.to_numpy() == pytest.approx((table.core + table.encoder).to_numpy())
    accuracies = table[["accuracy_val", "accuracy_expected"]].min(axis=1)
    lacking = 1 - accuracies.max()
    added = accuracies.max() - accuracies[cancer.choice_]
    # Below 100 errors of n rows, the tolerance counts ten standard errors of the score, sqrt(lacking / n).
    n_rows = round(1 / np.diff(np.unique(table.accuracy_val)).min())
    assert added <= cancer.tolerance * max(lacking, 10 * (lacking / n_rows) ** 0.5) + 1e-9


def test_others_of_the_front_predict_on_request(cancer: CircuitClassifier) -> None:
    data = load_breast_cancer()
    before = cancer.predict(data.data)
    area = cancer.circuit_
    limit = float(rows(cancer).total[3])
    small = cancer.select(max_area=limit)
    assert rows(small).total[small.choice_] <= limit
    assert rows(small).chosen.tolist() == [row == small.choice_ for row in range(len(small.front_))]
    accuracies = rows(small)[["accuracy_val", "accuracy_expected"]].min(axis=1)
    assert accuracies[small.choice_] == accuracies[rows(small).total <= limit].max()
    assert small.implement().area <= limit + 1e-9
    assert (small.classifier_, small.quantizer_) == (cancer.classifier_, cancer.quantizer_)
    # The estimator itself is as before.
    assert (cancer.predict(data.data) == before).all()
    assert cancer.circuit_ is area
    assert rows(cancer).chosen[cancer.choice_]


def test_every_row_of_the_front_is_a_model(cancer: CircuitClassifier) -> None:
    data = load_breast_cancer()
    for row in range(len(cancer.front_)):
        model = cancer.at(row)
        assert model.choice_ == row
        shares = model.predict_proba(data.data)
        hit = model.score(data.data, data.target)
        held_out = 1.0 - (1.0 - cancer.front_["accuracy_train"][row]) * 0.8
        assert hit == pytest.approx(held_out - 0.2 * (1.0 - cancer.front_["accuracy_val"][row]), abs=0.01)
        assert (model.classes_[shares.argmax(axis=1)] == model.predict(data.data)).all() or hit < 0.7


def test_what_the_front_does_not_have_is_an_error(cancer: CircuitClassifier) -> None:
    smallest = float(cancer.front_["total"].min())
    with pytest.raises(ValueError, match=f"the smallest circuit of the front has {smallest}"):
        cancer.select(max_area=smallest - 1.0)
    for row in (-1, len(cancer.front_)):
        with pytest.raises(ValueError, match=f"row is {row}, but the front has the rows 0 to"):
            cancer.at(row)
    for ask in (lambda: clone(cancer).select(5.0), lambda: clone(cancer).at(0)):
        with pytest.raises(NotFittedError):
            ask()


def test_the_core_as_area() -> None:
    model = clone(TREE).set_params(area="core").fit(X, Y)
    table = rows(model)
    assert table.core.is_monotonic_increasing
    small = model.select(max_area=0.0)
    assert rows(small).core[small.choice_] == 0.0
    assert small.score(X, Y) > 0.6  # a single threshold has no core


def test_threads_change_nothing() -> None:
    options = {"prices": [4.0, 8.0], "temperatures": [1.0]}
    model = clone(TREE).set_params(shrink_options=options)
    tables = [clone(model).set_params(n_jobs=jobs).fit(X, Y).front_.tolist() for jobs in (None, -1)]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("start", "options"),
    [
        ("dwn", {"model": {"pyramid": [3, 2]}, "training": {"epochs": 2}}),
        ("forest", None),
        ("wisard", {"tuples": 4, "inputs": 2}),
    ],
)
def test_other_starts(start: str, options: dict[str, Any] | None) -> None:
    model = CircuitClassifier(start, start_options=options, random_state=0, **QUICK).fit(X, Y)
    assert model.classifier_.kind == start
    assert model.score(X, Y) > 0.9
    if start == "forest":
        assert model.classifier_.label.startswith("forest, 7 trees")


def test_the_default_start_is_a_network_that_fits_the_number_of_classes() -> None:
    few = np.arange(0, 150, 5)
    several = CircuitClassifier(random_state=0, **QUICK).fit(X[few], Y[few]).classifier_
    two = CircuitClassifier(random_state=0, **QUICK).fit(X[few[:20]], Y[few[:20]]).classifier_
    assert several.network is not None
    assert several.network.head.kind == "popcount"
    assert two.label == "DWN 24-4-1 (6,6,4-input LUTs)"


# ---- chips of other targets --------------------------------------------------------------------------------
def test_a_chip_says_what_a_target_does_not_give(fitted: dict[str, ChipClassifier]) -> None:
    built = Implementation("c", {"code.c": "int f;"}, {"seconds": 1.0}, "one file")
    model = fitted["tree"]
    technology = Technology("c", "the language", "any", "everywhere")
    chip = Chip(model.circuit_, built, Proof(()), model.graph_, model.quantizer_, technology, "tree")
    for ask, message in (
        (lambda: chip.area, "the target does not measure a size, only seconds"),
        (lambda: chip.netlist, "the target does not make netlist.v, only code.c"),
        (lambda: chip.verilog, "the target does not make design.v, only code.c"),
    ):
        with pytest.raises(DwnAsicError, match=message):
            ask()
    assert chip.files["code.c"] == "int f;"
    text = chip.datasheet().markdown()
    assert "**This sheet describes** `code.c`." in text
    assert "## Accuracy" not in text


# ---- data sheets -------------------------------------------------------------------------------------------
def test_the_data_sheet_of_a_chip_is_of_the_rows_given(fitted: dict[str, ChipClassifier]) -> None:
    model = fitted["tree"]
    frame = pd.DataFrame(X, columns=model.feature_names_in_)
    labels = model.classes_[Y]
    chip = model.implement(api.target(registers="outputs"), name="leaf")
    sheet = chip.datasheet(frame, labels)
    assert sheet.accuracy is not None
    (part,) = sheet.accuracy.parts
    assert (part.hits, part.rows) == (round(model.score(frame, labels) * 150), 150)
    assert sheet.registers == "outputs"
    names = [given.name for given in sheet.inputs] + list(sheet.unused)
    assert sorted(names) == sorted(model.feature_names_in_)
    text = sheet.markdown()
    assert text.startswith("# leaf: data sheet\n\n`leaf_top` is a classifier, made from decision tree")
    assert "| `clk` | input |" in text
    assert "## Accuracy" not in chip.datasheet().markdown()


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (X, None, "needs both X and y"),
        (X[:, :3], Y, r"X: has the shape \(150, 3\), expected 150 rows of 4 features"),
        (X[:10], Y, r"X: has the shape \(10, 4\), expected 150 rows"),
        (np.full((1, 4), np.nan), [0], "X: a value is missing or infinite"),
        (X[:1], [7], "y: '7' is no class of the chip, which knows setosa, versicolor"),
    ],
)
def test_rows_that_do_not_fit_a_chip_are_errors(
    fitted: dict[str, ChipClassifier], rows: Any, labels: Any, message: str
) -> None:
    model = fitted["tree"]
    built = Implementation("c", {}, {}, "nothing")
    technology = Technology("c", "the language", "any", "everywhere")
    chip = Chip(model.circuit_, built, Proof(()), model.graph_, model.quantizer_, technology, "tree")
    with pytest.raises(DataError, match=message):
        chip.datasheet(rows, labels)


@pytest.mark.parametrize("dtype", [bool, np.float32, object])
def test_labels_come_back_as_they_were(dtype: Any) -> None:
    labels = np.array(["a", "b"], object)[Y.clip(0, 1)] if dtype is object else (Y > 0).astype(dtype)
    model = clone(TREE).fit(X, labels)
    assert model.predict(X).dtype == labels.dtype
    assert (model.predict(X) == labels).mean() > 0.95


# ---- codes of a converter ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["dwn", "tree"])
def test_codes_are_read_as_they_are(name: str) -> None:
    codes = np.round(X[:, 2:] * 100).astype(np.int64)  # up to 690
    frame = pd.DataFrame({"length": codes[:, 0], "width": codes[:, 1] / 100 - 4})
    model = clone(EACH[name]).set_params(
        scaling="codes", input_bits=10, features={"width": {"lo": -4, "step": 0.01, "bits": 9}}
    )
    model.fit(frame, Y)
    assert model.score(frame, Y) > 0.9
    assert model.quantizer_.codes(frame.to_numpy()).tolist() == codes.tolist()
    assert model.graph_.interface.widths == (10, 9)
    assert "input  wire [9:0] x0_length" in model.to_verilog()
    # Beyond a code and between two, the nearest one counts.
    near = frame.assign(length=frame["length"] + 0.3)
    assert (model.predict(near) == model.predict(frame)).all()
    far = pd.DataFrame({"length": [-5.0, 5000.0], "width": [0.0, 0.0]})
    assert (model.predict(far) == model.predict(far.assign(length=[0.0, 1023.0]))).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"scaling": "codes"}, r"X, row 1, column x0: 5\.1 is not a code of 8 bits"),
        ({"scaling": "code"}, "DwnClassifier: scaling: is 'code'"),
        (
            {"features": {"x4": {"lo": 1.0}}},
            r"encoder\.features\.x4: is not the name of a feature \(allowed: x0, x1",
        ),
        ({"features": {"x1": {"step": -1.0}}}, r"DwnClassifier: features\.x1\.step: is -1\.0"),
    ],
)
def test_a_scaling_that_does_not_fit(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        clone(DWN).set_params(**arguments).fit(X, Y)


def uneven() -> tuple[np.ndarray, np.ndarray]:
    """Draw 600 rows of which a tenth, a third of those in a region, have the label ``sick``."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(600, 3)).round()
    sick = (values[:, 0] > 0.5) & (rng.random(600) < 0.33)
    return values, np.where(sick, "sick", "well")


@pytest.mark.parametrize(
    "objective", ["balanced_accuracy", "f1", {"metric": "cost", "class_weights": [9, 1]}]
)
def test_an_objective_is_what_an_estimator_scores(objective: object) -> None:
    values, labels = uneven()
    plain = CircuitClassifier("tree", proposals=2000, random_state=0).fit(values, labels)
    model = clone(plain).set_params(objective=objective).fit(values, labels)
    assert plain.score(values, labels) == np.mean(plain.predict(values) == labels)
    assert (plain.predict(values) == "well").all()
    predicted = model.predict(values)
    assert (predicted == "sick").any()
    if objective == "balanced_accuracy":
        assert model.score(values, labels) == pytest.approx(balanced_accuracy_score(labels, predicted))
        assert model.front_.dtype.names[3:6] == tuple(
            f"balanced_accuracy_{part}" for part in ("train", "val", "expected")
        )
        assert model.select(max_area=1e9).choice_ >= 0
    if objective == "f1":
        assert model.score(values, labels) == pytest.approx(f1_score(labels, predicted, pos_label="sick"))
    with pytest.raises(ValueError, match="label that fit has not seen"):
        model.score(values, np.full(len(labels), "other"))
    with pytest.raises(ValueError, match="sample_weight"):
        model.score(values, labels, np.ones(len(labels)))


def test_a_network_is_trained_for_the_objective() -> None:
    values, labels = uneven()
    options = {"pyramid": (3, 3), "epochs": 10, "random_state": 0}
    plain = DwnClassifier(**options).fit(values, labels)
    model = DwnClassifier(objective="balanced_accuracy", **options).fit(values, labels)
    found = [balanced_accuracy_score(labels, each.predict(values)) for each in (plain, model)]
    assert found[1] > found[0] + 0.1
    assert model.score(values, labels) == pytest.approx(found[1])
    with pytest.raises(ValueError, match="objective: metric: is 'auc'"):
        DwnClassifier(objective="auc", **options).fit(values, labels)
