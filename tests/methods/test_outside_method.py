"""A method from outside the package: one module, found by its entry point, and no other file touched."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_datasets import blobs
from report_examples import circuit, result, software
from test_registry import distribution

from dwn_asic.errors import ConfigError, DataError
from dwn_asic.flow.config import FlowConfig
from dwn_asic.methods import registry
from dwn_asic.methods.registry import methods, plan
from dwn_asic.report.choice import candidates, families
from dwn_asic.report.figure import accuracy_area_svg
from dwn_asic.report.result import FrontPoint, MethodResult, Result
from dwn_asic.report.table import comparison_markdown, sorted_methods
from dwn_asic.study.front_tables import equal_area_table
from dwn_asic.study.ranks import rank_table
from dwn_asic.study.runs import Run, Study
from dwn_asic.yaml_file import validate

MODULE = '''
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress


class StumpConfig(MethodConfig):
    """One comparison, against each of ``codes``."""

    kind: Literal["stump"] = "stump"
    codes: tuple[int, ...] = (1,)


@dataclass(frozen=True)
class Stump:
    code: int

    def __call__(self, dataset, seed, progress):
        from dwn_asic.boolean.graph import Constant, GraphBuilder, Threshold

        progress(f"code {self.code}")
        builder = GraphBuilder(dataset.interface)
        more = [builder.add(Constant(value=False)) for _ in range(builder.interface.class_bits - 1)]
        graph = builder.finish([builder.add(Threshold(0, self.code)), *more])
        return Fitted(graph, (dataset.codes[:, 0] >= self.code).astype("int64"), {"code": self.code})


def plans(config: StumpConfig) -> Iterator[Plan]:
    for code in config.codes:
        yield Plan(f"stump-{code}", f"stump at {code}", config.kind, Stump(code))


LOOK = Look("stump", "#123456", "*")
METHOD = Method("stump", StumpConfig, plans, LOOK, "Nobody, 2026", rank=15, sizes=True)
'''
FLOW = {
    "name": "tiny",
    "data": {"source": "sklearn:iris"},
    "model": {"layers": [{"luts": 2, "inputs": 3}]},
    "baselines": [{"kind": "gbdt"}, {"kind": "stump", "codes": (2, 30)}],
}


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the module for this test."""
    distribution(tmp_path / "site", "outside:METHOD", MODULE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "outside", raising=False)
    registry._discovered.cache_clear()
    yield
    registry._discovered.cache_clear()


FRONT = FrontPoint(core=5.0, total=10.0, train=0.9, val=0.85, expected=0.85, test=0.84, accuracy=0.84)


def rows() -> tuple[MethodResult, ...]:
    return (
        software(),
        circuit("stump-2", "stump", 0.7, 1.0, 2.0, label="stump at 2"),
        circuit("stump-30", "stump", 0.6, 1.0, 1.5, label="stump at 30"),
        circuit("tree-8", "decision_tree", 0.8, 10.0, 20.0),
        circuit("forest-3x8", "forest", 0.8, 10.0, 20.0),
        circuit("dwn-shrunk", "dwn", 0.84, 5.0, 5.0, kind="shrunk").model_copy(update={"front": (FRONT,)}),
    )


@pytest.mark.usefixtures("outside")
def test_a_flow_takes_its_configuration_and_it_fits() -> None:
    flow = validate(FlowConfig, FLOW, Path("tiny.yaml"))
    assert flow.model_dump(mode="json")["baselines"][1] == {"kind": "stump", "codes": [2, 30]}
    assert validate(FlowConfig, flow.model_dump(), Path("again.yaml")) == flow
    plans = plan(flow.baselines)
    assert [each.name for each in plans] == ["gbdt", "stump-2", "stump-30"]
    assert repr(plans[1].fitter) == "Stump(code=2)"
    dataset, lines = blobs(2), list[str]()
    found = plans[2].fit(dataset, 0, lines.append)
    assert lines == ["code 30"]
    assert (found.name, found.label, found.kind, found.details) == (
        "stump-30",
        "stump at 30",
        "stump",
        {"code": 30},
    )
    assert found.graph is not None
    assert np.array_equal(found.graph.predict(dataset.codes), found.predictions)
    hits = found.predictions[dataset.split.test] == dataset.table.labels[dataset.split.test]
    assert found.accuracy(dataset)["test"] == hits.mean()


@pytest.mark.usefixtures("outside")
def test_its_mistakes_are_errors_like_any_other() -> None:
    wrong = {**FLOW, "baselines": [{"kind": "stump", "code": 3}]}
    with pytest.raises(
        ConfigError, match=r"tiny.yaml: baselines\.0\.code: unknown key \(allowed: kind, codes\)"
    ):
        validate(FlowConfig, wrong, Path("tiny.yaml"))
    with pytest.raises(
        ConfigError,
        match=r"baselines\.0: unknown or missing 'kind' .*'rule_list', 'stump', 'tiny_",
    ):
        validate(FlowConfig, {**FLOW, "baselines": [{"kind": "svm"}]}, Path("tiny.yaml"))


@pytest.mark.usefixtures("outside")
def test_result_table_and_figure_know_it(tmp_path: Path) -> None:
    shown = result(methods=rows())
    shown.save(tmp_path / "result.json")
    assert Result.load(tmp_path / "result.json") == shown
    names = [each.name for each in sorted_methods(shown)]
    assert names == ["dwn-shrunk", "tree-8", "stump-30", "stump-2", "forest-3x8", "gbdt"]
    assert "stump at 30" in comparison_markdown(shown)
    assert "#123456" in accuracy_area_svg(shown).decode()


@pytest.mark.usefixtures("outside")
def test_tables_of_studies_choose_among_its_sizes(tmp_path: Path) -> None:
    known = list(families())
    assert known[:2] == ["ours", "decision_tree"]
    assert known[known.index("stump") + 1] == "tiny_classifier"
    runs = [
        Run(result(flow, methods=rows()), str(tmp_path / flow), lambda _: None) for flow in ("alpha", "beta")
    ]
    study = Study("both", {run.result.flow: [run] for run in runs})
    assert [each.name for each in candidates(study.runs[0].result, "stump")] == ["stump-30", "stump-2"]
    assert "test (%): stump" in equal_area_table(study).columns
    assert "stump, best up to 300 NAND2" in [row[0].shown for row in rank_table(study).rows]


def test_without_it_flow_and_result_say_so(tmp_path: Path) -> None:
    assert "stump" not in methods()
    with pytest.raises(ConfigError, match=r"baselines\.1: unknown or missing 'kind'"):
        validate(FlowConfig, FLOW, Path("tiny.yaml"))
    result(methods=()).save(tmp_path / "result.json")
    text = (tmp_path / "result.json").read_text()
    row = circuit("stump-2", "linear", 0.7, 1.0, 2.0).model_dump_json().replace('"linear"', '"stump"')
    (tmp_path / "result.json").write_text(text.replace('"methods": []', f'"methods": [{row}]'))
    with pytest.raises(
        DataError, match=r"not a result file: methods\.0\.method: Input should be 'dwn', .* or 'mlp'"
    ):
        Result.load(tmp_path / "result.json")
