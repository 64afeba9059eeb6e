"""The trial of a PDK: a small design made on the spot, mapped to the library's cells and proved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import GraphBuilder, Interface, Lut, Threshold
from dwn_asic.metrics import CORE, ENCODER, TOTAL
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.base import Implementation, Proof, Specification, Vectors
from dwn_asic.verilog.config import HardwareConfig

if TYPE_CHECKING:
    from dwn_asic.targets.asic.pdk import Pdk

__all__ = ["Trial", "trial", "trial_circuit"]

_INTERFACE = Interface(("length", "width", "weight"), (6, 5, 7), ("none", "left", "right", "both"))
_CONSTANTS = ((11, 24, 37, 50), (5, 13, 22), (17, 40, 63, 90, 111))
"""Constants of the thresholds of each feature."""
_LAYERS = (10, 6, 2)
"""Number of 4-input tables in each layer, the last of which is the class index."""


@dataclass(frozen=True)
class Trial:
    """The result of a trial; every check of its proof has succeeded.

    Attributes
    ----------
    built
        The mapped design, with its files and metrics.
    proof
        Comparisons of model, graph, Verilog and netlist.
    seconds
        Time of mapping and proof, in seconds.
    """

    built: Implementation
    proof: Proof
    seconds: float

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield a name and a text for each line of ``dwn-asic pdk check``."""
        metrics = self.built.metrics
        parts = {"core": CORE, "encoder": ENCODER, "registers": "area__registers__nand2_equivalent"}
        yield "registers", self.built.registers
        yield (
            "area",
            f"{metrics['design__instance__area']:.6g} um2, {metrics[TOTAL]:.1f} NAND2-equivalents: "
            + ", ".join(f"{part} {metrics[metric]:.1f}" for part, metric in parts.items()),
        )
        yield "mapped", f"{metrics['design__instance__count']:.0f} cells"
        if "timing__delay" in metrics:
            estimated = "estimated " if metrics["timing__estimated"] else ""
            yield "timing", f"{estimated}delay {metrics['timing__delay']:.3g} ns"
            energy = f"energy {metrics['energy__inference']:.3g} pJ per inference"
            yield "power", f"{estimated}{energy}, leakage {metrics['power__leakage']:.3g} nW"
        done = [check for check in self.proof.checks if check.succeeded]
        for how in dict.fromkeys(check.how for check in done):
            checks = [check for check in done if check.how == how]
            scope = "for every input" if how == "proof" else f"on {checks[0].size} random inputs"
            yield how, f"{', '.join(check.what for check in checks)}: {scope}"
        for check in self.proof.checks:
            if not check.succeeded:
                yield "note", f"{check.what}: {check.verdict}"
        yield "time", f"{self.seconds:.1f} s"


def trial_circuit() -> Circuit:
    """Return a circuit of twelve comparators and some random 4-input tables, always the same."""
    rng = np.random.default_rng(0)
    builder = GraphBuilder(_INTERFACE)
    inputs = [Threshold(f, c) for f, constants in enumerate(_CONSTANTS) for c in constants]
    layer = [builder.add(node) for node in inputs]
    for size in _LAYERS:
        layer = [
            builder.add(
                Lut(tuple(map(int, rng.choice(layer, 4, replace=False))), int(rng.integers(1, (1 << 16) - 1)))
            )
            for _ in range(size)
        ]
    core = builder.finish(layer)
    return Circuit(encoder_graph([node for _, node in core.inputs], _INTERFACE), core)


def trial(pdk: Pdk, *, timeout_s: float = 300.0) -> Trial:
    """Map the circuit of :func:`trial_circuit` to a PDK, and prove that the netlist equals the circuit.

    It has registers at inputs and outputs if the library has a flip-flop.

    Parameters
    ----------
    pdk
        PDK to map to.
    timeout_s
        Time limit of each tool run in seconds.

    Raises
    ------
    ToolError
        Yosys is missing, fails or takes too long.
    VerificationError
        The netlist computes another function; the error has a counterexample.
    """
    start = time.perf_counter()
    registers = HardwareConfig(registers="both" if pdk.library.flip_flops else "none")
    target, circuit = AsicTarget(pdk, registers, timeout_s), trial_circuit()
    vectors = Vectors.drawn(circuit)
    built = target.implement(circuit, "trial", vectors)
    wanted = Specification(circuit.core, circuit, vectors.codes, vectors.expected)
    proof = target.verify(built, wanted)
    return Trial(built, proof, time.perf_counter() - start)
