"""The command line as a user meets it: exit codes, one-line errors, quick help."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from command_line import call
from killing import contents, kill_when

from dwn_asic.flow import Flow, Reporter, open_flow, run_flow
from dwn_asic.targets.asic import cross_checks
from flows import FILE, finished_flow, write_flow

ROOT = Path(__file__).resolve().parents[2]


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_help_answers_at_once_and_without_torch() -> None:
    slow = "torch numba sklearn scipy matplotlib pydantic networkx"
    code = (
        "import sys, time; start = time.perf_counter(); sys.argv = ['dwn-asic', '--help']\n"
        "from dwn_asic import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        f"print('SECONDS', time.perf_counter() - start, [m for m in '{slow}'.split() if m in sys.modules])"
    )
    best = min((python(code).split("SECONDS ")[1] for _ in range(3)), key=lambda text: float(text.split()[0]))
    assert best.split(maxsplit=1)[1].strip() == "[]"
    assert float(best.split()[0]) < 0.5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sed": 1}, "sed: unknown key"),
        ({"seed": "one"}, "seed: is 'one'"),
        ({"synthesis": {"pdk": "nowhere"}}, "nowhere"),
        ({"data": {"source": "csv:missing.csv"}}, "missing.csv"),
        ({"data": {"source": "bundled:nothing"}}, "australian, phoneme, segment"),
        ({"model": {"layers": [{"luts": 1, "inputs": 3}]}}, "model.layers"),
    ],
)
def test_user_mistakes_are_one_line_and_exit_code_2(
    change: dict[str, object],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = write_flow(tmp_path / "bad.yaml", **change)
    assert call(monkeypatch, "run", str(file)) == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("dwn-asic: error: ")
    assert says in errors[0]


def test_available_names_the_flows_whose_table_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flows = {
        "base": write_flow(tmp_path / "base" / "all.yaml", data={"source": "csv:all.csv"}),
        **{name: tmp_path / f"{name}.yaml" for name in ("extended", "quoted", "absent")},
        "elsewhere": write_flow(tmp_path / "other" / "iris.yaml"),
    }
    flows["extended"].write_text("extends: base/all.yaml\n")
    flows["quoted"].write_text('extends: base/all.yaml\ndata: {source: "csv:~/t.csv"}  # at home\n')
    flows["absent"].write_text("extends: base/all.yaml\ndata:\n  source: csv:none.csv  # all.csv\n")
    for table in ("base/all.csv", "t.csv"):
        (tmp_path / table).touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert call(monkeypatch, "available", *map(str, flows.values())) == 0
    expected = [str(flows[name]) for name in ("base", "extended", "quoted", "elsewhere")]
    assert capsys.readouterr().out.splitlines() == expected


def test_debug_shows_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", str(tmp_path / "none.yaml"), "--debug") == 2
    assert "Traceback" in capsys.readouterr().err


def test_tool_failure_is_exit_code_3(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished_flow(tmp_path, finished)
    monkeypatch.setenv("DWN_ASIC_YOSYS", str(tmp_path / "none"))
    assert call(monkeypatch, "make", "build/tiny/netlist.v") == 3
    assert "DWN_ASIC_YOSYS" in capsys.readouterr().err


def test_verification_failure_is_exit_code_4_with_a_counterexample(
    finished: Flow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    flow = finished_flow(tmp_path, finished)
    netlist = flow.folder / "netlist.v"
    text = netlist.read_text()
    swapped = text.replace(".class_index(class_index)", ".class_index({class_index[0], class_index[1]})")
    assert swapped != text
    netlist.write_text(swapped)
    assert call(monkeypatch, "make", "build/tiny/proof.json") == 4
    assert "expected class" in capsys.readouterr().err


def test_run_says_when_there_is_nothing_to_do(
    finished: Flow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", str(finished.folder)) == 0
    capsys.readouterr()
    assert call(monkeypatch, "run", str(finished.folder)) == 0
    assert "is up to date: nothing to do" in capsys.readouterr().out


def test_show_prints_every_method(
    finished: Flow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "show", str(finished.folder)) == 0
    output = capsys.readouterr().out
    assert "DWN 4-2" in output
    assert "decision tree, 3 leaves" in output


def test_collect_writes_an_index(finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "collect", str(finished.folder), "--out", str(tmp_path / "reports")) == 0
    assert "tiny" in (tmp_path / "reports" / "README.md").read_text()


def test_compare_takes_folders_and_files(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = finished.folder / "result.json"
    changed = tmp_path / "changed.json"
    changed.write_text(record.read_text().replace('"seed": ', '"seed": 1'))
    assert call(monkeypatch, "compare", str(finished.folder), str(record)) == 0
    assert capsys.readouterr().out == "no metric differs\n"
    assert call(monkeypatch, "compare", str(record), str(changed)) == 0
    assert "seed: " in capsys.readouterr().out
    assert call(monkeypatch, "compare", str(record), str(tmp_path)) == 2
    assert "result.json: cannot be read" in capsys.readouterr().err


def test_results_lists_filters_and_compares(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "build").mkdir()
    for name in ("one", "two"):
        shutil.copytree(finished.folder, tmp_path / "build" / name)
    assert call(monkeypatch, "results", "--where", "kind = 'exact'", "--columns", "run, name, total") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["run", "name"], ["one", "dwn"], ["one", "tree-3"], ["two", "dwn"], ["two", "tree-3"]
    ]  # fmt: skip
    assert (
        call(monkeypatch, "results", "build", "--by", "name", "--against", "build/two", "--sort=-test after")
        == 0
    )
    assert "test better" in capsys.readouterr().out
    assert call(monkeypatch, "results", "--out", "rows.csv", "--limit", "1") == 0
    assert capsys.readouterr().out == "wrote rows.csv: 6 rows\n"
    assert call(monkeypatch, "results", "--columns", "all") == 0
    assert "accuracy__test: " in capsys.readouterr().out
    (tmp_path / "build" / "two" / "result.json").write_text("{")
    assert call(monkeypatch, "results") == 0
    assert "left out: build/two/result.json: not a readable JSON file" in capsys.readouterr().err
    assert call(monkeypatch, "results", "--sort", "tset") == 2
    assert "results: --sort: there is no column 'tset'" in capsys.readouterr().err


def test_study_runs_what_is_not_up_to_date_and_says_what_it_lacks(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished_flow(tmp_path, finished)
    write_flow(tmp_path / "flows" / "some" / "absent.yaml", data={"source": "csv:none.csv"})
    assert call(monkeypatch, "study", "flows/tiny.yaml", "flows/some", "--jobs", "1", "--out", "reports") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "skipped, its data is missing: flows/some/absent.yaml",
        "wrote reports/README.md, reports/index.html: 1 flows, 0 studies",
    ]
    for seeds in ("one", "", "-1"):
        assert call(monkeypatch, "study", "flows/tiny.yaml", "--seeds", seeds) == 2
        assert f"study: --seeds: is {seeds!r} (allowed: whole numbers" in capsys.readouterr().err
    assert call(monkeypatch, "study", "flows/tiny.yaml", "--scheduler", "nowhere") == 3
    assert "dask: no scheduler answers at nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("installed", [True, False])
def test_testgen_writes_patterns_and_says_what_they_detect(
    finished: Flow,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    installed: bool,
) -> None:
    ran = []
    monkeypatch.setattr("dwn_asic.verilog.simulate.simulator_installed", lambda: installed)
    monkeypatch.setattr(
        "dwn_asic.verilog.simulate.run_testbench", lambda *arguments: ran.append(arguments) or 7
    )
    out = tmp_path / "some" / "folder"
    assert call(monkeypatch, "testgen", str(finished.folder), "--rounds", "2", "--out", str(out)) == 0
    printed = capsys.readouterr().out
    assert "coverage 100.00% of testable faults" in printed
    assert ("the testbench passes on the netlist (7 patterns)" in printed) == installed
    assert ("the testbench was not run: iverilog is not installed" in printed) != installed
    assert printed.endswith(f"wrote {out}/{{patterns.csv,faults.csv,summary.json,testbench.v}}\n")
    assert sorted(path.name for path in out.iterdir()) == [
        "faults.csv", "patterns.csv", "summary.json", "testbench.v"
    ]  # fmt: skip
    summary = json.loads((out / "summary.json").read_text())
    assert len((out / "patterns.csv").read_text().splitlines()) == summary["patterns"] + 1
    assert len((out / "faults.csv").read_text().splitlines()) == summary["faults"] + 1
    if installed:
        (sources, top), = ran  # fmt: skip
        assert top == "tiny_tb"
        assert sources["testbench.v"] == (out / "testbench.v").read_text()
        assert sources["netlist.v"] == (finished.folder / "netlist.v").read_text()


def test_testgen_names_what_is_missing(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "testgen", str(tmp_path)) == 2
    assert capsys.readouterr().err == f"dwn-asic: error: {tmp_path}: is not a run: there is no flow.json\n"
    assert call(monkeypatch, "testgen", str(finished.folder), "--shrunk") == 2
    assert capsys.readouterr().err == (
        f"dwn-asic: error: {finished.folder}: has no shrunk circuit: its flow file has no section shrink\n"
    )


def test_prove_writes_every_check_and_a_data_sheet(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Verilator compiles for some ten seconds; a test of its own runs it.
    installed = cross_checks.find_tool
    monkeypatch.setattr(
        cross_checks, "find_tool", lambda name: None if name == "verilator" else installed(name)
    )
    out = tmp_path / "some" / "folder"
    assert call(monkeypatch, "prove", str(finished.folder), "--out", str(out)) == 0
    head, *lines, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["stage", "check", "tool", "time"]
    assert last == f"wrote {out}/{{proof.json,datasheet.html,datasheet.md}} and what the sheet describes"
    checks = json.loads((out / "proof.json").read_text())
    assert len(lines) == len(checks)
    assert all(line.startswith(check["stage"]) for line, check in zip(lines, checks, strict=True))
    yosys = next(check for check in checks if check["what"] == "Verilog == netlist in Yosys")
    assert (yosys["stage"], yosys["how"], yosys["verdict"]) == ("Verilog -> netlist", "proof", "equal")
    assert "Yosys alone" in yosys["tool"]
    assert yosys["seconds"] > 0
    sheet = (out / "datasheet.md").read_text()
    assert "in Verilator | event-driven simulation | - | - | not run: verilator is not installed |" in sheet
    page = (out / "datasheet.html").read_text()
    assert "<td>Verilog == netlist in Yosys</td>" in page
    described = re.findall(r'href="(\w+\.v)"', page)
    assert described
    assert all((out / name).read_bytes() == (finished.folder / name).read_bytes() for name in described)
    assert run_flow(finished, Reporter()) == []


def test_prove_names_what_is_missing(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "prove", str(tmp_path)) == 2
    assert capsys.readouterr().err == f"dwn-asic: error: {tmp_path}: is not a run: there is no flow.json\n"
    assert call(monkeypatch, "prove", str(finished.folder), "--shrunk") == 2
    assert "has no shrunk circuit" in capsys.readouterr().err


def test_signoff_reports_path_slack_and_energy(
    finished: Flow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "signoff", str(finished.folder), "--clock-ns", "0.01") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "corner tt_025C_1v80: 1.8 V, 25 C, from sky130hd.timing.csv, estimated"
    assert lines[1] == "critical path"
    assert any(each.startswith("slack -") and each.endswith("a clock of 0.01 ns: missed") for each in lines)
    assert any(each.startswith("energy ") and "pJ per inference" in each for each in lines)


def test_signoff_draws_area_against_delay(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(finished.folder, folder)
    assert call(monkeypatch, "signoff", str(folder), "--front") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith("100.0   100.0  smallest")
    assert lines[-1] == f"wrote {folder}/{{delay_front.csv,delay_front.svg}}"
    rows = (folder / "delay_front.csv").read_text().splitlines()
    assert rows[0] == "area_um2,area_nand2,delay_ns,cells,area_of_smallest,delay_of_smallest"
    assert len(rows) == len(lines) - 2
    assert (folder / "delay_front.svg").read_bytes().startswith(b"<?xml")


def test_signoff_counts_glitches_and_shuffles_rows(
    finished: Flow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def energy(*options: str) -> list[str]:
        assert call(monkeypatch, "signoff", str(finished.folder), *options) == 0
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("energy ")]

    plain = energy()
    assert energy("--shuffle", "1") == energy("--shuffle", "1") != plain
    counted = energy("--glitches")
    assert counted[0] == plain[0]
    assert "pJ per inference with glitches" in counted[-1]


def test_signoff_names_what_is_missing(
    finished: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "signoff", str(tmp_path)) == 2
    assert capsys.readouterr().err == f"dwn-asic: error: {tmp_path}: is not a run: there is no flow.json\n"
    assert call(monkeypatch, "signoff", str(finished.folder), "--shrunk") == 2
    assert "has no shrunk circuit" in capsys.readouterr().err
    assert call(monkeypatch, "signoff", str(finished.folder), "--corner", "ss") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the embedded table has only the corner tt_025C_1v80, not 'ss'" in line


def test_doctor_lists_tools_and_pdks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "doctor") == 0
    output = capsys.readouterr().out
    for word in ("yosys", "abc", "iverilog", "torch", "sky130hd"):
        assert word in output


def test_pdk_list_and_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "pdk", "list") == 0
    assert "sky130hd: sky130_fd_sc_hd tt_025C_1v80" in capsys.readouterr().out
    assert call(monkeypatch, "pdk", "check", "sky130hd") == 0
    output = capsys.readouterr().out
    assert "sky130_fd_sc_hd__nand2_1" in output
    assert "corners      none\n" in output
    assert "timing       estimated delay " in output
    assert "power        estimated energy " in output
    assert "proof        graph == minimized, graph == Verilog, graph == netlist: for every input\n" in output
    assert " NAND2-equivalents: core " in output


def test_pdk_check_of_a_missing_pdk_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "pdk", "check", "nangate45") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "NangateOpenCellLibrary_typical.lib: set PDK_ROOT" in printed.err


def test_pdk_check_and_extract_show_notes_and_list_stays_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gates = "".join(
        f'cell ({name}) {{ area : 1; {pins} pin (Y) {{ direction : output; function : "{function}"; }} }}\n'
        for name, pins, function in (
            ("INV", "pin (A) { direction : input; }", "!A"),
            ("BUF", "pin (A) { direction : input; }", "A"),
            ("NAND2", "pin (A) { direction : input; } pin (B) { direction : input; }", "!(A B)"),
        )
    )
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "toy.lib").write_text(
        f"library (toy) {{\n{gates}cell (LAT) {{ enable : (G); }}\n}}\n"
    )
    (tmp_path / "pdk_configs").mkdir()
    config = tmp_path / "pdk_configs" / "toy.yaml"
    config.write_text(
        "description: a toy\nlibrary: toy\ncorner: typical\nfolders: [lib]\nliberty: [toy.lib]\n"
        "nand2: NAND2\nget: Draw one.\ncopyright: Nobody\nlicence: none\n"
    )
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    note = "toy.lib: cell LAT is excluded: line 5: not Liberty syntax\n"
    assert call(monkeypatch, "pdk", "check", "toy") == 0
    output = capsys.readouterr().out
    assert f"note         {note}" in output
    assert "note         toy.lib: no usable leakage_power_unit, so leakage is unknown\n" in output
    assert "registers    none\narea " in output
    assert "graph == netlist: for every input\n" in output
    assert call(monkeypatch, "pdk", "list") == 0
    assert note not in capsys.readouterr().out
    arguments = ("pdk", "extract", "lib/toy.lib", "--config", str(config), "-o", "toy.csv")
    assert call(monkeypatch, *arguments) == 0
    assert f"note: {note}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("sky130hd", "sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib"),
        ("asap7", "asap7/lib/*_RVT_TT_nldm_*.lib.gz"),
    ],
)
def test_pdk_extract_makes_the_embedded_table(
    name: str, files: str, shared_pdk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ROOT / "pdk_configs" / f"{name}.yaml"
    out = tmp_path / "table.csv"
    liberty = map(str, sorted(shared_pdk.glob(files)))
    arguments = ("pdk", "extract", *liberty, "--config", str(config), "-o", str(out))
    assert call(monkeypatch, *arguments) == 0
    assert out.read_bytes() == (ROOT / "pdk_configs" / f"{name}.cells.csv").read_bytes()


def test_unreadable_liberty_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.lib").write_text("library (x) { cell (a) {")
    config = ROOT / "pdk_configs" / "sky130hd.yaml"
    arguments = ("pdk", "extract", str(tmp_path / "bad.lib"), "--config", str(config), "-o", "out.csv")
    assert call(monkeypatch, *arguments) == 2
    assert "bad.lib" in capsys.readouterr().err
    assert not Path("out.csv").exists()


def test_a_terminated_run_says_so_and_the_next_one_recovers(tmp_path: Path) -> None:
    file = write_flow(tmp_path / "tiny.yaml", training={"epochs": 100_000, "threads": 1})
    command = [sys.executable, "-m", "dwn_asic", "run", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    folder = tmp_path / "build" / "tiny"
    deadline = time.monotonic() + 60
    while not (folder / "dataset.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "interrupted" in errors
    assert not (folder / "network.npz").exists()
    assert "data" not in run_flow(open_flow(write_flow(file), folder.parent), Reporter())
    assert (folder / "result.json").exists()


MOMENTS = {
    ".work/shrunk/shrink/checkpoints/*": "shrunk",
    ".work/baselines/tree-3/shrunk/shrink/checkpoints/*": "baselines/tree-3/shrunk",
    ".steps/baselines/tree-4/*.json": "baselines/tree-4",
}
"""Files whose appearance is the moment to kill a run, with the folder of the step then running."""


def test_what_a_killed_run_had_finished_is_never_done_again(finished: Flow, tmp_path: Path) -> None:
    changes = {
        "shrink": {"prices": [8.0], "temperatures": [0.5], "proposals": 2000, "baselines": True},
        "baselines": [{"kind": "decision_tree", "leaves": [3, 4]}],
    }
    # What comes before shrink is there, the report isn't.
    flow = finished_flow(tmp_path, finished)
    folder, report = flow.folder, flow.engine.steps[-1]
    for place in (".steps/report.json", *map(report.place, report.outputs)):
        (folder / place).unlink()
    command = [sys.executable, "-m", "dwn_asic", "run", str(write_flow(FILE, **changes)), "--jobs", "1"]
    kept: dict[Path, tuple[bytes, int]] = {}
    for moment, under_way in MOMENTS.items():
        kill_when(partial(found, folder, moment), command)
        assert contents(kept) == kept, moment
        assert not (folder / under_way / "proof.json").exists()
        unfinished = {folder / under_way, folder / ".steps" / under_way}
        kept = contents(path for path in found(folder, "**/*") if unfinished.isdisjoint(path.parents))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
    assert contents(kept) == kept
    assert {"network.npz", "shrunk/netlist.v", "baselines/tree-3/shrunk/netlist.v"} <= {
        path.relative_to(folder).as_posix() for path in kept
    }
    whole = finished_flow(tmp_path / "whole", finished, **changes)
    assert measured(folder) == measured(whole.folder)


def test_a_killed_run_of_several_steps_resumes_after_those_that_had_ended(
    finished: Flow, tmp_path: Path
) -> None:
    changes = {
        "shrink": {"prices": [8.0], "temperatures": [0.5], "proposals": 2000},
        "baselines": [{"kind": "decision_tree", "leaves": [3, 4, 5]}, {"kind": "gbdt"}],
    }
    folder = finished_flow(tmp_path, finished).folder
    command = [sys.executable, "-m", "dwn_asic", "run", str(write_flow(FILE, **changes)), "--jobs", "3"]
    steps = open_flow(FILE).engine.steps[:-1]  # without the report, which is there of the smaller flow

    def done() -> list[Path]:
        """Return the outputs of the steps that have ended."""
        records = [(step, folder / ".steps" / f"{step.title}.json") for step in steps]
        ended = [step for step, at in records if at.exists() and "running" not in at.read_text()]
        return [folder / place for step in ended for place in step.makes if (folder / place).is_file()]

    before = len(done())
    kept: dict[Path, tuple[bytes, int]] = {}
    for more in (1, 20):
        kill_when(partial(lambda wanted: len(done()) >= wanted, before + more), command)
        assert contents(kept) == kept
        kept = contents(done())
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
    assert contents(kept) == kept
    assert not [path for path in folder.rglob(".work/**/*") if path.is_file()]
    whole = finished_flow(tmp_path / "whole", finished, **changes)
    assert measured(folder) == measured(whole.folder)
    for name in ("shrunk/netlist.v", "baselines/tree-5/netlist.v", "comparison.md"):
        assert (folder / name).read_bytes() == (whole.folder / name).read_bytes(), name


@pytest.mark.parametrize("jobs", ["0", "two"])
def test_the_number_of_jobs_is_a_positive_number(
    jobs: str, finished: Flow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", str(finished.folder), "--jobs", jobs) == 2
    assert "--jobs" in capsys.readouterr().err


def found(folder: Path, pattern: str) -> list[Path]:
    """Find files other than half-written ones, the lock and (unless asked for) unfinished work."""
    others = {".lock", ".work"} - {pattern.partition("/")[0]}
    return [
        path
        for path in folder.glob(pattern)
        if path.is_file() and "partial" not in path.name and path.relative_to(folder).parts[0] not in others
    ]


def measured(folder: Path) -> dict[str, Any]:
    """Return a run's result without its time and place."""
    content = json.loads((folder / "result.json").read_text())
    return {key: value for key, value in content.items() if key not in {"run", "flow_file"}}
