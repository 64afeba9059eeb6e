"""Small Tiny Tapeout projects of random circuits: codes are applied at once, or written byte by byte."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from stuck import random_graph

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import Threshold
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.asic.tinytapeout.facts import ChipFacts, FeatureFacts, Rows
from dwn_asic.targets.asic.tinytapeout.project import Project, build_project
from dwn_asic.targets.asic.tinytapeout.protocol import protocol_of
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.writer import used_features

ROOT = Path(__file__).resolve().parents[1]
WIDTHS = {"parallel": (4, 3), "serial": (3, 11, 8, 3, 3)}
"""Widths of the codes; the serial project has a code of two bytes, and two codes in one byte."""


@cache
def circuit_of(kind: str) -> Circuit:
    """Return the circuit of a project."""
    graph = random_graph(7, WIDTHS[kind], luts=30)
    thresholds = [node for _, node in graph.inputs if isinstance(node, Threshold)]
    return Circuit(encoder_graph(thresholds, graph.interface), graph)


def facts_of(circuit: Circuit, name: str = "demo") -> ChipFacts:
    """Return facts in which values have halves of codes, and the last feature has categories."""
    interface, used = circuit.core.interface, used_features(circuit.encoder)
    features = [
        FeatureFacts(f, f"f|{f}", interface.widths[f], -1.5, 0.5, missing=2 if f == used[0] else None)
        for f in used[:-1]
    ]
    last = used[-1]
    names = tuple((f"kind {code}", code) for code in range(1 << interface.widths[last]))
    features.append(FeatureFacts(last, f"f{last}", interface.widths[last], 0.0, 1.0, categories=names))
    return ChipFacts(
        name,
        "random LUTs",
        tuple(features),
        interface.class_names,
        (("accuracy on 10 test rows", "0.9"),),
        ("graph == netlist (proof)",),
        ("data: none",),
        delay=11.0,
    )


def rows_of(circuit: Circuit, count: int = 40) -> Rows:
    """Return rows of random codes, and values that have these codes."""
    widths = np.array(circuit.core.interface.widths)
    codes = np.random.default_rng(3).integers(0, 1 << widths, (count, len(widths)))
    used = used_features(circuit.encoder)
    values = tuple(
        (*(float(row[f]) * 0.5 - 1.5 + 0.1 for f in used[:-1]), f"kind {row[used[-1]]}")
        for row in codes[: count // 2]
    )
    return Rows(codes, circuit.graph.predict(codes), values)


@cache
def project_of(kind: str) -> Project:
    """Return a project, which is built once."""
    circuit = circuit_of(kind)
    assert protocol_of(circuit).parallel == (kind == "parallel")
    return build_project(circuit, sky130(), facts_of(circuit), rows_of(circuit))


@cache
def sky130() -> AsicTarget:
    """Return the target with the embedded library."""
    target = AsicTarget(load_pdk("sky130hd"), HardwareConfig(), 120.0)
    assert isinstance(target.pdk.library, CellLibrary)
    return target
