"""The nine data sets of the Tiny Classifier comparison, with networks of two kinds trained for each seed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmarks.figures.kept import FOLDER
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.dataset import Dataset
from dwn_asic.flow import Flow, Reporter, run_flow
from dwn_asic.flow.artifacts import GRAPH
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.methods.dwn.config import ModelConfig

FLOWS = Path("flows") / "nine"
SETS = tuple(sorted(path.stem for path in FLOWS.glob("*.yaml")))
SEEDS = range(5)
PYRAMIDS = {"n6": ((24, 6), (4, 6), (1, 4)), "n4": ((32, 4), (8, 4), (2, 4), (1, 2))}
"""The networks by name, as pairs (number of LUTs, inputs of each LUT) for each layer."""


@cache
def trained(name: str, pyramid: str, seed: int) -> Flow:
    """Train a network of this kind on a data set, once, and return its flow, which is kept in ``build/``."""
    file = FLOWS / f"{name}.yaml"
    flow = Flow(_config(file, pyramid, seed), FOLDER / "nine" / f"{name}-{pyramid}-{seed}", file)
    run_flow(flow, Reporter(), targets=[GRAPH.name])
    return flow


def _config(file: Path, pyramid: str, seed: int) -> FlowConfig:
    layers = [{"luts": luts, "inputs": inputs} for luts, inputs in PYRAMIDS[pyramid]]
    model = ModelConfig.model_validate({"layers": layers})
    return load_flow(file, seed).model_copy(update={"model": model})


def network(name: str, pyramid: str, seed: int) -> tuple[Dataset, BooleanGraph]:
    """Return the data set and the graph of a trained network."""
    flow = trained(name, pyramid, seed)
    return flow.dataset, flow.read(GRAPH)
