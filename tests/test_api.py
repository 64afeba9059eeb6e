"""The steps as functions: from data to a chip in memory, and their errors for wrong arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dwn_asic import api
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.objective import Objective
from dwn_asic.data.table import Split
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.errors import ConfigError, DataError, DwnAsicError, PdkError, VerificationError
from dwn_asic.methods.dwn.config import DwnConfig, ModelConfig
from dwn_asic.methods.registry import methods
from dwn_asic.optimize.lossy import shrink as lossy
from dwn_asic.optimize.lossy.front import Front

TREE: dict[str, Any] = {"method": "decision_tree", "leaves": 4}
TINY: dict[str, Any] = {
    "model": {"layers": [{"luts": 4, "inputs": 3}, {"luts": 2, "inputs": 3}]},
    "training": {"epochs": 2},
}


@pytest.fixture(scope="module")
def iris() -> Dataset:
    return api.read_data("sklearn:iris")


@pytest.fixture(scope="module")
def front(iris: Dataset) -> Front:
    return api.shrink(api.fit(iris, "decision_tree", leaves=8), iris, proposals=1000)


# ---- the whole way -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("registers", ["none", "both"])
def test_from_a_network_to_a_proof(iris: Dataset, registers: Any) -> None:
    lines: list[str] = []
    start = api.fit(iris, progress=lines.append, **TINY)
    assert lines[0].startswith("epoch 1 of 2")
    assert start.network is not None
    pipeline = registers == "both"
    target = api.target(registers=registers, pipeline=pipeline)
    circuit = api.minimize(start, target, effort="low")
    built = api.implement(circuit, target, name="small", dataset=iris)
    assert built.files["design.v"] == api.to_verilog(circuit, "small", registers=registers, pipeline=pipeline)
    assert (built.metrics["area__registers"] > 0) == (registers == "both")
    proof = api.verify(built, start, circuit, target, dataset=iris)
    assert [(check.what, check.size) for check in proof.checks if check.how == "rows"] == [
        (f"model == {form}", 150) for form in ("graph", "minimized", "Verilog", "netlist")
    ]
    assert sum(check.how == "proof" for check in proof.checks) == 3
    deeper = api.verify(built, start, circuit, target, dataset=iris, depth="usual")
    assert {(check.stage, check.how) for check in deeper.checks} >= {
        ("model -> graph", "random"),
        ("Verilog -> netlist", "proof"),
    }
    with pytest.raises(ConfigError, match=r"verify: depth: is 'deep' \(allowed: basic, usual, full\)"):
        api.verify(built, start, circuit, target, depth="deep")  # type: ignore[arg-type]


def test_the_chosen_circuit_of_a_front_takes_the_same_way(iris: Dataset, front: Front) -> None:
    circuit = api.minimize(front.chosen, effort="low")
    assert (circuit.graph.predict(iris.codes) == front.chosen.graph.predict(iris.codes)).all()
    built = api.implement(circuit)
    proof = api.verify(built, front.chosen, circuit)
    # Without rows there is no check of rows.
    assert {check.how for check in proof.checks} <= {"proof", "simulation"}
    usual = api.verify(built, front.chosen, circuit, depth="usual")
    assert usual.checks[0].summary == "model == graph by definition"
    alone = api.verify(built, front.chosen.graph, circuit, depth="usual")
    assert alone.checks[0].verdict == "not run: the model itself is not at hand"
    assert built.metrics["area__nand2_equivalent"] <= front.chosen.total


def test_core_and_encoder_as_one() -> None:
    coarse = api.read_data("sklearn:iris", input_bits=2)
    start = api.fit(coarse, **TINY)
    apart = api.minimize(start, effort="low")
    merged = api.minimize(start, effort="low", merge=True)
    areas = []
    for circuit in (apart, merged):
        built = api.implement(circuit, dataset=coarse)
        assert api.verify(built, start, circuit, dataset=coarse).checks
        areas.append(built.metrics["area__nand2_equivalent"])
    assert areas[1] < areas[0]
    assert all(isinstance(node, Threshold) for _, node in apart.core.inputs)
    assert all(isinstance(node, CodeBit) for _, node in merged.core.inputs)


def test_an_implementation_of_something_else_is_found_out(iris: Dataset, front: Front) -> None:
    circuit = api.minimize(front.chosen, effort="low")
    builder = GraphBuilder(front.chosen.graph.interface)
    drivers = [builder.add(Constant(value=False)) for _ in range(2)]
    with pytest.raises(VerificationError, match="graph == minimized fails"):
        api.verify(api.implement(circuit), builder.finish(drivers), circuit)


def test_the_same_arguments_return_the_same_values(iris: Dataset, front: Front) -> None:
    again = api.shrink(api.fit(iris, "decision_tree", leaves=8), iris, proposals=1000, jobs=1)
    assert [c.total for c in again.circuits] == [c.total for c in front.circuits]
    assert again.choice == front.choice
    one, same, other = (api.fit(iris, seed=seed, **TINY).predictions.tolist() for seed in (0, 0, 1))
    assert one == same != other


def test_shrink_tells_how_far_it_is(iris: Dataset) -> None:
    calls: list[tuple[int, int]] = []
    start = api.fit(iris, **TREE)
    api.shrink(
        start, iris, proposals=200, prices=[8.0], temperatures=[1.0], progress=lambda *at: calls.append(at)
    )
    assert calls[-1][0] == calls[-1][1] > 0


def test_shrink_is_given_the_network_where_there_is_one(
    iris: Dataset, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []

    def shrink(*_args: object, network: object, **_more: object) -> Front:
        given.append(network)
        return front

    monkeypatch.setattr(lossy, "shrink", shrink)
    start = api.fit(iris, **TINY)
    assert start.graph is not None
    for each in (start, start.graph, api.fit(iris, **TREE)):
        assert api.shrink(each, iris) is front
    assert given == [start.network, None, None]
    assert start.network is not None


def test_a_data_set_without_test_rows_has_no_test_accuracy(iris: Dataset) -> None:
    train = np.sort(np.concatenate([iris.split.train, iris.split.test]))
    rows = replace(iris, split=Split(train=train, val=iris.split.val, test=np.empty(0, np.int64)))
    start = api.fit(rows, **TREE)
    assert set(start.accuracy(rows)) == {"train", "val"}
    front = api.shrink(start, rows, proposals=200)
    assert all(np.isnan(circuit.test) for circuit in front.circuits)
    circuit = api.minimize(front.chosen, effort="low")
    assert api.implement(circuit, dataset=rows).metrics["design__instance__count"] > 0


def test_numbers_of_numpy_are_numbers(iris: Dataset) -> None:
    plain = api.fit(iris, "decision_tree", leaves=4)
    found = api.fit(iris, "decision_tree", leaves=np.array([4]))
    assert found.predictions.tolist() == plain.predictions.tolist()
    assert api.plans("dwn", training={"epochs": np.int64(3), "learning_rate": np.float64(0.5)}) == api.plans(
        "dwn", training={"epochs": 3, "learning_rate": 0.5}
    )


def test_configurations_can_be_given_as_they_are() -> None:
    model = ModelConfig(pyramid=(3, 2))
    assert api.plans("dwn", model=model, encoder=EncoderConfig()) == api.plans(
        "dwn", model={"pyramid": (3, 2)}
    )
    assert DwnConfig().model == ModelConfig(pyramid=(6, 6, 4))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("decision_tree", {"leaves": 4}), ("forest", {"trees": 3}), ("tiny_classifier", {"bits": 2})],
)
def test_one_size_needs_no_list(kind: str, options: dict[str, int]) -> None:
    (plan,) = api.plans(kind, **options)
    assert [plan] == api.plans(kind, **{key: [value] for key, value in options.items()})


def test_every_method_plans_something_by_default_or_says_what_is_missing() -> None:
    for kind in methods():
        if kind == "dwn_variant":  # which has a name, and no model of its own
            with pytest.raises(ConfigError, match="method dwn_variant: name: missing"):
                api.plans(kind)
        else:
            assert api.plans(kind)


def test_data_in_other_forms(tmp_path: Path) -> None:
    for name, start in (("train", 0), ("test", 40)):
        lines = "".join(f"{n},{n * 8},{n / 4},{n % 2}\n" for n in range(start, start + 40))
        (tmp_path / f"{name}.csv").write_text(f"Id,adc,t,class\n{lines}")
    dataset = api.read_data(
        "csv:train.csv",
        test="csv:test.csv",
        drop="Id",
        scaling="codes",
        input_bits=np.int64(10),
        features={"t": {"lo": 0, "step": np.float64(0.25)}},
    )
    assert len(dataset.split.test) == 40
    assert dataset.codes.tolist() == [[8 * n, n] for n in range(80)]
    assert dataset.quantizer.bits.tolist() == [10, 10]
    start = api.fit(dataset, **TREE)
    circuit = api.minimize(start, effort="low")
    assert circuit.core.interface.widths == (10, 10)


# ---- errors ------------------------------------------------------------------------------------------------
WRONG: dict[str, tuple[Callable[[Dataset], object], type[DwnAsicError], str]] = {
    "a method that is none": (
        lambda rows: api.fit(rows, "tree"),
        DwnAsicError,
        "there is no method of kind 'tree' (allowed: dwn, decision_tree, ",
    ),
    "a key of a method": (
        lambda rows: api.fit(rows, "decision_tree", leafs=4),
        ConfigError,
        "method decision_tree: leafs: unknown key (allowed: kind, leaves, pruned)",
    ),
    "a key in a section": (
        lambda rows: api.fit(rows, model={"pyramid": [2], "heads": 1}),
        ConfigError,
        "method dwn: model.heads: unknown key (allowed: layers, pyramid, head, code, temperature)",
    ),
    "a value of a method": (
        lambda rows: api.fit(rows, "decision_tree", leaves=1),
        ConfigError,
        "method decision_tree: leaves: is 1 (allowed: input should be greater than or equal to 2)",
    ),
    "a kind inside of another": (
        lambda rows: api.fit(rows, "gbdt", kind="mlp"),
        ConfigError,
        "method gbdt: kind: is 'mlp' (allowed: 'gbdt')",
    ),
    "several sizes": (
        lambda rows: api.fit(rows, "decision_tree"),
        ConfigError,
        "method decision_tree: leaves: describes 3 classifiers (tree-8, tree-16, tree-32) instead of one",
    ),
    "several sizes of several keys": (
        lambda rows: api.fit(rows, "tiny_classifier", gates=[5, 9]),
        ConfigError,
        "method tiny_classifier: bits, gates: describes 4 classifiers ",
    ),
    "no size": (
        lambda rows: api.fit(rows, "decision_tree", leaves=[]),
        ConfigError,
        "method decision_tree: leaves: describes 0 classifiers instead of one (allowed: a single value)",
    ),
    "a key of shrink": (
        lambda rows: api.shrink(api.fit(rows, "decision_tree", leaves=4), rows, tolerances=0.1),
        ConfigError,
        "shrink: tolerances: unknown key (allowed: area, prices, ",
    ),
    "the scaling of a method": (
        lambda rows: api.fit(rows, encoder={"scaling": "codes"}),
        ConfigError,
        "method dwn: encoder: is {'scaling': 'codes'} (allowed: only without scaling and features, since ",
    ),
    "a value of minimize": (
        lambda rows: api.minimize(api.fit(rows, "decision_tree", leaves=4), effort="some"),
        ConfigError,
        "minimize: effort: is 'some' (allowed: 'low', 'medium' or 'high')",
    ),
    "a target that is none": (
        lambda _: api.target("fpga9"),
        DwnAsicError,
        "there is no target 'fpga9' (allowed: ",
    ),
    "registers": (
        lambda _: api.target(registers="all"),  # type: ignore[arg-type]
        ConfigError,
        "target asic: registers: is 'all' (allowed: 'none', 'inputs', 'outputs' or 'both')",
    ),
    "a PDK": (lambda _: api.target(pdk="no"), PdkError, "no PDK 'no'"),
    "a source": (
        lambda _: api.read_data("sql:x"),
        ConfigError,
        "data: data.source: is 'sql:x' (allowed: arff:PATH, bundled:NAME, csv:PATH, ",
    ),
    "a file": (lambda _: api.read_data("csv:no.csv"), DataError, "no.csv: "),
    "input bits": (
        lambda _: api.read_data("sklearn:iris", input_bits=17),
        ConfigError,
        "data: input_bits: is 17 (allowed: input should be less than or equal to 16)",
    ),
    "a scaling": (
        lambda _: api.read_data("sklearn:iris", scaling="code"),  # type: ignore[arg-type]
        ConfigError,
        "data: scaling: is 'code' (allowed: 'fitted' or 'codes')",
    ),
    "a feature's scaling": (
        lambda _: api.read_data("sklearn:iris", features={"petal width": {"bits": 3}}),
        ConfigError,
        "sklearn:iris: encoder.features.petal width: is not the name of a feature (allowed: sepal length ",
    ),
    "values that are no codes": (
        lambda _: api.read_data("sklearn:iris", scaling="codes"),
        DataError,
        "sklearn:iris, row 1, column sepal length (cm): 5.1 is not a code of 8 bits, an integer from 0 to",
    ),
    "software": (
        lambda rows: api.minimize(api.fit(rows, "gbdt")),
        DwnAsicError,
        "gradient boosting (software) is software only: it has no circuit",
    ),
    "a name": (
        lambda rows: api.to_verilog(api.minimize(constant(rows)), "a-b"),
        ConfigError,
        "to_verilog: name: is 'a-b' (allowed: a letter, then letters, digits and underscores)",
    ),
}


def constant(dataset: Dataset) -> BooleanGraph:
    widths = tuple(map(int, dataset.quantizer.bits))
    builder = GraphBuilder(Interface(dataset.table.feature_names, widths, dataset.table.class_names))
    return builder.finish([builder.add(Constant(value=False))] * 2)


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named(iris: Dataset, what: str) -> None:
    call, kind, text = WRONG[what]
    with pytest.raises(DwnAsicError) as caught:
        call(iris)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("other", ["features", "widths", "classes"])
def test_a_circuit_for_other_data_is_an_error(iris: Dataset, other: str) -> None:
    graph = constant(iris)
    table, quantizer = iris.table, iris.quantizer
    if other == "features":
        table = replace(table, feature_names=tuple("abcd"))
    elif other == "classes":
        table = replace(table, class_names=("0", "1", "2"))
    else:
        quantizer = replace(quantizer, bits=np.full(4, 3))
    rows = Dataset(table, iris.split, quantizer)
    circuit = api.minimize(graph)
    calls: list[Callable[[], object]] = [
        lambda: api.shrink(graph, rows),
        lambda: api.implement(circuit, dataset=rows),
        lambda: api.verify(api.implement(circuit), graph, circuit, dataset=rows),
    ]
    for call in calls:
        with pytest.raises(DataError, match=f"the circuit belongs to other data: its {other} differ"):
            call()


def test_a_constant_is_a_circuit_too(iris: Dataset) -> None:
    graph = constant(iris)
    circuit = api.minimize(graph)
    built = api.implement(circuit, dataset=iris)
    assert built.metrics["area__nand2_equivalent"] == 0.0
    assert api.verify(built, graph, circuit, dataset=iris).checks
    assert not any(isinstance(node, Lut) for _, node in circuit.graph.nodes())


def test_shrink_from_several_circuits_passes_their_names(
    iris: Dataset, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def shrink(graphs: list[BooleanGraph], *_args: object, names: list[str], **_more: object) -> Front:
        given.append((graphs, list(names)))
        return front

    monkeypatch.setattr(lossy, "shrink", shrink)
    trees = [api.fit(iris, "decision_tree", leaves=leaves) for leaves in (2, 8)]
    graphs = [tree.graph for tree in trees]
    assert graphs[1] is not None
    api.shrink([trees[0], graphs[1]], iris)
    api.shrink(trees[0], iris)
    assert given == [(graphs, ["tree-2", ""]), (graphs[:1], [])]


def test_shrink_needs_circuits_and_takes_them_from_its_argument(iris: Dataset) -> None:
    with pytest.raises(DwnAsicError, match="shrink needs at least one circuit"):
        api.shrink([], iris)
    tree = api.fit(iris, "decision_tree", leaves=2)
    with pytest.raises(ConfigError, match=r"starts.* names circuits of a flow .*allowed: the argument start"):
        api.shrink(tree, iris, starts=["dwn"])


def test_an_objective_reaches_every_step() -> None:
    rows = api.read_data("sklearn:breast_cancer", objective="balanced_accuracy")
    assert rows.objective == Objective("balanced_accuracy")
    tree = api.fit(rows, "decision_tree", leaves=8)
    assert (
        tree.predictions != api.fit(rows, "decision_tree", leaves=8, objective="accuracy").predictions
    ).any()
    front = api.shrink(tree, rows, proposals=1000)
    chosen = front.chosen.graph.predict(rows.codes)
    assert front.chosen.test == rows.score("test", chosen)
    test = rows.split.test
    assert front.chosen.accuracy == pytest.approx(np.mean(chosen[test] == rows.table.labels[test]))
    costs = {"metric": "cost", "class_weights": {"malignant": 5, "benign": 1}}
    careful = api.shrink(tree, rows, objective=costs, proposals=1000)
    assert careful.chosen.val == rows.with_objective(costs).score(
        "val", careful.chosen.graph.predict(rows.codes)
    )
    with pytest.raises(ConfigError, match=r"objective: metric: is 'core' \(allowed: 'accuracy'"):
        api.shrink(tree, rows, objective="core", proposals=1000)


@pytest.mark.parametrize("judges", [["labels"], ["agreed"], ["taught"]])
def test_f1_is_what_the_front_reports(judges: list[str]) -> None:
    rows = api.read_data("sklearn:breast_cancer", objective="f1")
    assert rows.objective.positive == rows.table.class_names.index("malignant")
    front = api.shrink(api.fit(rows, "decision_tree", leaves=8), rows, proposals=2000, judges=judges)
    for circuit in front.circuits:
        predictions = circuit.graph.predict(rows.codes)
        for part, score in (("train", circuit.train), ("val", circuit.val), ("test", circuit.test)):
            assert score == rows.score(part, predictions)
    assert front.chosen.val > 0.85


# ---- manufacturing test ------------------------------------------------------------------------------------
def test_a_manufacturing_test_detects_all_testable_faults(iris: Dataset) -> None:
    tree = api.fit(iris, "decision_tree", leaves=4)
    circuit = api.minimize(tree, effort="low")
    stages: list[str] = []
    found = [
        api.manufacturing_test(
            api.implement(circuit, name="small"),
            circuit,
            dataset=dataset,
            rounds=5,
            progress=lambda what, *_: stages.append(what),
        )
        for dataset in (None, iris, iris)
    ]
    assert {each.detected.coverage.of_testable for each in found} == {1.0}
    assert stages.count("compaction") >= 3
    assert (found[0].expected == tree.graph.predict(found[0].codes)).all()  # type: ignore[union-attr]
    assert found[1].files() == found[2].files()
    assert "module small_tb;" in found[0].testbench


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"seed": -1}, r"manufacturing_test: seed: is -1 \(allowed: an integer of at least 0\)"),
        ({"rounds": -1}, r"manufacturing_test: rounds: is -1"),
        ({"conflicts": 0}, r"manufacturing_test: conflicts: is 0 \(allowed: an integer of at least 1\)"),
    ],
)
def test_wrong_options_of_a_manufacturing_test_are_named(
    iris: Dataset, option: dict[str, int], says: str
) -> None:
    circuit = api.minimize(api.fit(iris, "decision_tree", leaves=3), effort="low")
    with pytest.raises(ConfigError, match=says):
        api.manufacturing_test(api.implement(circuit), circuit, **option)  # type: ignore[arg-type]


def test_a_manufacturing_test_needs_cells_and_its_own_data(iris: Dataset) -> None:
    circuit = api.minimize(api.fit(iris, "decision_tree", leaves=3), effort="low")
    target = api.target("aig")
    with pytest.raises(DwnAsicError, match="manufacturing_test: the target aig makes no netlist of cells"):
        api.manufacturing_test(api.implement(circuit, target), circuit, target)
    with pytest.raises(DataError, match="the circuit belongs to other data"):
        api.manufacturing_test(api.implement(circuit), circuit, dataset=api.read_data("sklearn:wine"))
