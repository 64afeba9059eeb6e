"""The Makefile: what is rebuilt after which change. Set-up is replaced by the interpreter of the tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from killing import contents, kill_when

from dwn_asic.flow import Flow
from flows import FILE, finished_flow, write_flow

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a folder with the Makefile, one quick flow and a ready environment."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    command = binaries / "dwn-asic"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m dwn_asic "$@"\n')
    command.chmod(0o755)
    for stamp in (".ready-run", ".ready-dev", ".ready-search", ".ready-layout"):
        (tmp_path / ".venv" / stamp).touch()
    write_flow(tmp_path / FILE, baselines=[{"kind": "gbdt"}])
    return tmp_path


@pytest.fixture
def seeds(finished: Flow, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Flow]:
    """Return finished flows of two seeds, to be copied by tests that are not about training."""
    return {0: finished, 1: finished_flow(tmp_path_factory.mktemp("seed"), finished, seed=1)}


_report = shutil.ignore_patterns("flow.json", "report.json", "result.json", "comparison.*", "accuracy_area.*")
"""Files that say which flow a folder belongs to, and files that its last step writes."""


def ended(build: Path) -> list[Path]:
    """Return the folders of a study's finished runs."""
    records = build.glob("seed-*/*/.steps/report.json")
    return [record.parent.parent for record in records if "running" not in record.read_text()]


def environment() -> dict[str, str]:
    """Return the environment without the flags and variables of a `make test` around the tests."""
    others = ("FLOW", "BUILD", "VENV", "JOBS")
    return {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS")) and k not in others}


def try_make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        check=False,
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=400,
    )


def make(project: Path, *arguments: str) -> str:
    done = try_make(project, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stages(output: str) -> list[str]:
    """Return the stages that printed a line."""
    names = [line.split(":")[0].split()[0] for line in output.splitlines() if ":" in line]
    known = ("data", "train", "minimize", "implement", "verify", "baseline", "report")
    return [name for name in known if name in names]


def test_run_then_nothing_then_only_what_a_change_touches(project: Path) -> None:
    flow = "FLOW=flows/tiny.yaml"
    first = make(project, "run", flow)
    assert stages(first) == ["data", "train", "minimize", "implement", "verify", "baseline", "report"]
    assert "gradient boosting" in first
    assert "rm " not in first

    again = make(project, "run", flow)
    assert "build/tiny is up to date: nothing to do" in again
    assert stages(again) == []

    write_flow(project / FILE, baselines=[{"kind": "gbdt"}], hardware={"registers": "outputs"})
    assert stages(make(project, "run", flow)) == ["implement", "verify", "report"]
    assert "nothing to do" in make(project, "run", flow)


def test_one_file_and_a_csv_that_changes(project: Path) -> None:
    table = project / "elsewhere" / "table.csv"
    table.parent.mkdir()
    table.write_text("a,b,class\n" + "".join(f"{i},{i % 7},{int(i > 20)}\n" for i in range(40)))
    write_flow(
        project / "elsewhere" / "mine.yaml",
        data={"source": "csv:table.csv"},
        model={"layers": [{"luts": 3, "inputs": 2}, {"luts": 1, "inputs": 3}]},
    )
    arguments = ("build/mine/netlist.v", "FLOW=elsewhere/mine.yaml")
    assert stages(make(project, *arguments)) == ["data", "train", "minimize", "implement"]
    assert stages(make(project, *arguments)) == []
    table.write_text(table.read_text() + "3,3,0\n")
    assert stages(make(project, "build/mine/dataset.npz", arguments[1])) == ["data"]


def test_report_collects_all_flows_in_parallel(project: Path, finished: Flow) -> None:
    write_flow(project / "flows" / "other.yaml", baselines=[{"kind": "gbdt"}])
    write_flow(project / FILE, baselines=[{"kind": "gbdt"}], hardware={"registers": "outputs"})
    for name in ("tiny", "other"):
        shutil.copytree(finished.folder, project / "build" / name, ignore=_report)
    make(project, "-j2", "report")
    index = (project / "reports" / "README.md").read_text()
    assert "tiny" in index
    assert "other" in index
    assert (project / "reports" / "other" / "comparison.csv").exists()


def test_a_study_runs_every_flow_with_every_seed_and_goes_on_after_a_kill(
    project: Path, seeds: dict[int, Flow]
) -> None:
    quick = {"prices": [8.0], "temperatures": [0.5], "proposals": 2000}
    write_flow(project / "flows" / "base" / "some.yaml", shrink=quick, baselines=[{"kind": "gbdt"}])
    flows = project / "flows" / "some"
    flows.mkdir()
    for name, own in {"one": "", "two": "", "absent": 'data: {source: "csv:no.csv"}  # a.csv'}.items():
        (flows / f"{name}.yaml").write_text(f"extends: ../base/some.yaml\n{own}\n")
    study = ("report", "STUDIES=some", "SEEDS=0 1", "FLOWS=")
    build = project / "build" / "some"
    for seed, flow in seeds.items():
        for name in ("one", "two"):
            shutil.copytree(flow.folder, build / f"seed-{seed}" / name, ignore=_report)
    kill_when(lambda: bool(ended(build)), ["make", *study], cwd=project, env=environment())
    done = ended(build)
    assert len(done) < 4
    kept = contents(
        path
        for folder in done
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock" and ".work" not in path.parts
    )

    output = make(project, *study)
    assert output.count("done: some/") == 4 - len(done), output
    assert {path: wrote for path, wrote in contents(kept).items() if wrote != kept[path]} == {}
    assert "skipped, its data is missing: flows/some/absent.yaml" in output
    assert output.count("absent") == 1
    runs = (project / "reports" / "some" / "runs.csv").read_text()
    assert "build/some/seed-1/two/result.json" in runs
    assert (project / "reports" / "index.html").is_file()
    assert "done: some/" not in make(project, *study)  # nothing is done twice

    (flows / "absent.yaml").write_text("extends: ../base/none.yaml\n")
    wrong = try_make(project, *study)
    assert wrong.returncode != 0
    assert "flows/some/absent.yaml: extends: there is no file" in wrong.stderr

    (flows / "absent.yaml").write_text("extends: ../base/some.yaml\ndata: {source: csv:no.csv}\n")
    for name in ("one", "two"):
        (flows / f"{name}.yaml").unlink()
    empty = try_make(project, *study, "OUT=elsewhere")
    assert empty.returncode != 0
    assert "elsewhere: nothing to collect" in empty.stderr
    assert not (project / "elsewhere").exists()


def test_a_study_has_a_flow_for_each_file_of_a_folder_and_reports_into_a_folder_of_its_name(
    project: Path,
) -> None:
    rows = "".join(f"{i},{i % 7},{int(i > 20)}\n" for i in range(40))
    (project / "tables").mkdir()
    for name in ("one", "two"):
        (project / "tables" / f"{name}.csv").write_text(f"a,b,class\n{rows}")
    shrink = {"prices": [8.0], "temperatures": [0.5], "proposals": 2000}
    model = {"layers": [{"luts": 3, "inputs": 2}, {"luts": 1, "inputs": 3}]}
    data = {"source": "csv:../../tables/*.csv"}
    write_flow(
        project / "flows/some/each.yaml", data=data, model=model, shrink=shrink, baselines=[], target="aig"
    )
    study = ("report", "STUDIES=some", "SEEDS=0", "FLOWS=", "OUT=reports/some")
    output = make(project, *study)
    assert {"done: some/one, seed 0", "done: some/two, seed 0"} <= set(output.splitlines())
    assert "skipped" not in output
    found = json.loads((project / "build/some/seed-0/two/result.json").read_text())
    assert (found["flow"], found["flow_file"]) == ("two", "flows/some/each.yaml:two")
    report = (project / "reports/some/README.md").read_text()
    assert "Data sets: one, two." in report
    assert "core (AND)" in report
    assert (project / "reports/some/index.html").is_file()
    assert "done: some/" not in make(project, *study)  # nothing is done twice
    (project / "tables" / "one.csv").unlink()
    (project / "tables" / "two.csv").unlink()
    assert "skipped, its data is missing: flows/some/each.yaml" in try_make(project, *study).stdout


def test_jobs_are_steps_of_a_run_and_runs_of_a_report(project: Path) -> None:
    flows = project / "flows" / "some"
    flows.mkdir()
    (flows / "one.yaml").write_text("extends: ../tiny.yaml\n")
    for goal in ("run", "build/tiny/netlist.v"):
        assert "--jobs" not in make(project, "-n", goal)
        assert "--jobs '3'" in make(project, "-n", goal, "JOBS=3")
    for given, wanted in ((), "--jobs '2'"), (("JOBS=3",), "--jobs '3'"):
        output = make(project, "-n", "report", "STUDIES=some", "SEEDS=0", *given)
        assert f"study flows/some flows/tiny.yaml --seeds '0' --build 'build' {wanted} " in output
        assert "--scheduler" not in output
    output = make(project, "-n", "report", "STUDIES=some", "SCHEDULER=tcp://10.0.0.1:8786")
    assert output.rstrip().endswith("--out 'reports' --scheduler 'tcp://10.0.0.1:8786'")
    for goal in ("search", "auto"):
        given = ("-n", goal, "DATA=table.csv", "OPTIONS=--trials 3")
        assert "--scheduler" not in make(project, *given)
        assert "--scheduler 'tcp://10.0.0.1:8786' --trials 3" in make(
            project, *given, "SCHEDULER=tcp://10.0.0.1:8786"
        )


def test_a_bad_flow_stops_make_with_one_line(project: Path) -> None:
    write_flow(project / FILE, sed=1)
    done = try_make(project, "run", "FLOW=flows/tiny.yaml")
    assert done.returncode != 0
    assert "flows/tiny.yaml: sed: unknown key" in done.stderr


def test_a_flow_that_is_not_there_is_an_error(project: Path) -> None:
    for goal in ("run", "build/tiny/netlist.v"):
        done = try_make(project, goal, "FLOW=flows/nothing.yaml")
        assert done.returncode != 0
        assert "flows/nothing.yaml: cannot be read" in done.stderr
    done = try_make(project, "build/nothing/netlist.v")
    assert done.returncode != 0
    assert "no flow is named 'nothing'" in done.stderr


def test_names_of_files_and_flows_may_differ_and_have_spaces(project: Path, finished: Flow) -> None:
    write_flow(project / "flows" / "some file.yaml", name="mine", baselines=[])
    shutil.copytree(finished.folder, project / "build" / "mine", ignore=_report)
    output = make(project, "run", "FLOW=flows/some file.yaml")
    assert stages(output) == ["implement", "verify", "report"]
    assert "Files: build/mine/{datasheet.html,comparison.md," in output
    assert "nothing to do" in make(project, "run", "FLOW=flows/some file.yaml")
    assert "build/mine/netlist.v is up to date" in make(project, "build/mine/netlist.v")


def test_a_tiny_tapeout_project_of_a_flow(project: Path, finished: Flow) -> None:
    write_flow(project / FILE)
    shutil.copytree(finished.folder, project / "build" / "tiny")
    output = make(project, "tinytapeout", f"FLOW={FILE}")
    assert "nothing to do" in output
    assert "tt_um_dwn_tiny: " in output
    assert (project / "build" / "tiny" / "tinytapeout" / "info.yaml").is_file()


def test_the_layout_of_a_flow(
    project: Path, finished: Flow, shared_pdk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_flow(project / FILE)
    shutil.copytree(finished.folder, project / "build" / "tiny")
    # An error that names what is missing, since the flow itself has run without an installed PDK.
    assert "a layout needs its LEF and GDS files" in try_make(project, "gds", f"FLOW={FILE}").stderr
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    make(project, "gds", f"FLOW={FILE}")
    assert (project / "build" / "tiny" / "gds" / "tiny_top.gds").is_file()


def test_an_environment_of_another_checkout_is_left_alone(project: Path) -> None:
    (project / ".venv" / ".ready-run").write_text("/elsewhere/dwn-asic\n")
    done = try_make(project, "run", "FLOW=flows/tiny.yaml")
    assert done.returncode != 0
    assert ".venv belongs to /elsewhere/dwn-asic: remove it, or choose another with VENV=" in done.stderr
