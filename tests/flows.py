"""A flow that runs in seconds, and the folder that it runs in."""

from __future__ import annotations

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


class Lines(Reporter):
    """Keeps the messages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def write_flow(path: Path, **changes: object) -> Path:
    """A flow file with some keys replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({**TINY, **changes}))
    return path


def finished_flow(folder: Path, **changes: object) -> Flow:
    """A flow that has run to the end in ``folder``."""
    flow = open_flow(write_flow(folder / "flows" / "tiny.yaml", **changes), folder / "build")
    run_flow(flow, Reporter())
    return flow
