"""Running tools: failures of every kind, played by small scripts, and the real Yosys and ABC."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from dwn_asic.errors import ToolError
from dwn_asic.tools import (
    AbcTool,
    YosysTool,
    find_abc,
    find_tool,
    find_yosys,
    processors,
    require_tool,
    run_tool,
    tool_versions,
)


def script(folder: Path, body: str, name: str = "tool") -> Path:
    """Write an executable shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed orphan stays a zombie where nobody reaps it.
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def wait_until_gone(pid: int) -> bool:
    for _ in range(1500):  # a loaded machine takes seconds to remove a killed process
        if not is_running(pid):
            return True
        time.sleep(0.02)
    return False


def test_output_is_returned_and_logged(tmp_path: Path) -> None:
    tool = script(tmp_path, 'cat; echo "to stderr" >&2; printf "\\033[1;37mcolour\\033[0m\\n"; pwd')
    log = tmp_path / "logs" / "tool.log"
    output = run_tool(
        "tool", [tool], timeout_s=10, cwd=tmp_path, log=log, stdin="from stdin\n", marker="colour"
    )
    assert output == f"from stdin\nto stderr\ncolour\n{tmp_path}\n"
    assert log.read_text() == output


def test_without_stdin_the_input_is_empty(tmp_path: Path) -> None:
    assert run_tool("tool", [script(tmp_path, "cat; echo done")], timeout_s=10) == "done\n"


def test_environment_is_passed_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWN_ASIC_TEST", "seen")
    assert run_tool("tool", [script(tmp_path, "echo $DWN_ASIC_TEST")], timeout_s=10) == "seen\n"


def test_exit_code(tmp_path: Path) -> None:
    tool = script(tmp_path, "for i in $(seq 30); do echo line $i; done; exit 3")
    log = tmp_path / "tool.log"
    with pytest.raises(ToolError) as caught:
        run_tool("mapper", [tool, "-x", "a b"], timeout_s=10, log=log)
    error = caught.value
    assert str(error) == f"mapper: exit code 3; last output: line 30; log: {log}"
    assert error.command == f"{tool} -x 'a b'"
    assert error.tail.splitlines() == [f"line {i}" for i in range(11, 31)]
    assert log.read_text().count("\n") == 30


def test_missing_marker_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="tool: exit code 0, but its output lacks 'area'; last output: hello"):
        run_tool("tool", [script(tmp_path, "echo hello")], timeout_s=10, marker="area")


def test_crash_names_the_signal(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="tool: crashed: SIGSEGV; last output: so far"):
        run_tool("tool", [script(tmp_path, "echo so far; kill -SEGV $$")], timeout_s=10, marker="so far")


def test_time_out_kills_the_whole_group(tmp_path: Path) -> None:
    tool = script(tmp_path, "sleep 60 & echo $! > child.pid; echo working; wait")
    log = tmp_path / "tool.log"
    start = time.monotonic()
    with pytest.raises(
        ToolError, match=r"tool: timed out after 0\.5 s; last output: working; log: .*tool\.log"
    ):
        run_tool("tool", [tool], timeout_s=0.5, cwd=tmp_path, log=log)
    assert time.monotonic() - start < 5
    assert log.read_text() == "working\n"
    assert wait_until_gone(int((tmp_path / "child.pid").read_text()))


def test_child_that_outlives_its_parent_is_killed_too(tmp_path: Path) -> None:
    tool = script(tmp_path, "sleep 60 & echo $! > child.pid")
    with pytest.raises(ToolError, match="timed out"):
        run_tool("tool", [tool], timeout_s=0.5, cwd=tmp_path)
    assert wait_until_gone(int((tmp_path / "child.pid").read_text()))


_WORK = "import time; end = time.process_time() + {0}\nwhile time.process_time() < end: pass"


def test_the_limit_is_one_of_processor_time(tmp_path: Path) -> None:
    """A program that works slowly, here since it sleeps in between, has more time."""
    work = _WORK.format(0.05)
    slow = f"{sys.executable} -S -c '{work}'; sleep 0.4; "
    tool = script(tmp_path, f"{slow * 3} cat; echo done")
    start = time.monotonic()
    assert run_tool("tool", [tool], timeout_s=0.6, stdin="given\n") == "given\ndone\n"
    assert time.monotonic() - start > 1.2


def test_a_program_that_works_for_the_whole_limit_is_killed(tmp_path: Path) -> None:
    tool = script(tmp_path, f"exec {sys.executable} -S -c '{_WORK.format(60)}'")
    start = time.monotonic()
    with pytest.raises(ToolError, match=r"timed out after 0\.5 s"):
        run_tool("tool", [tool], timeout_s=0.5)
    assert time.monotonic() - start < 30


def test_ctrl_c_kills_the_whole_group(tmp_path: Path) -> None:
    tool = script(tmp_path, "sleep 60 & echo $! > child.pid; echo working; wait")
    pid_file = tmp_path / "child.pid"

    def interrupt() -> None:
        while not (pid_file.is_file() and pid_file.read_text().strip()):
            time.sleep(0.01)
        # To the main thread, as a terminal does: it must end the system call that waits.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    # A shell that starts the tests in the background has switched Ctrl-C off.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            run_tool("tool", [tool], timeout_s=30, cwd=tmp_path)
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert wait_until_gone(int(pid_file.read_text()))


def test_tools_that_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"tool: cannot be started: No such file or directory: .*nothing"):
        run_tool("tool", [tmp_path / "nothing"], timeout_s=10)
    (tmp_path / "text").write_text("no program")
    with pytest.raises(ToolError, match="tool: cannot be started: Permission denied"):
        run_tool("tool", [tmp_path / "text"], timeout_s=10)
    with pytest.raises(ToolError, match=r"cannot be started: No such file or directory: .*nowhere"):
        run_tool("tool", [sys.executable, "-V"], timeout_s=10, cwd=tmp_path / "nowhere")


def test_output_that_is_no_utf8(tmp_path: Path) -> None:
    assert "\ufffd" in run_tool("tool", [script(tmp_path, "printf '\\377\\n'")], timeout_s=10)


def test_yosys_runs_a_script(tmp_path: Path) -> None:
    log = tmp_path / "yosys.log"
    text = """
        # a comment
        read_verilog <<EOT
module top (input a, b, output y); assign y = a & b; endmodule
EOT
        hierarchy -top top
        tee -q -o stat.json stat -json
    """
    output = find_yosys().run_script(text, timeout_s=60, cwd=tmp_path, log=log)
    assert "Successfully finished Verilog frontend." in output
    assert log.read_text() == output
    assert '"num_cells"' in (tmp_path / "stat.json").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frobnicate", "exit code 1; last output: ERROR: No such command: frobnicate"),
        ("read_verilog none.v", "exit code 1; last output: ERROR: File `none.v' not found"),
        ("tee -o /nonexistent/x stat", "exit code 1; last output: ERROR: Can't create file"),
    ],
)
def test_yosys_errors_are_quoted(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ToolError, match=f"yosys: {message}"):
        find_yosys().run_script(text, timeout_s=60, cwd=tmp_path)


def test_yosys_is_not_misled_by_files_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "pyosys.py").write_text("raise SystemExit(7)")
    assert "hello" in find_yosys().run_script("log hello", timeout_s=60, cwd=tmp_path)


def test_abc_runs_a_script(tmp_path: Path) -> None:
    (tmp_path / "top.blif").write_text(".model top\n.inputs a b\n.outputs y\n.names a b y\n11 1\n.end\n")
    (tmp_path / "abc.rc").write_text("alias strash frobnicate\n")
    commands = """
        # a comment
        read_blif top.blif;
        strash; write_blif out.blif   # another
        print_stats
    """
    output = find_abc().run_script(commands, timeout_s=30, cwd=tmp_path)
    assert "i/o =    2/    1" in output
    assert "\x1b" not in output
    assert "dwn-asic" not in output
    assert (tmp_path / "out.blif").is_file()


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        ("frobnicate", r"reports an error; last output: \*\* cmd error: unknown command 'frobnicate'"),
        ("read none.blif; version", "reports an error; last output: Cannot open input file"),
        ("print_stats", "reports an error; last output: Error: Empty network"),
        ("write_blif out.blif", "reports an error; last output: Empty network"),
        ("&read none.aig", "reports an error; last output: Error: Cannot open input file"),
        ("version -zz", "reports an error; last output: usage: version"),
        ("read_blif top.blif; write_blif /nonexistent/x.blif", "Cannot open the output file"),
        ("read_blif top.blif; strash; map", "reports an error; last output: Error: "),
        ("read_lib bad.lib", "crashed: SIG|reports an error"),
        ("quit", "its output lacks 'dwn-asic: abc script completed'"),
    ],
)
def test_abc_errors_are_found_though_its_exit_code_is_zero(
    tmp_path: Path, commands: str, message: str
) -> None:
    (tmp_path / "top.blif").write_text(".model top\n.inputs a b\n.outputs y\n.names a b y\n11 1\n.end\n")
    (tmp_path / "bad.lib").write_text("garbage")
    with pytest.raises(ToolError, match=f"abc: .*({message})"):
        find_abc().run_script(commands, timeout_s=30, cwd=tmp_path)


def test_hanging_yosys_and_abc_are_killed(tmp_path: Path) -> None:
    hanging = script(tmp_path, "echo started; exec sleep 60")
    with pytest.raises(ToolError, match=r"yosys: timed out after 0\.3 s; last output: started"):
        YosysTool((str(hanging),), "End of script.", "mock").run_script("stat", timeout_s=0.3)
    with pytest.raises(ToolError, match=r"abc: timed out after 0\.3 s; last output: started"):
        AbcTool(hanging, "mock").run_script("print_stats", timeout_s=0.3)


def test_yosys_override(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mock = script(tmp_path, 'echo "args: $*"; cat; echo "End of script. Logfile hash: 0"', "my_yosys")
    monkeypatch.setenv("DWN_ASIC_YOSYS", str(mock))
    yosys = find_yosys()
    assert yosys.origin == str(mock)
    assert yosys.run_script("stat", timeout_s=10).startswith("args: -s -\nstat\nEnd of script.")


def test_overridden_yosys_that_stops_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWN_ASIC_YOSYS", str(script(tmp_path, "cat > /dev/null; echo bye")))
    with pytest.raises(ToolError, match="yosys: exit code 0, but its output lacks 'End of script"):
        find_yosys().run_script("stat", timeout_s=10)


def test_abc_override(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mock = script(tmp_path, 'echo "$3"', "my_abc")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DWN_ASIC_ABC", "my_abc")
    abc = find_abc()
    assert abc.path == mock
    assert abc.run_script("version", timeout_s=10) == "version; echo\n"


@pytest.mark.parametrize(("variable", "find"), [("DWN_ASIC_YOSYS", find_yosys), ("DWN_ASIC_ABC", find_abc)])
def test_wrong_override_is_an_error(variable: str, find: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/nonexistent/tool")
    assert callable(find)
    with pytest.raises(
        ToolError, match=f"{variable} is '/nonexistent/tool', which is not an executable program"
    ):
        find()


def test_search_goes_on_to_the_path_and_then_says_what_was_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dwn_asic.tools.importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"yosys: not found; searched \$DWN_ASIC_YOSYS, .*pip install pyosys"):
        find_yosys()
    with pytest.raises(ToolError, match=r"abc: not found; searched \$DWN_ASIC_ABC, .*pip install pyosys"):
        find_abc()
    yosys, abc = script(tmp_path, "", "yosys"), script(tmp_path, "", "abc")
    assert find_yosys().command == (str(yosys), "-s", "-")
    assert find_abc().path == abc


def test_optional_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tool("iverilog") is None
    with pytest.raises(
        ToolError, match="iverilog: not found on the PATH; on Debian: apt-get install iverilog"
    ):
        require_tool("iverilog")
    path = script(tmp_path, "echo Icarus Verilog version 99", "iverilog")
    assert require_tool("iverilog") == path
    versions = tool_versions()
    assert versions["iverilog"] == "Icarus Verilog version 99"
    assert versions["sta"] == "sta: not found on the PATH; on Debian: apt-get install opensta"
    assert versions["yosys"].startswith("pyosys ")
    assert "ABC" in versions["abc"]


def test_a_tool_is_asked_for_its_version_once_as_long_as_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program = script(tmp_path, "echo started >> asked; echo version 1", "iverilog")
    assert [tool_versions()["iverilog"] for _ in range(3)] == ["version 1"] * 3
    assert Path("asked").read_text() == "started\n"
    os.utime(script(tmp_path, "echo version 2", "iverilog"), ns=(0, program.stat().st_mtime_ns + 1))
    assert tool_versions()["iverilog"] == "version 2"


def test_processors_are_those_of_this_process() -> None:
    assert 1 <= processors() <= (os.cpu_count() or 1)
