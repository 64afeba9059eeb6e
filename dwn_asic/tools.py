"""External tools: how they are found, and the one function that runs them.

Every tool runs with a time limit and in a process group of its own, which is killed as a whole. The output is
checked for a marker of success, since an exit code of 0 alone proves nothing (ABC returns it after most
errors).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dwn_asic.errors import ToolError, ToolTimeoutError

__all__ = [
    "AbcTool",
    "YosysTool",
    "find_abc",
    "find_tool",
    "find_yosys",
    "processors",
    "require_tool",
    "run_tool",
    "tool_version",
    "tool_versions",
]

YOSYS_OVERRIDE = "DWN_ASIC_YOSYS"
ABC_OVERRIDE = "DWN_ASIC_ABC"

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_TAIL_LINES = 20
_PYOSYS_MARKER = "dwn-asic: yosys script completed"
_PYOSYS_PROGRAM = (
    f"from pyosys import libyosys as ys\nys.run_pass('script -')\nprint({_PYOSYS_MARKER!r}, flush=True)\n"
)
_SYSTEM_YOSYS_MARKER = "End of script."
_ABC_MARKER = "dwn-asic: abc script completed"
_YOSYS_ERROR = re.compile(r"^ERROR: .*$", re.MULTILINE)
# Error messages after which ABC 1.01 either continues, or stops with exit code 0.
_ABC_ERROR = re.compile(
    r"^(?:\*\* cmd error.*|Error:.*|.*unknown command.*|.*Cannot (?:open|read|find|create|write) .*"
    r"|Empty network.*|Generic file reader requires.*|Reading network from file has failed.*"
    r"|.*[Pp]arsing failed.*|usage: .*)$",
    re.MULTILINE,
)
_INSTALL = {
    "iverilog": "apt-get install iverilog",
    "vvp": "apt-get install iverilog",
    "verilator": "apt-get install verilator",
    "sta": "apt-get install opensta",
    "chromium": "apt-get install chromium",
    "klayout": "apt-get install klayout",
    "magic": "apt-get install magic",
}
_HANGING = 0.02
"""Processor time of a program that hangs, at most, relative to its wall-clock time."""
_GROUP, _TIMES = 2, slice(11, 15)
"""Fields of ``/proc/PID/stat`` after the name: the process group, and user and system time with waited-for
children."""
_VERSION_OPTIONS = {"iverilog": "-V", "vvp": "-V", "verilator": "--version", "sta": "-version"}


def processors() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_tool(
    name: str,
    argv: Sequence[str | Path],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    log: Path | None = None,
    marker: str | None = None,
    errors: re.Pattern[str] | None = None,
    stdin: str | None = None,
) -> str:
    """Run one command and return its output: stdout and stderr interleaved, without colour codes.

    Parameters
    ----------
    name
        Name of the tool as the user knows it, used in error messages.
    argv
        Program and arguments; no shell is involved.
    timeout_s
        Limit in seconds of processor time, after which the whole process group is killed. On a loaded machine
        the program has as much more time, unless it hardly works at all, as one that hangs. Where the
        processor time of processes is not known, this is a limit of wall-clock time.
    cwd
        Working directory; the current one by default.
    log
        File for the whole output; it is written in every case, even after a timeout.
    marker
        Text that the output of every successful run contains.
    errors
        Pattern of an error message: if the output matches, the run has failed, whatever its exit code.
    stdin
        Text passed to the program's standard input, which is empty by default.

    Raises
    ------
    ToolTimeoutError
        The program reaches the limit.
    ToolError
        The program cannot be started, crashes, exits with a code other than 0, prints an error, or does not
        print the marker.
    """
    command = [str(part) for part in argv]
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        problem = f"cannot be started: {error.strerror}: {error.filename}"
        raise ToolError(name, problem, command=shlex.join(command)) from error
    output, timed_out = _communicate(process, stdin, timeout_s, log)
    said = errors.search(output) if errors is not None else None
    if timed_out:
        problem = f"timed out after {timeout_s:g} s"
    elif process.returncode < 0:
        problem = f"crashed: {_signal_name(-process.returncode)}"
    elif process.returncode > 0:
        problem = f"exit code {process.returncode}"
    elif said is not None:
        problem = "exit code 0, but it reports an error"
    elif marker is not None and marker not in output:
        problem = f"exit code 0, but its output lacks {marker!r}"
    else:
        return output
    tail = output.strip().splitlines()[-_TAIL_LINES:]
    if said is not None:
        # The error can be far from the end, since stdout is buffered and stderr is not. It is the line that
        # explains the failure, so it goes last.
        tail.append(said[0].strip())
    kind = ToolTimeoutError if timed_out else ToolError
    raise kind(name, problem, command=shlex.join(command), tail="\n".join(tail), output=output, log=log)


def _communicate(
    process: subprocess.Popen[str], stdin: str | None, timeout_s: float, log: Path | None
) -> tuple[str, bool]:
    """Return the output and whether the time limit was reached; no process is left, even after Ctrl-C."""
    output, timed_out, begin, wait = "", False, time.monotonic(), timeout_s
    try:
        while not timed_out:
            try:
                output, _ = process.communicate(stdin, timeout=wait)
                break
            except subprocess.TimeoutExpired:
                worked, stdin = _processor_time(process.pid), None
                timed_out = worked >= timeout_s or worked < _HANGING * (time.monotonic() - begin)
                wait = max(timeout_s - worked, timeout_s / 10.0)
    finally:
        if process.returncode is None:
            # Kill the group, not only the process: Yosys starts ABC, and Ctrl-C does not reach processes of
            # another session. Until the group's leader has been waited for, its number cannot be reused.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            # A child in yet another session could keep the pipe open, so the wait is limited.
            with suppress(subprocess.TimeoutExpired):
                output, _ = process.communicate(timeout=5)
        output = _ANSI.sub("", output)
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(output, encoding="utf-8")
    return output, timed_out


def _processor_time(group: int) -> float:
    """Return the processor time in seconds of a process group, waited-for children too; 0 if unknown."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # the process has just ended
            # The name, in parentheses, may hold spaces: the fields after it are counted.
            fields = file.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[_GROUP]) == group:
                ticks += sum(map(int, fields[_TIMES]))
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@dataclass(frozen=True)
class YosysTool:
    """A Yosys program that runs scripts.

    Attributes
    ----------
    command
        Program and the arguments with which it reads a script from standard input.
    marker
        Text that it prints after the last command of a script.
    origin
        Where it was found, for reports: for example ``pyosys 0.70``, or a path.
    """

    command: tuple[str, ...]
    marker: str
    origin: str

    def run_script(
        self, script: str, *, timeout_s: float, cwd: Path | None = None, log: Path | None = None
    ) -> str:
        """Run a Yosys script, one command per line, and return its log; raises ToolError as ``run_tool``."""
        text = script if script.endswith("\n") else script + "\n"
        return run_tool(
            "yosys",
            self.command,
            timeout_s=timeout_s,
            cwd=cwd,
            log=log,
            marker=self.marker,
            errors=_YOSYS_ERROR,
            stdin=text,
        )


@dataclass(frozen=True)
class AbcTool:
    """An ABC program that runs scripts.

    Attributes
    ----------
    path
        Path of the program.
    origin
        Where it was found, for reports: for example ``pyosys 0.70``, or a path.
    """

    path: Path
    origin: str

    def run_script(
        self, commands: str, *, timeout_s: float, cwd: Path | None = None, log: Path | None = None
    ) -> str:
        """Run ABC commands, separated by ``;`` or line ends, and return their output.

        Raises
        ------
        ToolError
            The program fails, as for :func:`run_tool`. ABC continues after some errors and returns 0 after
            most, so errors are recognized by its output.
        """
        lines = [line.split("#", 1)[0].strip().rstrip(";") for line in commands.splitlines()]
        # -s: read no abc.rc, so that a user's aliases cannot change a result. -q: do not echo the script, so
        # that the marker appears in the output only when it has been printed.
        script = "; ".join([*filter(None, lines), f"echo {_ABC_MARKER}"])
        output = run_tool(
            "abc",
            [self.path, "-s", "-q", script],
            timeout_s=timeout_s,
            cwd=cwd,
            log=log,
            marker=_ABC_MARKER,
            errors=_ABC_ERROR,
        )
        return output.replace(_ABC_MARKER, "").rstrip() + "\n"


def find_yosys() -> YosysTool:
    """Return the Yosys of ``$DWN_ASIC_YOSYS``, else the ``pyosys`` package, else ``yosys`` on the PATH.

    Raises
    ------
    ToolError
        None is found; the message says where it was searched and how to get one.
    """
    override = os.environ.get(YOSYS_OVERRIDE)
    if override:
        path = _overridden("yosys", YOSYS_OVERRIDE, override)
        return YosysTool((str(path), "-s", "-"), _SYSTEM_YOSYS_MARKER, str(path))
    if importlib.util.find_spec("pyosys") is not None:
        # -P: a file in the working directory must not be imported in place of a module.
        command = (sys.executable, "-P", "-c", _PYOSYS_PROGRAM)
        return YosysTool(command, _PYOSYS_MARKER, f"pyosys {_package_version('pyosys')}")
    found = find_tool("yosys")
    if found is not None:
        return YosysTool((str(found), "-s", "-"), _SYSTEM_YOSYS_MARKER, str(found))
    raise ToolError(
        "yosys",
        f"not found; searched ${YOSYS_OVERRIDE}, the Python package 'pyosys' and the PATH for 'yosys'. "
        f"Install it with 'pip install pyosys', or set {YOSYS_OVERRIDE} to the path of a yosys program",
    )


def find_abc() -> AbcTool:
    """Return the ABC of ``$DWN_ASIC_ABC``, else the one in the ``pyosys`` package, else one on the PATH.

    Raises
    ------
    ToolError
        None is found; the message says where it was searched and how to get one.
    """
    override = os.environ.get(ABC_OVERRIDE)
    if override:
        path = _overridden("abc", ABC_OVERRIDE, override)
        return AbcTool(path, str(path))
    spec = importlib.util.find_spec("pyosys")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        bundled = Path(folder) / "yosys-abc"
        if os.access(bundled, os.X_OK):
            return AbcTool(bundled, f"pyosys {_package_version('pyosys')}")
    for name in ("yosys-abc", "abc"):
        found = find_tool(name)
        if found is not None:
            return AbcTool(found, str(found))
    raise ToolError(
        "abc",
        f"not found; searched ${ABC_OVERRIDE}, the Python package 'pyosys' and the PATH for 'yosys-abc' and "
        f"'abc'. Install it with 'pip install pyosys', or set {ABC_OVERRIDE} to the path of an abc program",
    )


def find_tool(name: str) -> Path | None:
    """Return the absolute path of a program on the PATH (iverilog, vvp, verilator, sta), or None."""
    found = shutil.which(name)
    return Path(found).absolute() if found else None


def require_tool(name: str) -> Path:
    """Return the path of an optional tool; if it is missing, the ToolError says how to install it."""
    path = find_tool(name)
    if path is None:
        hint = _INSTALL.get(name)
        raise ToolError(name, "not found on the PATH" + (f"; on Debian: {hint}" if hint else ""))
    return path


def _overridden(name: str, variable: str, value: str) -> Path:
    found = find_tool(value)
    if found is None:
        raise ToolError(name, f"{variable} is {value!r}, which is not an executable program")
    return found


def _package_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def tool_versions() -> dict[str, str]:
    """Return the version of each tool, or the reason why it is not available.

    Each tool is started once per process, which takes about 0.1 s.
    """
    others = {name: tool_version(name) for name in _VERSION_OPTIONS}
    return {"yosys": _yosys_version(), "abc": _abc_version(), **others}


def tool_version(name: str) -> str:
    """Return the version of iverilog, vvp, verilator or sta, or the reason why it is not available."""
    return _version(name, _VERSION_OPTIONS[name])


def _yosys_version() -> str:
    try:
        yosys = find_yosys()
        if yosys.marker == _PYOSYS_MARKER:
            return yosys.origin
        line = _said("yosys", Path(yosys.command[0]), "-V").strip()
    except ToolError as error:
        return str(error)
    return f"{line} ({yosys.origin})"


def _abc_version() -> str:
    try:
        abc = find_abc()
        line = _abc_said(abc, abc.path.stat().st_mtime_ns).strip()
    except ToolError as error:
        return str(error)
    return f"{line} ({abc.origin})"


def _version(name: str, option: str) -> str:
    try:
        path = require_tool(name)
        lines = _said(name, path, option).strip().splitlines()
    except ToolError as error:
        return str(error)
    return lines[0].strip() if lines else f"{path} (prints no version)"


def _said(name: str, path: Path, option: str) -> str:
    return _said_by(name, path, path.stat().st_mtime_ns, option)


@cache
def _said_by(name: str, path: Path, _written_ns: int, option: str) -> str:
    """Return what a program prints, running it only once unless its file changes."""
    return run_tool(name, [path, option], timeout_s=60)


@cache
def _abc_said(abc: AbcTool, _written_ns: int) -> str:
    return abc.run_script("version", timeout_s=60)


def mapper_fingerprint() -> dict[str, str]:
    """Identify the Yosys and the ABC in use by package version, or by path and digest of the program."""
    found: dict[str, Callable[[], YosysTool | AbcTool]] = {"yosys": find_yosys, "abc": find_abc}
    return {name: _fingerprint(find()) for name, find in found.items()}


def _fingerprint(tool: YosysTool | AbcTool) -> str:
    path = Path(tool.command[0]) if isinstance(tool, YosysTool) else tool.path
    if tool.origin.startswith("pyosys "):
        return tool.origin
    with path.open("rb") as file:
        return f"{path} {hashlib.file_digest(file, 'sha256').hexdigest()}"
