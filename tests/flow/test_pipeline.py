"""The stages together: what is rebuilt, what is left after an error, what the result says."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dwn_asic import circuit, files
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.errors import ConfigError, DataError, ToolError, ToolTimeoutError, VerificationError
from dwn_asic.files import read_json
from dwn_asic.flow import (
    STAGES,
    Flow,
    Reporter,
    configure,
    is_current,
    open_flow,
    rivals,
    run_flow,
    run_stage,
)
from dwn_asic.report.result import Result
from flows import Lines, finished_flow, write_flow

STAGE = {stage.name: stage for stage in STAGES}
AFTER = {"baseline", "match", "report"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    return finished_flow(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def flow(finished: Flow, tmp_path: Path) -> Flow:
    """A copy of a finished flow that the test may spoil."""
    copy = tmp_path / "build" / "tiny"
    shutil.copytree(finished.folder, copy)
    shutil.copytree(finished.base, tmp_path / "flows", dirs_exist_ok=True)
    return configure(tmp_path / "flows" / "tiny.yaml", tmp_path / "build")


def test_every_output_exists_and_nothing_partial(finished: Flow) -> None:
    for stage in STAGES:
        for name in stage.outputs:
            assert (finished.folder / name).exists(), name
    assert not list(finished.folder.rglob("*partial*"))


def test_result_holds_every_method_with_areas_that_add_up(finished: Flow) -> None:
    result = Result.load(finished.folder / "result.json")
    assert [method.name for method in result.methods] == ["dwn", "tree-3", "gbdt"]
    for method in result.methods[:2]:
        found = method.metrics
        parts = found["area__core"] + found["area__encoder"] + found["area__registers"]
        assert found["design__instance__area"] == pytest.approx(parts)
        assert found["area__nand2_equivalent"] == pytest.approx(parts / 3.7536)
    assert "area__core" not in result.methods[2].metrics


def test_reported_accuracy_is_that_of_the_saved_model(finished: Flow) -> None:
    network = LutNetwork.load(finished.folder / "network.npz")
    codes, labels = finished.dataset.part("test")
    dwn = Result.load(finished.folder / "result.json").methods[0]
    assert dwn.metrics["accuracy__test"] == pytest.approx(float(np.mean(network.predict(codes) == labels)))


def test_verification_compares_every_row_and_proves(finished: Flow) -> None:
    checks = json.loads((finished.folder / "verify.json").read_text())
    rows = {check["what"] for check in checks if check["how"] == "rows" and check["size"] == 150}
    proofs = {check["what"] for check in checks if check["how"] == "proof"}
    assert rows >= {"model == graph", "model == Verilog", "model == netlist"}
    assert proofs == {"graph == minimized", "graph == Verilog", "graph == netlist"}


@pytest.mark.tool("iverilog", "vvp")
def test_design_and_netlist_are_simulated_on_test_rows(finished: Flow) -> None:
    checks = json.loads((finished.folder / "verify.json").read_text())
    simulated = {check["what"]: check["size"] for check in checks if check["how"] == "simulation"}
    n_rows = len(finished.dataset.split.test)
    assert simulated == {
        "testbench passes on Verilog": n_rows,
        "testbench passes on netlist": n_rows,
    }


def test_large_circuits_are_simulated_on_fewer_rows(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (flow.folder / "testbench.v").read_text()
    assert f"tb: {len(flow.dataset.split.test)} vectors" in text
    monkeypatch.setattr(circuit, "_EVENTS", 1)
    circuit.write_design(flow.folder, flow.name, flow.dataset, flow.config.hardware)
    assert "tb: 10 vectors" in (flow.folder / "testbench.v").read_text()


@pytest.mark.tool("iverilog", "vvp")
def test_a_simulation_that_takes_too_long_leaves_the_proof(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object, **__: object) -> int:
        raise ToolTimeoutError("vvp", "timed out after 60 s")

    monkeypatch.setattr(circuit, "run_testbench", late)
    reporter = Lines()
    run_stage(flow, STAGE["verify"], reporter)
    checks = json.loads((flow.folder / "verify.json").read_text())
    assert {check["how"] for check in checks} == {"rows", "proof"}
    assert "verify: event-driven simulation skipped, it takes too long" in reporter.lines


def test_a_second_run_does_nothing(flow: Flow) -> None:
    assert run_flow(flow, Reporter()) == []


@pytest.mark.parametrize(
    ("change", "rerun"),
    [
        ({"hardware": {"registers": "both"}}, {"verilog", "shrink", "synth", "verify", *AFTER}),
        ({"baselines": [{"kind": "gbdt"}]}, AFTER),
        ({"synthesis": {"timeout_s": 200.0}}, {"shrink", "synth", "verify", *AFTER}),
    ],
)
def test_a_changed_flow_runs_only_what_depends_on_it(
    flow: Flow, change: dict[str, object], rerun: set[str]
) -> None:
    changed = configure(write_flow(flow.base / "tiny.yaml", **change), flow.folder.parent)
    stale = {stage.name for stage in STAGES if not is_current(changed, stage)}
    assert stale <= rerun
    assert set(run_flow(changed, Reporter())) <= rerun
    assert run_flow(changed, Reporter()) == []


def test_only_the_changed_rival_is_fitted_again(flow: Flow) -> None:
    baselines = [{"kind": "decision_tree", "leaves": [3, 4]}]
    changed = configure(write_flow(flow.base / "tiny.yaml", baselines=baselines), flow.folder.parent)
    reporter = Lines()
    run_stage(changed, STAGE["baseline"], reporter)
    assert "baseline tree-3: up to date" in reporter.lines
    assert not (flow.folder / "baselines" / "gbdt").exists()
    rivals = [read_json(flow.folder / "baselines" / f"tree-{leaves}" / "method.json")[0] for leaves in (3, 4)]
    spent = read_json(flow.folder / ".manifest" / "baseline.json")["seconds"]
    assert spent >= sum(rival["seconds"] for rival in rivals)  # what was kept has its time in it


def test_equal_flows_give_equal_bytes(finished: Flow, tmp_path: Path) -> None:
    again = finished_flow(tmp_path)
    for name in (
        "network.npz",
        "graph.json",
        "core.json",
        "design.v",
        "netlist.v",
        "comparison.md",
        "comparison.csv",
    ):
        assert (again.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_a_failed_stage_leaves_the_old_files_and_no_partial_ones(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (flow.folder / "netlist.v").read_bytes()

    def full_disk(path: Path, content: object) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(circuit, "write_json", full_disk)
    with pytest.raises(OSError, match="No space left"):
        run_stage(flow, STAGE["synth"], Reporter())
    assert (flow.folder / "netlist.v").read_bytes() == before
    assert not list(flow.folder.glob(".partial-*"))
    monkeypatch.undo()
    assert not is_current(flow, STAGE["synth"])
    assert run_flow(flow, Reporter())[0] == "synth"


def test_what_a_killed_run_left_behind_is_removed(flow: Flow) -> None:
    left = flow.folder / ".partial-verilog"
    left.mkdir()
    (left / "design.v").write_text("half a module")
    run_stage(flow, STAGE["verilog"], Reporter())
    assert not left.exists()
    assert "half a module" not in (flow.folder / "design.v").read_text()


def test_staged_files_move_only_after_success(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    def interrupted() -> None:
        with files.staged(tmp_path, "x") as scratch:
            (scratch / "a").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_flipped_table_bit_is_caught(flow: Flow) -> None:
    graph = json.loads((flow.folder / "core.json").read_text())
    lut = next(node for node in graph["nodes"] if node[0] == "lut" and len(node[1]) > 1)
    lut[2] = hex(int(lut[2], 16) ^ 1)
    (flow.folder / "core.json").write_text(json.dumps(graph))
    with pytest.raises(VerificationError, match=r"x[0-9]_.*expected"):
        run_stage(flow, STAGE["verify"], Reporter())
    assert not (flow.folder / "verify.json").exists()


def test_missing_input_names_the_stage_that_makes_it(flow: Flow) -> None:
    (flow.folder / "design.v").unlink()
    with pytest.raises(DataError, match="is missing; 'dwn-asic verilog"):
        run_stage(flow, STAGE["synth"], Reporter())


@pytest.mark.parametrize("name", ["dataset.npz", "graph.json", "predictions.npy"])
def test_truncated_intermediate_is_one_clear_line(flow: Flow, name: str) -> None:
    path = flow.folder / name
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=name) as caught:
        run_stage(flow, STAGE["verify"], Reporter())
    assert "\n" not in str(caught.value)


def test_more_classes_than_outputs(tmp_path: Path) -> None:
    file = write_flow(tmp_path / "flows" / "few.yaml", model={"layers": [{"luts": 1, "inputs": 3}]})
    flow = configure(file, tmp_path / "build")
    run_stage(flow, STAGE["data"], Reporter())
    with pytest.raises(ConfigError, match=r"model\.layers"):
        run_stage(flow, STAGE["train"], Reporter())


def test_a_folder_that_is_no_flow(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no flow"):
        open_flow(tmp_path)


def test_tool_that_fails_is_named(flow: Flow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "yosys"
    broken.write_text("#!/bin/sh\necho 'ERROR: out of ideas'\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("DWN_ASIC_YOSYS", str(broken))
    with pytest.raises(ToolError, match="exit code 1; last output: ERROR: out of ideas"):
        run_stage(flow, STAGE["synth"], Reporter())


def test_mapped_area_is_the_same_with_a_real_pdk(
    flow: Flow, shared_pdk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = (flow.folder / "netlist.v").read_bytes(), json.loads((flow.folder / "synth.json").read_text())
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    real = open_flow(flow.folder)
    assert real.pdk.liberty
    run_stage(real, STAGE["synth"], Reporter())
    assert (flow.folder / "netlist.v").read_bytes() == embedded[0]
    assert json.loads((flow.folder / "synth.json").read_text())["modules"] == embedded[1]["modules"]


def test_graph_of_a_rival_is_kept_beside_its_netlist(finished: Flow) -> None:
    folder = finished.folder / "baselines" / "tree-3"
    graph = BooleanGraph.load(folder / "graph.json")
    predictions = circuit.load_predictions(folder)
    assert (graph.predict(finished.dataset.codes) == predictions).all()
    assert (folder / "netlist.v").exists()
    assert (folder / "verify.json").exists()


def test_a_rival_too_large_for_the_limits_keeps_its_accuracy(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Result.load(flow.folder / "result.json")
    shutil.rmtree(flow.folder / "baselines" / "tree-3")
    problem = ToolTimeoutError("abc", "timed out after 60 s")

    def out_of_time(*_arguments: object) -> dict[str, float]:
        raise problem

    monkeypatch.setattr(rivals, "to_netlist", out_of_time)
    lines = Lines()
    for name in ("baseline", "report"):
        run_stage(flow, STAGE[name], lines)
    assert "baseline tree-3: no circuit, only its accuracy: abc: timed out after 60 s" in lines.lines
    tree, before = (
        next(m for m in result.methods if m.name == "tree-3")
        for result in (Result.load(flow.folder / "result.json"), whole)
    )
    assert tree.kind == "software"
    assert tree.label == f"{before.label} (no circuit in time)"
    assert tree.metrics == {k: v for k, v in before.metrics.items() if k.startswith("accuracy__")}


def test_the_seed_of_the_command_wins_and_shows_in_the_result(flow: Flow) -> None:
    other = configure(flow.file, flow.folder.parent / "seed-4", 4)
    assert other.config.seed == 4
    assert other.folder != flow.folder
    run_flow(other, Reporter())
    result = Result.load(other.folder / "result.json")
    assert result.seed == 4
    assert result.flow_file == flow.file.as_posix()
    assert result.config["seed"] == 4
    with pytest.raises(ConfigError, match="is a build folder, whose seed is fixed"):
        open_flow(other.folder, seed=5)
