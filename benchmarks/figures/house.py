"""Topic ``house``: start-up times, and equality of the circuits with those of an earlier commit."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures.checkpoints import MEASUREMENTS as OF_CHECKPOINTS
from benchmarks.figures.kept import FOLDER, kept
from benchmarks.figures.table import Row, row

BEFORE = "d8318af"
"""The last commit before the code was restructured."""
DEFAULTS = tuple(sorted(path.stem for path in Path("flows").glob("*.yaml")))
NINE = tuple(sorted(path.stem for path in Path("flows/nine").glob("*.yaml")))
OURS = ("network.npz", "graph.json", "core.json", "encoder.json", "design.v", "netlist.v")
SHRUNK = (
    "graph.json",
    "core.json",
    "encoder.json",
    "design.v",
    "netlist.v",
    "front.csv",
    "front/[0-9]*.json",
)


def import_seconds() -> Iterator[Row]:
    """Measure the time of ``import dwn_asic``, best of several runs, since the machine is shared."""
    seconds = _best("import dwn_asic")
    yield row("house.import_seconds", "import dwn_asic", seconds, "s", "< 0.2")


def help_seconds() -> Iterator[Row]:
    """Measure the time of the command ``dwn-asic --help``, from its start to its end."""
    seconds = min(_seconds([sys.executable, "-m", "dwn_asic", "--help"]) for _ in range(7))
    yield row("house.help_seconds", "dwn-asic --help, whole process", seconds, "s", "< 0.4")


def no_op_seconds() -> Iterator[Row]:
    """Measure the time of ``make run`` if everything is up to date."""
    with tempfile.TemporaryDirectory() as build:
        command = ["make", "run", f"BUILD={build}", f"VENV={Path(sys.prefix)}"]
        _seconds(command)
        seconds = min(_seconds(command) for _ in range(5))
    yield row("house.no_op_seconds", "make run with nothing to do, phoneme", seconds, "s", "< 2")


def _best(code: str) -> float:
    """Measure the time of a statement in a fresh interpreter in seconds, best of seven runs."""
    program = f"import time; start = time.perf_counter(); {code}; print(time.perf_counter() - start)"
    times = [
        float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)
        for _ in range(7)
    ]
    return min(times)


def _seconds(command: list[str]) -> float:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    start = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def same_bytes() -> Iterator[Row]:
    """Compare the networks, fronts and netlists of this code with those of the earlier commit.

    Both run with the same seeds on the same machine. A search that reaches its limit of wall-clock time
    depends on the load, so both commits minimize every circuit that differs again, without that limit.
    """
    flows = {name: f"flows/{name}.yaml" for name in (*DEFAULTS, *(f"nine/{name}" for name in NINE))}
    found = {
        name: kept(f"house/{name}", lambda n=name, f=file: _compared(n, f)) for name, file in flows.items()
    }
    files = sum(each["files"] for each in found.values())
    circuits = {
        f"{name}/{folder}"
        for name, each in found.items()
        for folder in {other.rpartition("/")[0] for other in each["other"]}
    }
    what = f"networks, fronts and netlists of {len(found)} flows, seed 0: files that differ from {BEFORE}'s"
    if circuits:
        what += f", all of them of {len(circuits)} circuits ({', '.join(sorted(circuits))})"
    yield row("house.compared_files", f"networks, fronts and netlists: files compared with {BEFORE}'s", files)
    yield row("house.differing_files", what, sum(len(each["other"]) for each in found.values()), "", "<= 0")
    what = "of these circuits, those that differ when both commits minimize them without a limit of time"
    yield row("house.differing_unlimited", what, sum(map(_differs_unlimited, circuits)), "circuits", "<= 0")


def _differs_unlimited(circuit: str) -> bool:
    """Return whether both commits minimize a circuit to different graphs when their time is not limited."""
    graph = (FOLDER / "house" / "before" / circuit / "graph.json").resolve()
    effort = "low" if circuit.startswith("nine/") else "medium"

    def digest(which: str) -> dict[str, str]:
        root = Path.cwd() if which == "after" else _worktree()
        environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", _IMPORTS[which] + _MINIMIZE, str(graph), effort]
        done = subprocess.run(command, check=True, cwd=root, env=environment, capture_output=True, text=True)
        return {"digest": done.stdout.strip()}

    name = circuit.replace("/", "-")
    before, after = (
        kept(f"house/unlimited/{name}-{which}", lambda w=which: digest(w)) for which in ("before", "after")
    )
    return before != after


_IMPORTS = {
    "before": """
from dwn_asic.logic.minimize import minimize_parts
from dwn_asic.network.graph import BooleanGraph
from dwn_asic.synth.pdk import load_pdk
cost = load_pdk("sky130hd").library
""",
    "after": """
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.optimize.exact.minimize import minimize_parts
from dwn_asic.targets.asic import TARGET
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.verilog.config import HardwareConfig
cost = TARGET.open(SynthesisConfig(), HardwareConfig()).cost
""",
}
_MINIMIZE = """
import hashlib, sys, tempfile
from pathlib import Path
graph = BooleanGraph.load(Path(sys.argv[1]))
parts = minimize_parts(graph, cost, effort=sys.argv[2], timeout_s=600, budget_s=100_000)
for part in parts:
    with tempfile.TemporaryDirectory() as folder:
        part.graph.save(Path(folder) / "graph.json")
        print(hashlib.sha256((Path(folder) / "graph.json").read_bytes()).hexdigest())
"""
"""Prints the digests of the minimized core and encoder, by whichever commit's imports stand before it."""


def _compared(name: str, flow: str) -> dict[str, object]:
    """Compare the circuits of a flow, including those of its baselines, as both commits make them."""
    before, after = (_built(which, name, flow) for which in ("before", "after"))
    paths = {path: path for path in (*OURS, *(f"shrunk/{own}" for own in SHRUNK))}
    folders = sorted(folder.name for folder in (before / "baselines").iterdir() if folder.is_dir())
    paths |= {f"baselines/{b}/{own}": f"baselines/{b}/{own}" for b in folders for own in OURS[1:]}
    files, other = 0, []
    for pattern in paths:
        for path in sorted(before.glob(pattern)):
            files += 1
            place = path.relative_to(before)
            if _digest(path) != _digest(after / place):
                other.append(place.as_posix())
    return {"files": files, "other": other}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "missing"


def _built(which: str, name: str, flow: str) -> Path:
    """Return the folder of a finished run of the flow, which runs only if the folder is missing."""
    build = (FOLDER / "house" / which / Path(name).parent).resolve()
    folder = build / Path(flow).stem
    if not (folder / "result.json").exists():
        root = Path.cwd() if which == "after" else _worktree()
        environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "dwn_asic", "run", flow, "--build", str(build)]
        subprocess.run(command, check=True, cwd=root, env=environment, stdout=subprocess.DEVNULL)
    return folder


def _worktree() -> Path:
    """Return a checkout of the earlier commit, with the same shared data beside it as beside this one."""
    root = (FOLDER / "house" / "checkout" / "dwn-asic").resolve()
    if not root.exists():
        subprocess.run(["git", "worktree", "add", "--detach", str(root), BEFORE], check=True)
    shared = root.parent / "shared"
    if not shared.exists():
        shared.symlink_to((Path.cwd().parent / "shared").resolve())
    return root


MEASUREMENTS = {
    "house.import_seconds": import_seconds,
    "house.help_seconds": help_seconds,
    "house.no_op_seconds": no_op_seconds,
    "house.compared_files": same_bytes,
    "house.differing_files": same_bytes,
    "house.differing_unlimited": same_bytes,
    **OF_CHECKPOINTS,
}
"""Id of each figure, and the function that measures it; a function may measure several figures."""
