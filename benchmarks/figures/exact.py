"""Exact minimization of one trained network against plain Yosys."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dwn_asic.encode.comparators import encoder_graph
from dwn_asic.logic.minimize import minimize
from dwn_asic.network.graph import BooleanGraph
from dwn_asic.rtl.writer import design_verilog
from dwn_asic.synth.pdk import load_pdk
from dwn_asic.synth.yosys import plain_area

__all__ = ["core_ratio"]


def core_ratio(folder: Path) -> float:
    """Core area after exact minimization over plain ``synth; abc -liberty`` of the unminimized Verilog.

    Parameters
    ----------
    folder
        Holds graph.json of a trained network.
    """
    library = load_pdk("sky130hd").library
    graph = BooleanGraph.load(folder / "graph.json")
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.v"
        encoder = encoder_graph([node for _, node in graph.inputs], graph.interface)
        plain.write_text(design_verilog("plain", encoder, graph, "none"))
        reference = plain_area(plain, "plain_core", library)
    return minimize(graph, library).area / reference
