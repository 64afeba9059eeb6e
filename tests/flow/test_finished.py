"""A finished run as values: equal to what its steps made, and errors that name what is missing."""

from __future__ import annotations

import json
import shutil
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

import dwn_asic
from dwn_asic import api
from dwn_asic.errors import DataError
from dwn_asic.flow import Flow
from dwn_asic.flow.artifacts import FRONT
from dwn_asic.flow.finished import load
from flows import finished_flow


@pytest.fixture(scope="module")
def flow(finished: Flow, tmp_path_factory: pytest.TempPathFactory) -> Flow:
    shrink = {"proposals": 500, "prices": [8.0], "temperatures": [1.0], "baselines": True}
    return finished_flow(tmp_path_factory.mktemp("run"), finished, shrink=shrink)


@pytest.fixture
def copied(flow: Flow, tmp_path: Path) -> Path:
    return Path(shutil.copytree(flow.folder, tmp_path / "build" / "tiny"))


def test_everything_of_a_run_is_there(flow: Flow) -> None:
    run = dwn_asic.load(flow.folder)
    assert run.name == "tiny"
    assert run.dataset.table.n_classes == 3
    assert (run.network.predict(run.dataset.codes) == run.predictions).all()
    assert (run.graph.predict(run.dataset.codes) == run.predictions).all()
    assert (run.circuit.graph.predict(run.dataset.codes) == run.predictions).all()
    assert run.classifier.network is not None
    assert run.result.flow == "tiny"
    (own, *_) = run.result.methods
    assert own.metrics.items() >= run.implementation.metrics.items()
    assert run.implementation.log
    assert run.to_verilog() == run.implementation.files["design.v"]
    assert len(run.proof.checks) >= 7


def test_front_and_shrunk_circuit(flow: Flow) -> None:
    run = load(str(flow.folder))
    assert run.front is not None
    assert run.shrunk is not None
    rows = flow.read(FRONT.at("shrunk"))
    wanted = [(*astuple(row)[1:9], row.levels, row.start) for row in rows]
    assert [astuple(c)[1:] for c in run.front.circuits] == wanted
    chosen = run.front.chosen.graph
    assert (run.shrunk.graph.predict(run.dataset.codes) == run.shrunk.predictions).all()
    assert (chosen.predict(run.dataset.codes) == run.shrunk.predictions).all()
    built = run.shrunk.implementation.metrics["area__nand2_equivalent"]
    assert built <= run.front.chosen.total + 0.01  # the file has two decimals
    assert run.shrunk.proof.checks


def test_baselines_by_name(flow: Flow) -> None:
    run = load(flow.folder)
    assert list(run.baselines) == ["tree-3", "gbdt"]
    tree, software = run.baselines.values()
    assert tree.classifier.label == "decision tree, 3 leaves"
    assert tree.front is not None
    assert tree.shrunk is not None
    assert tree.implementation.metrics["area__nand2_equivalent"] > 0
    assert software.classifier.graph is None
    assert software.front is None
    assert np.mean(software.predictions == run.dataset.table.labels) > 0.9
    with pytest.raises(DataError, match=r"baselines/gbdt/graph.json: is missing"):
        _ = software.graph


def test_the_steps_go_on_from_a_run(flow: Flow) -> None:
    run = load(flow.folder)
    circuit = api.minimize(run.baselines["tree-3"].classifier, effort="low")
    assert api.to_verilog(circuit, "tiny") == run.baselines["tree-3"].to_verilog()


def test_a_run_without_shrink_has_no_front(finished: Flow, tmp_path: Path) -> None:
    run = load(finished_flow(tmp_path, finished, baselines=[]).folder)
    assert run.front is None
    assert run.shrunk is None
    assert run.baselines == {}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("dataset.npz", "dataset"),
        ("network.npz", "network"),
        ("graph.json", "graph"),
        ("predictions.npy", "predictions"),
        ("core.json", "circuit"),
        ("netlist.v", "implementation"),
        ("implement.log", "implementation"),
        ("proof.json", "proof"),
        ("result.json", "result"),
        ("fitted.json", "classifier"),
        ("shrunk/front", "front"),
    ],
)
def test_what_is_missing_is_named(copied: Path, file: str, name: str) -> None:
    path = copied / file
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DataError, match=f"{file}: is missing"):
        getattr(load(copied), name)


def test_a_front_without_one_of_its_circuits_is_damaged(copied: Path) -> None:
    max((copied / "shrunk" / "front").iterdir()).unlink()  # the last
    with pytest.raises(DataError, match=r"front\.csv: is damaged: .* circuits, 1 of them chosen"):
        _ = load(copied).front


def test_the_verilog_of_a_run_that_ended_before(copied: Path) -> None:
    (copied / "design.v").unlink()
    with pytest.raises(DataError, match=r"design\.v: is missing"):
        load(copied).to_verilog()


def test_a_folder_that_is_no_run(tmp_path: Path, copied: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DataError, match=r"is not a run: there is no flow\.json"):
            load(folder)
    with pytest.raises(DataError, match="is a flow file"):
        load("flows/phoneme.yaml")
    record = copied / "flow.json"
    content = json.loads(record.read_text())
    for damaged in ("{", "{}", "[]", json.dumps({**content, "flow": {**content["flow"], "seed": "x"}})):
        record.write_text(damaged)
        with pytest.raises(DataError, match=r"flow\.json"):
            load(copied)
