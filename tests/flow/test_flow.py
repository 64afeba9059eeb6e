"""A flow's steps together: what is run again, what is left after an error, what the result says."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.errors import ConfigError, DataError, PdkError, ToolError, ToolTimeoutError, VerificationError
from dwn_asic.flow import Flow, Reporter, artifacts, open_flow, run_flow
from dwn_asic.flow.artifacts import GRAPH, PREDICTIONS, RESULT
from dwn_asic.report.result import MethodResult
from dwn_asic.targets.asic import yosys
from dwn_asic.verilog import testbench
from flows import Lines, finished_flow, write_flow

ROOT = Path(__file__).resolve().parents[2]
OURS = ["data", "train", "minimize", "implement", "verify", "datasheet"]
TREE = [f"baselines/tree-3/{name}" for name in ("fit", "minimize", "implement", "verify")]
ALL = [*OURS, *TREE, "baselines/gbdt/fit", "report"]
FORMS = (
    "network.npz",
    "graph.json",
    "core.json",
    "design.v",
    "netlist.v",
    "comparison.md",
    "comparison.csv",
    "datasheet.md",
    "datasheet.html",
)


@pytest.fixture
def flow(finished: Flow, tmp_path: Path) -> Flow:
    """Copy a finished flow, so that the test may change it."""
    return finished_flow(tmp_path, finished)


def changed(flow: Flow, **changes: object) -> Flow:
    """Return the same flow after an edit of its file."""
    return open_flow(write_flow(flow.file, **changes), flow.folder.parent)


def methods(flow: Flow) -> dict[str, MethodResult]:
    return {method.name: method for method in flow.read(RESULT).methods}


def test_every_output_exists_and_nothing_partial(finished: Flow) -> None:
    for step in finished.engine.steps:
        for output in step.outputs:
            assert (finished.folder / step.place(output)).exists(), output.name
    assert not list(finished.folder.rglob("*partial*"))
    assert not [path for path in finished.folder.rglob(".work/**/*") if path.is_file()]


def test_result_holds_every_method_with_areas_that_add_up(finished: Flow) -> None:
    found = methods(finished)
    assert list(found) == ["dwn", "tree-3", "gbdt"]
    for name in ("dwn", "tree-3"):
        metrics = found[name].metrics
        parts = metrics["area__core"] + metrics["area__encoder"] + metrics["area__registers"]
        assert metrics["design__instance__area"] == pytest.approx(parts)
        assert metrics["area__nand2_equivalent"] == pytest.approx(parts / 3.7536)
    assert "area__core" not in found["gbdt"].metrics


def test_reported_accuracy_is_that_of_the_saved_model(finished: Flow) -> None:
    network = LutNetwork.load(finished.folder / "network.npz")
    codes, labels = finished.dataset.part("test")
    expected = float(np.mean(network.predict(codes) == labels))
    assert methods(finished)["dwn"].metrics["accuracy__test"] == pytest.approx(expected)


def test_verification_compares_every_row_and_proves(finished: Flow) -> None:
    checks = json.loads((finished.folder / "proof.json").read_text())
    rows = {check["what"] for check in checks if check["how"] == "rows" and check["size"] == 150}
    proofs = {check["what"] for check in checks if check["how"] == "proof"}
    assert rows >= {"model == graph", "model == Verilog", "model == netlist"}
    assert proofs == {
        "graph == minimized",
        "graph == Verilog",
        "graph == Verilog read by Yosys",
        "Verilog == netlist in Yosys",
        "graph == netlist",
    }
    assert {check["verdict"] for check in checks if check["how"] != "simulation"} == {"equal"}


def test_a_network_is_compared_with_its_graph_on_further_codes(finished: Flow) -> None:
    checks = json.loads((finished.folder / "proof.json").read_text())
    hows = {check["how"] for check in checks if check["stage"] == "model -> graph"}
    assert hows == {"rows", "random", "exhaustive"}
    tree = json.loads((finished.folder / "baselines" / "tree-3" / "proof.json").read_text())
    assert {check["how"] for check in tree if check["stage"] == "model -> graph"} == {"rows"}


@pytest.mark.tool("iverilog", "vvp")
def test_design_and_netlist_are_simulated_on_test_rows(finished: Flow) -> None:
    checks = json.loads((finished.folder / "proof.json").read_text())
    simulated = {check["what"]: check["size"] for check in checks if check["how"] == "simulation"}
    n_rows = len(finished.dataset.split.test)
    assert simulated == {
        "testbench passes on Verilog": n_rows,
        "testbench passes on netlist": n_rows,
    }


def test_large_circuits_are_simulated_on_fewer_rows(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (flow.folder / "testbench.v").read_text()
    assert f"tb: {len(flow.dataset.split.test)} vectors" in text
    monkeypatch.setattr(testbench, "_EVENTS", 1)
    run_flow(flow, Reporter(), targets=["testbench.v"], force=True)
    assert "tb: 10 vectors" in (flow.folder / "testbench.v").read_text()


@pytest.mark.tool("iverilog", "vvp")
def test_a_simulation_that_takes_too_long_leaves_the_proof(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object, **__: object) -> int:
        raise ToolTimeoutError("vvp", "timed out after 60 s")

    monkeypatch.setattr("dwn_asic.targets.asic.cross_checks.run_testbench", late)
    reporter = Lines()
    run_flow(flow, reporter, targets=["proof.json"], force=True)
    checks = json.loads((flow.folder / "proof.json").read_text())
    simulations = [check["verdict"] for check in checks if check["how"] == "simulation"]
    assert simulations == ["not finished in 300 s"] * 2
    assert "verify: testbench passes on netlist: not finished in 300 s" in reporter.lines


def test_a_second_run_does_nothing(flow: Flow) -> None:
    assert run_flow(flow, Reporter()) == []


@pytest.mark.parametrize(
    ("change", "rerun"),
    [
        ({"hardware": {"registers": "both"}}, [*OURS[3:], *TREE[2:], "report"]),
        ({"synthesis": {"timeout_s": 200.0}}, [*OURS[3:], *TREE[2:], "report"]),
        ({"minimize": {"effort": "low", "budget_s": 50.0}}, ["minimize", "datasheet", TREE[1], "report"]),
        ({"baselines": [{"kind": "gbdt"}]}, ["report"]),
        ({"training": {"epochs": 2, "threads": 2}}, ["train", "report"]),
        ({"encoder": {"input_bits": 4, "bits": 2}}, [*OURS[1:], "report"]),
        ({"seed": 1}, [title for title in ALL if title != TREE[1]]),  # the tree is the same
    ],
)
def test_a_changed_flow_runs_exactly_what_depends_on_it(
    flow: Flow, change: dict[str, object], rerun: list[str]
) -> None:
    after = changed(flow, **change)
    assert run_flow(after, Reporter()) == rerun
    assert run_flow(after, Reporter()) == []
    assert after.read(RESULT).config == json.loads(json.dumps(after.config.model_dump(mode="json")))


def test_force_runs_everything_baselines_too(flow: Flow) -> None:
    assert run_flow(flow, Reporter(), force=True) == ALL


def test_only_the_changed_baseline_is_fitted_again(flow: Flow) -> None:
    after = changed(flow, baselines=[{"kind": "decision_tree", "leaves": [3, 4]}])
    ran = run_flow(after, Reporter())
    assert ran == [title.replace("tree-3", "tree-4") for title in TREE] + ["report"]
    assert not (flow.folder / "baselines" / "gbdt").exists()
    assert run_flow(changed(flow), Reporter()) == ["baselines/gbdt/fit", "report"]


def test_equal_flows_give_equal_bytes(finished: Flow, tmp_path: Path) -> None:
    again = finished_flow(tmp_path)
    for name in FORMS:
        assert (again.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_a_failed_step_leaves_the_old_files_and_no_partial_ones(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (flow.folder / "netlist.v").read_bytes()

    def full_disk(path: Path, _content: object) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    after = changed(flow, hardware={"registers": "both"})
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "write_json", full_disk)
        with pytest.raises(OSError, match="No space left"):
            run_flow(after, Reporter(), targets=["netlist.v"])
    assert (flow.folder / "netlist.v").read_bytes() == before
    assert not [path for path in flow.folder.rglob("*") if "half" in _text(path)]
    assert run_flow(after, Reporter())[0] == "implement"


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() and path.stat().st_size < 10 else ""


def test_a_flipped_table_bit_is_caught(flow: Flow) -> None:
    graph = json.loads((flow.folder / "core.json").read_text())
    lut = next(node for node in graph["nodes"] if node[0] == "lut" and len(node[1]) > 1)
    lut[2] = hex(int(lut[2], 16) ^ 1)
    (flow.folder / "core.json").write_text(json.dumps(graph))
    with pytest.raises(VerificationError, match=r"x[0-9]_.*expected"):
        run_flow(flow, Reporter())
    assert "verify" in [s.title for s in flow.engine.steps if not flow.engine.is_current(s)]


@pytest.mark.parametrize("name", ["dataset.npz", "graph.json", "predictions.npy"])
def test_truncated_intermediate_is_one_clear_line(flow: Flow, name: str) -> None:
    path = flow.folder / name
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=name) as caught:
        run_flow(flow, Reporter(), targets=["proof.json"])
    assert "\n" not in str(caught.value)


def test_more_classes_than_outputs(tmp_path: Path) -> None:
    file = write_flow(tmp_path / "flows" / "few.yaml", model={"layers": [{"luts": 1, "inputs": 3}]})
    with pytest.raises(ConfigError, match=r"model\.layers"):
        run_flow(open_flow(file, tmp_path / "build"), Reporter())


def test_a_folder_that_is_no_flow(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a flow"):
        open_flow(tmp_path)


def test_tool_that_fails_is_named(flow: Flow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "yosys"
    broken.write_text("#!/bin/sh\necho 'ERROR: out of ideas'\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("DWN_ASIC_YOSYS", str(broken))
    with pytest.raises(
        ToolError, match=r"exit code 1; last output: ERROR: out of ideas; log: .*implement.log"
    ):
        run_flow(flow, Reporter(), targets=["netlist.v"])
    assert "out of ideas" in (flow.folder / "implement.log").read_text()


def test_mapped_area_is_the_same_with_a_real_pdk(
    flow: Flow, shared_pdk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = {name: (flow.folder / name).read_bytes() for name in ("netlist.v", "core.json")}
    modules = json.loads((flow.folder / "synth.json").read_text())["modules"]
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    assert {"minimize", "implement", *TREE[1:]} <= set(run_flow(flow, Reporter()))
    assert {name: (flow.folder / name).read_bytes() for name in embedded} == embedded
    assert json.loads((flow.folder / "synth.json").read_text())["modules"] == modules
    assert "tt_025C_1v80.lib" in flow.read(RESULT).pdk.origin


def test_graph_of_a_baseline_is_kept_beside_its_netlist(finished: Flow) -> None:
    graph = finished.read(GRAPH.at("baselines/tree-3"))
    predictions = finished.read(PREDICTIONS.at("baselines/tree-3"))
    assert (graph.predict(finished.dataset.codes) == predictions).all()
    folder = finished.folder / "baselines" / "tree-3"
    assert (folder / "netlist.v").exists()
    assert (folder / "proof.json").exists()


def test_a_baseline_too_large_for_the_limits_keeps_its_accuracy(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = methods(flow)
    lines, real = Lines(), yosys.synthesize

    def out_of_time(design: str, *arguments: object, **options: object) -> object:
        if "petal" in design:  # anything: the tree is the second to come
            raise ToolTimeoutError("abc", "timed out after 60 s")
        return real(design, *arguments, **options)  # type: ignore[arg-type]

    shutil.rmtree(flow.folder / "baselines" / "tree-3")
    monkeypatch.setattr(yosys, "synthesize", out_of_time)
    run_flow(flow, lines)
    assert "baselines/tree-3/implement: given up: abc: timed out after 60 s" in lines.lines
    tree, before = methods(flow)["tree-3"], whole["tree-3"]
    assert tree.kind == "software"
    assert tree.label == f"{before.label} (no circuit in time)"
    scores = ("accuracy__", "balanced_accuracy__", "macro_f1__")
    assert tree.metrics == {k: v for k, v in before.metrics.items() if k.startswith(scores)}
    assert tree.details["no_circuit"] == "abc: timed out after 60 s"
    assert run_flow(flow, Reporter()) == []  # it is known, and not tried again


def test_the_seed_of_the_command_wins_and_shows_in_the_result(flow: Flow) -> None:
    other = open_flow(flow.file, flow.folder.parent / "seed-4", 4)
    assert other.config.seed == 4
    assert other.folder != flow.folder
    run_flow(other, Reporter())
    result = other.read(RESULT)
    assert result.seed == 4
    assert result.flow_file == flow.file.as_posix()
    assert result.config["seed"] == 4
    with pytest.raises(ConfigError, match="is a build folder, whose seed is fixed"):
        open_flow(other.folder, seed=5)


def test_seconds_of_a_run_are_kept_by_step(finished: Flow) -> None:
    run = finished.read(RESULT).run
    assert {"seconds_data", "seconds_train", "seconds_verify", "seconds_baseline"} <= set(run)


# ---- what a flow reads beside its file ---------------------------------------------------------------------
@pytest.fixture
def own_pdk(tmp_path: Path) -> Path:
    """Copy a PDK configuration and its tables, so that the test may edit them."""
    for table in ("cells", "timing"):
        shutil.copy(ROOT / "pdk_configs" / f"sky130hd.{table}.csv", tmp_path)
    return Path(shutil.copy(ROOT / "pdk_configs" / "sky130hd.yaml", tmp_path / "mine.yaml"))


REBUILT = {"minimize", "implement", "verify", "datasheet", "report"}
MAPPED = [title for title in ALL if title.rpartition("/")[2] in REBUILT]


def test_an_edited_pdk_reruns_what_was_mapped_with_it(finished: Flow, tmp_path: Path, own_pdk: Path) -> None:
    flow = finished_flow(tmp_path, finished, synthesis={"pdk": str(own_pdk)})
    before = {name: m.metrics.get("area__nand2") for name, m in methods(flow).items()}
    table = tmp_path / "sky130hd.cells.csv"
    text = table.read_text()
    larger = text.replace("sky130_fd_sc_hd__nand2_1 3.7536", "sky130_fd_sc_hd__nand2_1 4.5").replace(
        "gate,sky130_fd_sc_hd__nand2_1,3.7536,", "gate,sky130_fd_sc_hd__nand2_1,4.5,"
    )
    assert larger.count("4.5") == text.count("4.5") + 2
    table.write_text(larger)
    assert set(run_flow(flow, Reporter())) >= {"minimize", "implement", "verify", TREE[1], TREE[2], "report"}
    after = {name: m.metrics.get("area__nand2") for name, m in methods(flow).items()}
    assert before == {"dwn": 3.7536, "tree-3": 3.7536, "gbdt": None}
    assert after == {"dwn": 4.5, "tree-3": 4.5, "gbdt": None}  # never a table of two PDKs
    own_pdk.write_text(own_pdk.read_text() + "# a comment is an edit too\n")
    assert set(run_flow(flow, Reporter())) <= set(MAPPED)
    assert run_flow(flow, Reporter()) == []


def test_an_edited_fit_reruns_what_was_measured_with_it(
    finished: Flow, tmp_path: Path, own_pdk: Path
) -> None:
    flow = finished_flow(tmp_path, finished, synthesis={"pdk": str(own_pdk)})
    before = methods(flow)["dwn"].metrics
    table = tmp_path / "sky130hd.timing.csv"
    text = table.read_text()
    table.write_text(text.replace(" 1.8 25", " 3.6 25"))
    ran = run_flow(flow, Reporter())
    assert {"implement", "report"} <= set(ran)
    assert not {title for title in ran if title.rpartition("/")[2] in {"train", "minimize"}}
    after = methods(flow)["dwn"].metrics
    assert after["timing__delay"] == before["timing__delay"]
    assert after["energy__dynamic"] > before["energy__dynamic"]


def test_another_tool_reruns_what_it_made(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dwn_asic.tools import find_abc

    other = tmp_path / "abc"
    other.write_text(f'#!/bin/sh\nexec {find_abc().path} "$@"\n')
    other.chmod(0o755)
    monkeypatch.setenv("DWN_ASIC_ABC", str(other))
    ran = run_flow(flow, Reporter())
    assert {"minimize", TREE[1], "report"} <= set(ran) <= set(MAPPED)
    assert run_flow(flow, Reporter()) == []
    other.write_text(other.read_text() + "# another version\n")
    assert run_flow(flow, Reporter(), targets=["core.json"]) == ["minimize"]


def test_registers_without_a_flip_flop_are_an_error_before_training(tmp_path: Path, own_pdk: Path) -> None:
    table = tmp_path / "sky130hd.cells.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not line.startswith("dff")))
    hardware, synthesis = {"registers": "both"}, {"pdk": str(own_pdk)}
    file = write_flow(tmp_path / "flow.yaml", hardware=hardware, synthesis=synthesis)
    flow = open_flow(file, tmp_path / "build")
    with pytest.raises((PdkError, ConfigError), match=r"no plain D flip-flop.*registers: none") as caught:
        run_flow(flow, Reporter())
    assert "\n" not in str(caught.value)
    assert not (flow.folder / "network.npz").exists()


def test_two_processes_on_one_folder_end_in_one_run(flow: Flow) -> None:
    file = write_flow(flow.file, hardware={"registers": "both"})
    command = [sys.executable, "-m", "dwn_asic", "run", str(file)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    waited = [output for output in outputs if "is in use by process" in output]
    assert len(waited) == 1
    assert "is up to date: nothing to do" in waited[0]
