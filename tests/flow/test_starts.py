"""The starts of the annealing: which circuits ``shrink.starts`` names, and what the front says of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.errors import ConfigError
from dwn_asic.flow import Flow, open_flow
from dwn_asic.flow.finished import load
from dwn_asic.flow.starts import start_folders
from dwn_asic.methods.decision_tree import DecisionTreeConfig
from dwn_asic.methods.forest import ForestConfig
from dwn_asic.methods.gbdt import GbdtConfig
from dwn_asic.methods.registry import plan
from dwn_asic.report.result import Result
from flows import FILE, TINY, finished_flow, write_flow

BASELINES = plan([DecisionTreeConfig(leaves=(3, 8)), ForestConfig(trees=(3,)), GbdtConfig()])
SHRINK = {"prices": [4.0, 32.0], "temperatures": [0.5], "proposals": 5_000}
STARTS = ["decision_tree", "untrained", "dwn"]


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["dwn"], ["dwn"]),
        (["tree-8"], ["tree-8"]),
        (["tree-*", "dwn"], ["dwn", "tree-3", "tree-8"]),
        (["decision_tree", "untrained"], ["tree-3", "tree-8", "untrained"]),
        (["forest", "forest-*", "tree-3"], ["forest-3x8", "tree-3"]),
        (["*"], ["tree-3", "tree-8", "forest-3x8"]),
        (["gbdt"], []),
        (["tree"], []),
    ],
)
def test_names_kinds_and_wildcards(patterns: list[str], names: list[str]) -> None:
    found = start_folders(patterns, BASELINES)
    assert [*found] == names
    own = {"dwn": "", "untrained": "starts/untrained"}
    assert found == {name: own.get(name, f"baselines/{name}") for name in names}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"shrink": {"starts": ["tree-4"]}}, "shrink.starts: no circuit of the flow is named 'tree-4'"),
        ({"shrink": {"starts": ["gbdt"]}}, r"'gbdt'.*\(allowed: dwn, untrained, tree-3\)"),
        ({"shrink": {"starts": []}}, "shrink.starts"),
    ],
)
def test_an_unknown_start_names_the_known_ones(
    tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        open_flow(write_flow(tmp_path / FILE, **change), tmp_path / "build")


def test_an_imported_network_has_no_architecture_to_draw(tmp_path: Path) -> None:
    content = {
        "data": TINY["data"],
        "model": {"file": "network.npz"},
        "shrink": {"starts": ["untrained"]},
    }
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=r"shrink\.starts: 'untrained' needs an architecture"):
        open_flow(file, tmp_path / "build")


@pytest.fixture(scope="module")
def several(finished: Flow, tmp_path_factory: pytest.TempPathFactory) -> Flow:
    shrink = {**SHRINK, "baselines": True, "starts": STARTS}
    return finished_flow(tmp_path_factory.mktemp("several"), finished, shrink=shrink)


def rows(flow: Flow) -> list[dict[str, str]]:
    with (flow.folder / "shrunk" / "front.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_circuit_of_the_front_says_where_it_comes_from(several: Flow) -> None:
    found = [row["start"] for row in rows(several)]
    assert set(found) <= {"dwn", "untrained", "tree-3", ""}
    assert set(found) - {""}
    result = Result.load(several.folder / "result.json")
    shrunk = next(method for method in result.methods if method.name == "dwn-shrunk")
    assert [point.start for point in shrunk.front] == found
    front = load(several.folder).front
    assert front is not None
    assert [circuit.start for circuit in front.circuits] == found


def test_the_step_of_the_network_reads_all_starts(several: Flow) -> None:
    order = [step.title for step in several.engine.steps]
    shrink = next(step for step in several.engine.steps if step.title == "shrunk/shrink")
    read = {shrink.place(artifact) for artifact in shrink.inputs}
    assert read == {
        "dataset.npz",
        "graph.json",
        "network.npz",
        "baselines/tree-3/graph.json",
        "starts/untrained/graph.json",
    }
    for title in ("baselines/tree-3/fit", "starts/untrained/fit"):
        assert order.count(title) == 1
        assert order.index(title) < order.index("shrunk/shrink")
    assert several.engine.is_current(shrink)
    own = next(step for step in several.engine.steps if step.title == "baselines/tree-3/shrunk/shrink")
    assert [own.place(artifact) for artifact in own.inputs] == ["dataset.npz", "baselines/tree-3/graph.json"]


def test_the_untrained_network_has_the_architecture_of_the_flow(several: Flow) -> None:
    trained = BooleanGraph.load(several.folder / "graph.json")
    untrained = BooleanGraph.load(several.folder / "starts" / "untrained" / "graph.json")
    assert untrained.interface == trained.interface
    assert len(untrained.luts) == len(trained.luts)
    assert [*untrained.nodes()] != [*trained.nodes()]


def test_the_network_alone_is_the_default(finished: Flow, tmp_path: Path) -> None:
    default = finished_flow(tmp_path / "default", finished, shrink=SHRINK)
    named = finished_flow(tmp_path / "named", finished, shrink={**SHRINK, "starts": ["dwn"]})
    texts = [(flow.folder / "shrunk" / "front.csv").read_text() for flow in (default, named)]
    assert texts[0] == texts[1]
    assert "start" not in texts[0].splitlines()[0].split(",")


def test_a_baseline_alone_may_be_the_start(finished: Flow, tmp_path: Path) -> None:
    flow = finished_flow(tmp_path, finished, shrink={**SHRINK, "starts": ["tree-3"]})
    assert {row["start"] for row in rows(flow)} <= {"tree-3", ""}
    shrink = next(step for step in flow.engine.steps if step.title == "shrunk/shrink")
    assert "graph.json" not in {shrink.place(artifact) for artifact in shrink.inputs}


def test_new_baselines_are_shrunk_and_may_be_starts(finished: Flow, tmp_path: Path) -> None:
    pytest.importorskip("pycontree")
    baselines = [
        {"kind": "optimal_tree", "depth": 2},
        {"kind": "rule_list", "rules": 2},
        {"kind": "boosted_stumps", "trees": 2, "depth": 1},
    ]
    shrink = {**SHRINK, "proposals": 2_000, "baselines": True, "starts": ["optimal_tree", "rule_list"]}
    flow = finished_flow(tmp_path, finished, baselines=baselines, shrink=shrink)
    found = {method.name: method for method in Result.load(flow.folder / "result.json").methods}
    for name in ("optimal-2", "rules-2", "boosted-2x1"):
        shrunk = found[f"{name}-shrunk"]
        assert found[name].proof == shrunk.proof == "proved"
        assert shrunk.front
