"""A flow that runs in seconds, and the folder that it runs in."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import yaml

from dwn_asic.flow import Flow, Reporter, open_flow, run_flow

TINY = {
    "data": {"source": "sklearn:iris"},
    "encoder": {"input_bits": 4, "bits": 3},
    "model": {"layers": [{"luts": 4, "inputs": 3}, {"luts": 2, "inputs": 3}]},
    "training": {"epochs": 2, "threads": 1},
    "minimize": {"effort": "low"},
    "baselines": [{"kind": "decision_tree", "leaves": [3]}, {"kind": "gbdt"}],
}
FILE = Path("flows") / "tiny.yaml"
"""Path of the flow file relative to its folder, so that a copy of the folder is up to date."""


class Lines(Reporter):
    """Reporter that keeps the messages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def write_flow(path: Path, **changes: object) -> Path:
    """Write a flow file with some keys replaced, unless it has that content already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({**TINY, **changes})
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path


def finished_flow(folder: Path, like: Flow | None = None, **changes: object) -> Flow:
    """Run a flow to its end in ``folder`` and return it.

    Parameters
    ----------
    folder
        Holds ``build/tiny`` and the flow file.
    like
        A finished flow to copy; only the steps that the changes affect run again.
    changes
        Keys of the flow file.
    """
    if like is not None:
        shutil.copytree(like.folder, folder / "build" / "tiny")
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        flow = open_flow(write_flow(FILE, **changes), folder / "build")
        run_flow(flow, Reporter())
    return flow
