"""Large networks through all stages after training: graph, minimization, Verilog, netlist and proof.

They are a random network of 100,000 LUTs, and the network of two layers that ``flows/accuracy/mnist.yaml``
trains.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures.kept import FOLDER
from benchmarks.figures.memory import watched
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.flow import Flow, Reporter, run_flow
from dwn_asic.flow.artifacts import NETWORK
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.optimize.exact.minimize import minimize_parts
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.base import Specification, Vectors
from dwn_asic.verilog.config import HardwareConfig

LUTS = 100_000
MNIST = Path("flows") / "accuracy" / "mnist.yaml"
_CLASSES, _INPUTS, _FEATURES, _BITS, _ROWS = 64, 6, 256, 8, 1000


def random_network(luts: int, rng: np.random.Generator) -> LutNetwork:
    """Return a network of two layers of equal size with random wires and tables, and a popcount head."""
    first = luts // 2
    layers = tuple(
        LutLayer(rng.integers(0, width, (n, _INPUTS)), rng.random((n, 1 << _INPUTS)) < 0.5)
        for width, n in ((_FEATURES * _BITS, first), (first, luts - first))
    )
    return LutNetwork(
        Quantizer(np.zeros(_FEATURES), np.ones(_FEATURES), np.full(_FEATURES, 8)),
        Thermometer(np.repeat(np.arange(_FEATURES), _BITS), np.tile(np.arange(1, 1 + _BITS) * 28, _FEATURES)),
        layers,
        Head("popcount", "onehot", _CLASSES),
        tuple(f"f{i}" for i in range(_FEATURES)),
        tuple(f"class {i}" for i in range(_CLASSES)),
    )


def measured(network: LutNetwork, codes: NDArray[np.int64]) -> dict[str, float]:
    """Return the seconds of each stage and in all, the memory in GiB, and the area in NAND2-equivalents.

    Parameters
    ----------
    network
        A network with a popcount head.
    codes
        (N, F) codes of the rows that model, graph and netlist are compared on.
    """
    target = AsicTarget(load_pdk(SynthesisConfig().pdk), HardwareConfig(), 600.0)
    found: dict[str, float] = {}
    begin = time.perf_counter()

    def done(stage: str) -> None:
        nonlocal begin
        found[stage] = time.perf_counter() - begin
        print(f"{stage}: {found[stage]:.1f} s", file=sys.stderr, flush=True)
        begin = time.perf_counter()

    with watched() as memory:
        graph = to_graph(network)
        done("graph")
        core, encoder = minimize_parts(graph, target.cost, effort="low")
        circuit = Circuit(encoder.graph, core.graph)
        done("minimize")
        predictions = network.predict(codes)
        built = target.implement(circuit, "large", Vectors(codes, predictions))
        done("implement")
        target.verify(built, Specification(graph, circuit, codes, predictions))
        done("verify")
    found["seconds"] = sum(found.values())
    found["memory"] = memory.peak
    found["area"] = built.metrics["area__nand2_equivalent"]
    return found


def random() -> dict[str, float]:
    """Measure a random network."""
    rng = np.random.default_rng(0)
    return measured(random_network(LUTS, rng), rng.integers(0, 256, (_ROWS, _FEATURES)))


def trained() -> dict[str, float]:
    """Measure the network of two layers for MNIST, which is trained first unless it was before."""
    flow = Flow(load_flow(MNIST), FOLDER / "large_network" / MNIST.stem, MNIST)
    run_flow(flow, Reporter(), targets=[NETWORK.name])
    return measured(flow.read(NETWORK), flow.dataset.part("test")[0])


if __name__ == "__main__":
    print(json.dumps({"random": random, "trained": trained}[sys.argv[1]]()))
