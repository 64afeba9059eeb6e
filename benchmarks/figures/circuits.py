"""Topic ``circuits``: whether circuits are the same for everyone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures.table import Row, row

sys.path += ["tests"]  # the settings that a test shares with this topic

FLOWS = ("phoneme", "digits")


def training_settings() -> Iterator[Row]:
    """Count the settings of libraries and threads under which a flow trains another network."""
    from cpu_settings import one_by_one

    settings = dict(one_by_one())
    with tempfile.TemporaryDirectory() as folder:
        plain = [_network(Path(folder) / "plain", flow, {}) for flow in FLOWS]
        differing = [
            name
            for name, setting in settings.items()
            if plain != [_network(Path(folder) / name.replace(" ", "-"), flow, setting) for flow in FLOWS]
        ]
    what = (
        f"of {len(settings)} settings ({', '.join(settings)}), those under which the flow "
        f"{' or '.join(FLOWS)} trains another network than on this CPU with one thread"
    )
    yield row("circuits.training_settings_differing", what, len(differing), "settings", "<= 0")


def _network(build: Path, flow: str, setting: dict[str, str]) -> bytes:
    """Train the network of a flow in a process with this setting, and return the bytes of its file."""
    from cpu_settings import PLAIN

    build.mkdir(exist_ok=True)
    environment = {**os.environ, **PLAIN, **setting}
    file = build / f"{flow}.yaml"
    base = Path("flows", f"{flow}.yaml").resolve()
    file.write_text(f"extends: {base}\ntraining: {{threads: {environment['OMP_NUM_THREADS']}}}\n")
    network = build / flow / "network.npz"
    command = [
        sys.executable,
        "-m",
        "dwn_asic",
        "make",
        str(network),
        "--build",
        str(build),
        "--flow",
        str(file),
    ]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return network.read_bytes()


MEASUREMENTS = {"circuits.training_settings_differing": training_settings}
"""Id of each figure, and the function that measures it."""
