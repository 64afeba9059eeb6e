"""Shrink in a flow: a front, a choice, and a netlist that is proved equal to the chosen circuit."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.errors import ConfigError
from dwn_asic.flow import Flow, Reporter, open_flow, run_flow
from dwn_asic.flow.artifacts import IMPLEMENTATION, PREDICTIONS
from dwn_asic.optimize.exact.minimize import mapped_areas
from dwn_asic.report.result import Result
from flows import FILE, finished_flow, write_flow

SHRINK = {"prices": [4.0, 32.0], "temperatures": [0.5], "proposals": 20_000, "baselines": True}


@pytest.fixture(scope="module")
def shrunk(finished: Flow, tmp_path_factory: pytest.TempPathFactory) -> Flow:
    return finished_flow(tmp_path_factory.mktemp("shrunk"), finished, shrink=SHRINK)


def front(folder: Path) -> list[dict[str, str]]:
    with (folder / "front.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_circuit_has_a_shrunk_row(shrunk: Flow) -> None:
    methods = Result.load(shrunk.folder / "result.json").methods
    kinds = {method.name: method.kind for method in methods}
    assert kinds == {
        "dwn": "exact",
        "dwn-shrunk": "shrunk",
        "tree-3": "exact",
        "tree-3-shrunk": "shrunk",
        "gbdt": "software",
    }
    found = {method.name: method for method in methods}
    assert found["dwn-shrunk"].proof == "proved"
    assert (
        found["dwn-shrunk"].metrics["area__nand2_equivalent"] < found["dwn"].metrics["area__nand2_equivalent"]
    )


def test_every_shrunk_row_has_its_front(shrunk: Flow) -> None:
    found = {method.name: method for method in Result.load(shrunk.folder / "result.json").methods}
    folders = {"dwn-shrunk": shrunk.folder, "tree-3-shrunk": shrunk.folder / "baselines" / "tree-3"}
    for name, folder in folders.items():
        points = front(folder / "shrunk")
        assert points
        assert [p.total for p in found[name].front] == [float(p["total"]) for p in points]
    assert not found["tree-3"].front


def test_the_model_downstream_is_the_shrunk_graph(shrunk: Flow) -> None:
    folder = shrunk.folder / "shrunk"
    graph = BooleanGraph.load(folder / "graph.json")
    predictions = shrunk.read(PREDICTIONS.at("shrunk"))
    assert (graph.predict(shrunk.dataset.codes) == predictions).all()
    checks = {(check["what"], check["how"]) for check in json.loads((folder / "proof.json").read_text())}
    assert {("graph == netlist", "proof"), ("model == netlist", "rows")} <= checks
    rows = shrunk.dataset.split.test
    accuracy = float(np.mean(predictions[rows] == shrunk.dataset.table.labels[rows]))
    methods = {method.name: method for method in Result.load(shrunk.folder / "result.json").methods}
    assert methods["dwn-shrunk"].metrics["accuracy__test"] == pytest.approx(accuracy)


def test_the_front_is_kept_with_its_circuits(shrunk: Flow) -> None:
    folder = shrunk.folder / "shrunk"
    points = front(folder)
    assert [point["chosen"] for point in points].count("yes") == 1
    sure = [min(float(point[f"accuracy_{which}"]) for which in ("val", "expected")) for point in points]
    chosen = next(point for point in points if point["chosen"])
    assert sure[points.index(chosen)] >= max(sure) - 0.01 - 1e-6
    for point in points:
        graph = BooleanGraph.load(folder / point["circuit"])
        for part in ("train", "val", "test"):
            codes, labels = shrunk.dataset.part(part)
            assert float(np.mean(graph.predict(codes) == labels)) == pytest.approx(
                float(point[f"accuracy_{part}"]), abs=1e-4
            )
    total = float(chosen["core"]) + float(chosen["encoder"])
    assert float(chosen["total"]) == pytest.approx(total, abs=0.02)


def test_checkpoints_are_gone_after_success(shrunk: Flow) -> None:
    assert not list(shrunk.folder.rglob("checkpoints/*"))


def test_an_interrupted_shrink_goes_on_to_equal_bytes(finished: Flow, shrunk: Flow, tmp_path: Path) -> None:
    finished_flow(tmp_path, finished)
    flow = open_flow(write_flow(FILE, shrink=SHRINK), tmp_path / "build")

    class Impatient(Reporter):
        def progress(self, what: str, done: int, total: int, note: str = "") -> None:
            if what == "shrinking" and done > total // 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_flow(flow, Impatient())
    kept = list((flow.folder / ".work" / "shrunk" / "shrink" / "checkpoints").iterdir())
    assert kept
    assert not (flow.folder / "shrunk" / "front.csv").exists()
    assert run_flow(flow, Reporter())[0] == "shrunk/shrink"
    for name in ("front.csv", "graph.json", "netlist.v"):
        wanted = (shrunk.folder / "shrunk" / name).read_bytes()
        assert (flow.folder / "shrunk" / name).read_bytes() == wanted, name


def test_without_the_section_there_is_no_shrunk_circuit(finished: Flow) -> None:
    assert not (finished.folder / "shrunk").exists()
    assert "dwn-shrunk" not in [m.name for m in Result.load(finished.folder / "result.json").methods]


def test_an_unknown_key_names_the_allowed_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shrink\.price.*unknown key.*prices.*proposals"):
        open_flow(write_flow(tmp_path / "flows" / "bad.yaml", shrink={"price": 3}), tmp_path / "build")


def test_a_changed_price_runs_only_what_depends_on_it(shrunk: Flow, tmp_path: Path) -> None:
    flow = finished_flow(tmp_path, shrunk, shrink=SHRINK)
    changed = open_flow(write_flow(FILE, shrink={**SHRINK, "prices": [8.0]}), tmp_path / "build")
    assert changed.folder == flow.folder
    own = [f"shrunk/{name}" for name in ("shrink", "minimize", "implement", "verify", "datasheet")]
    tree = [f"baselines/tree-3/{title}" for title in own]
    ran = run_flow(changed, Reporter())
    assert ran[0] == "shrunk/shrink"
    assert ran[-1] == "report"
    assert set(ran) <= {*own, *tree, "report"}  # a front may end in the same choice


def test_an_edited_front_and_a_changed_choice_of_minimization_show_in_the_result(
    finished: Flow, tmp_path: Path
) -> None:
    shrink = {**SHRINK, "baselines": False}
    flow = finished_flow(tmp_path, finished, shrink=shrink)
    table = flow.folder / "shrunk" / "front.csv"
    text = table.read_text()
    table.write_text(text.replace(text.splitlines()[1].split(",")[3], "7.77"))
    assert run_flow(flow, Reporter()) == ["report"]
    assert "7.77" in (flow.folder / "result.json").read_text()
    changed = open_flow(write_flow(FILE, shrink={**shrink, "minimize_front": True}), tmp_path / "build")
    ran = run_flow(changed, Reporter())
    assert (ran[0], ran[-1]) == ("shrunk/shrink", "report")
    method = next(m for m in Result.load(flow.folder / "result.json").methods if m.name == "dwn-shrunk")
    assert [p.total for p in method.front] == [
        float(point["total"]) for point in front(flow.folder / "shrunk")
    ]


def test_two_judges_and_a_minimized_front(finished: Flow, shrunk: Flow, tmp_path: Path) -> None:
    shrink = {**SHRINK, "baselines": False, "judges": ["labels", "agreed"], "minimize_front": True}
    flow = finished_flow(tmp_path, finished, shrink=shrink)
    cost, points = flow.target.open().cost, front(flow.folder / "shrunk")
    assert points
    for point in points:
        graph = BooleanGraph.load(flow.folder / "shrunk" / point["circuit"])
        plain, *_ = mapped_areas([graph], cost)
        assert float(point["core"]) <= plain / cost.unit + 0.01
        codes, labels = flow.dataset.part("train")  # all of them, whatever the judge looked at
        accuracy = float(np.mean(graph.predict(codes) == labels))
        assert float(point["accuracy_train"]) == pytest.approx(accuracy, abs=1e-6)
    method = next(m for m in Result.load(flow.folder / "result.json").methods if m.name == "dwn-shrunk")
    assert [p.total for p in method.front] == [float(p["total"]) for p in points]
    assert (flow.folder / "shrunk" / "front.csv").read_text() != (
        shrunk.folder / "shrunk/front.csv"
    ).read_text()


def test_circuits_at_a_baselines_accuracy_go_to_netlists(finished: Flow, tmp_path: Path) -> None:
    baselines = [{"kind": "decision_tree", "leaves": [2, 3]}]
    shrink = {**SHRINK, "baselines": False, "minimize_front": True}
    flow = finished_flow(tmp_path, finished, shrink=shrink, baselines=baselines, match=["tree-2", "tree-3"])
    methods = {method.name: method for method in Result.load(flow.folder / "result.json").methods}
    front = methods["dwn-shrunk"].front
    for name in flow.config.match:
        wanted = methods[name].metrics["accuracy__val"]
        sure = [point for point in front if min(point.val, point.expected) >= wanted]
        equal = min(sure, key=lambda point: point.total)
        assert equal.netlist is not None
        folder = flow.folder / equal.netlist.folder
        checks = {(check["what"], check["how"]) for check in json.loads((folder / "proof.json").read_text())}
        assert {("graph == netlist", "proof"), ("model == netlist", "rows")} <= checks
        measured = json.loads((folder / "implementation.json").read_text())["metrics"]
        assert equal.netlist.metrics == measured
        assert measured["energy__inference"] >= 0.0
        assert equal.netlist.total == pytest.approx(equal.total, rel=0.05, abs=0.5)
    assert sum(point.netlist is not None for point in front) <= 2


def test_a_match_that_is_no_baseline_is_an_error(tmp_path: Path) -> None:
    path = write_flow(tmp_path / "flows" / "bad.yaml", shrink=SHRINK, match=["tree-9"])
    with pytest.raises(ConfigError, match=r"match.*'tree-9'.*tree-3"):
        open_flow(path, tmp_path / "build")
    path = write_flow(tmp_path / "flows" / "bad.yaml", match=["tree-3"])
    with pytest.raises(ConfigError, match="only with shrink"):
        open_flow(path, tmp_path / "build")


def test_registers_count_on_the_front(finished: Flow, tmp_path: Path) -> None:
    flow = finished_flow(
        tmp_path,
        finished,
        shrink={**SHRINK, "baselines": False, "minimize_front": True},
        hardware={"registers": "both"},
    )
    chosen = next(point for point in front(flow.folder / "shrunk") if point["chosen"])
    found = flow.read(IMPLEMENTATION.at("shrunk")).metrics
    assert found["area__registers__nand2_equivalent"] > 0.0
    assert float(chosen["total"]) == pytest.approx(found["area__nand2_equivalent"], rel=0.05)


def test_a_flow_that_no_longer_shrinks_has_no_shrunk_circuit(tmp_path: Path) -> None:
    flow = finished_flow(tmp_path, shrink={**SHRINK, "baselines": False})
    assert (flow.folder / "shrunk" / "netlist.v").exists()
    after = open_flow(write_flow(flow.file), flow.folder.parent)
    assert run_flow(after, Reporter()) == ["datasheet", "report"]  # which named the other sheet
    assert not (flow.folder / "shrunk").exists()


def test_a_flow_in_balanced_accuracy_names_it_everywhere(finished: Flow, tmp_path: Path) -> None:
    data = {"source": "sklearn:breast_cancer", "one_against_rest": "malignant"}
    objective = {"metric": "balanced_accuracy"}
    model = {"pyramid": [3, 3]}
    flow = finished_flow(
        tmp_path, shrink=SHRINK, data=data, model=model, objective=objective, match=["tree-3"]
    )
    assert flow.dataset.objective.metric == "balanced_accuracy"
    points = front(flow.folder / "shrunk")
    assert {"balanced_accuracy_val", "balanced_accuracy_expected", "accuracy_test"} < set(points[0])
    assert "accuracy_val" not in points[0]
    for point in points:
        graph = BooleanGraph.load(flow.folder / "shrunk" / point["circuit"])
        predictions = graph.predict(flow.dataset.codes)
        for part in ("train", "val", "test"):
            score = flow.dataset.score(part, predictions)
            assert float(point[f"balanced_accuracy_{part}"]) == pytest.approx(score, abs=1e-6)
        rows = flow.dataset.split.test
        accuracy = float(np.mean(predictions[rows] == flow.dataset.table.labels[rows]))
        assert float(point["accuracy_test"]) == pytest.approx(accuracy, abs=1e-6)
    sure = [min(float(p[f"balanced_accuracy_{which}"]) for which in ("val", "expected")) for p in points]
    chosen = sure[[bool(point["chosen"]) for point in points].index(True)]
    lacking = 1.0 - max(sure)
    standard_error = (lacking / len(flow.dataset.split.val)) ** 0.5
    assert chosen >= max(sure) - 0.05 * max(lacking, 10.0 * standard_error) - 1e-6
    result = Result.load(flow.folder / "result.json")
    assert result.metric == "balanced_accuracy"
    methods = {method.name: method for method in result.methods}
    for method in result.methods:
        assert {f"{score}__test" for score in ("accuracy", "balanced_accuracy", "macro_f1")} <= set(
            method.metrics
        )
        assert method.test == method.metrics["balanced_accuracy__test"]
    assert [p.val for p in methods["dwn-shrunk"].front] == [float(p["balanced_accuracy_val"]) for p in points]
    header = (flow.folder / "comparison.csv").read_text().splitlines()[0]
    assert "balanced accuracy val,balanced accuracy test,accuracy test," in header
    sheet = (flow.folder / "shrunk" / "datasheet.md").read_text()
    assert "The choices were made by balanced accuracy." in sheet
    equal = [p for p in methods["dwn-shrunk"].front if p.netlist is not None]
    reaching = [
        p for p in methods["dwn-shrunk"].front if min(p.val, p.expected) > methods["tree-3"].val - 1e-6
    ]
    if reaching:
        assert equal[0].total == min(p.total for p in reaching)


def test_a_wrong_objective_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    path = write_flow(tmp_path / "flows" / "bad.yaml", objective={"metric": "auc"})
    with pytest.raises(ConfigError, match=r"objective\.metric: is 'auc'"):
        open_flow(path, tmp_path / "build")
    costs = {"metric": "cost", "costs": [[0, 1], [1, 0]]}
    path = write_flow(tmp_path / "flows" / "bad.yaml", objective=costs)
    with pytest.raises(ConfigError, match=r"objective\.costs: has 2 rows for 3 classes .*setosa"):
        run_flow(open_flow(path, tmp_path / "build"), Reporter())
