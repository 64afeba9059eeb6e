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
SHRUNK = ("graph.json", "core.json", "encoder.json", "design.v", "netlist.v", "front.csv", "front/*.json")


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

    Both run with the same seeds on the same machine.
    """
    flows = [(name, f"flows/{name}.yaml") for name in DEFAULTS]
    flows += [(f"nine/{name}", f"flows/nine/{name}.yaml") for name in NINE]
    found = {name: kept(f"house/{name}", lambda f=file, n=name: _compared(n, f)) for name, file in flows}
    files = sum(each["files"] for each in found.values())
    other = [f"{name}: {', '.join(each['other'])}" for name, each in found.items() if each["other"]]
    what = f"networks, fronts and netlists of {len(found)} flows, seed 0: files that differ from {BEFORE}'s"
    if other:
        what += f" ({'; '.join(other)})"
    yield row("house.compared_files", f"networks, fronts and netlists: files compared with {BEFORE}'s", files)
    yield row("house.differing_files", what, sum(len(each["other"]) for each in found.values()), "", "<= 0")


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
    **OF_CHECKPOINTS,
}
"""Id of each figure, and the function that measures it; a function may measure several figures."""
