"""A graph's way to a proved netlist in its folder, as it is or shrunk; for the DWN and its rivals alike."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.files import staged, write_json
from dwn_asic.flow.context import Flow, Reporter
from dwn_asic.metrics import CORE, TEST, TOTAL

if TYPE_CHECKING:
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.optimize.lossy.config import ShrinkConfig

__all__ = ["SHRUNK", "exact_name", "shrink_circuit", "shrunk_names", "summary", "to_netlist"]


SHRUNK = "shrunk"
"""Folder of the shrunk circuit, inside that of its exact one, and the kind of its row."""
_SUFFIX = f"-{SHRUNK}"


def shrink_circuit(
    flow: Flow, config: ShrinkConfig, source: Path, reporter: Reporter, network: LutNetwork | None = None
) -> dict[str, float]:
    """Shrink the circuit in ``source`` and take the result to a proved netlist, in a folder inside it."""
    from dwn_asic import circuit
    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.optimize.lossy.shrink import shrink

    dataset, folder = flow.dataset, source / SHRUNK
    folder.mkdir(exist_ok=True)
    points, chosen = shrink(
        [BooleanGraph.load(source / "graph.json")],
        dataset.part("train"),
        dataset.part("val"),
        flow.pdk.library,
        config,
        flow.config.seed,
        network=network,
        checkpoints=folder / "chains",
        progress=lambda done, total: reporter.progress("shrinking", done, total),
    )
    circuit.save_front(folder, points, chosen, dataset, flow.pdk.library, flow.config.hardware)
    model = points[chosen].point.graph
    circuit.save_model(folder, model, model.predict(dataset.codes))
    found = to_netlist(flow, folder)
    with staged(folder, "method") as scratch:
        write_json(scratch / "method.json", found)
    shutil.rmtree(folder / "chains", ignore_errors=True)
    return found


def to_netlist(flow: Flow, folder: Path) -> dict[str, float]:
    """graph.json and predictions.npy of a folder to a proved netlist beside them, and its metrics."""
    from dwn_asic import circuit

    config, dataset, library = flow.config, flow.dataset, flow.pdk.library
    circuit.minimize_circuit(folder, library, config.minimize)
    circuit.write_design(folder, flow.name, dataset, config.hardware)
    circuit.synthesize_circuit(folder, flow.name, library, config.synthesis)
    circuit.verify_circuit(folder, flow.name, dataset, library, config.hardware, config.synthesis)
    return circuit.metrics(folder, flow.name, dataset, library)


def shrunk_names(name: str, label: str) -> dict[str, str]:
    """Name, label and kind of the row of a shrunk circuit."""
    return {"name": f"{name}{_SUFFIX}", "label": f"{label}, shrunk", "kind": SHRUNK}


def exact_name(name: str) -> str:
    """Name of the row of the circuit that was shrunk."""
    return name.removesuffix(_SUFFIX)


def summary(found: Mapping[str, float]) -> str:
    """Metrics as part of a message."""
    text = f"test accuracy {found[TEST]:.4f}"
    if TOTAL in found:
        core, total = found[CORE], found[TOTAL]
        text += f", core {core:.1f}, total {total:.1f} NAND2-equivalents, proved"
    return text
