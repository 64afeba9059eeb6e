"""Large circuits: minimized, mapped and proved by modules, here of a few nodes each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from dwn_asic.boolean import modules
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import DataError, VerificationError
from dwn_asic.optimize.exact.minimize import minimize_parts
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.target import DESIGN, NETLIST, AsicTarget
from dwn_asic.targets.base import Implementation, Specification, Vectors
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.writer import Registers

FEATURES, CLASSES, ROWS = 6, 3, 200


@pytest.fixture(autouse=True)
def small_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "MOST_NODES", 100)
    monkeypatch.setattr(modules, "MODULE_NODES", 60)


def network(seed: int = 0) -> LutNetwork:
    """Return a random network of two layers with a popcount head."""
    rng = np.random.default_rng(seed)
    constants = np.tile([3, 6, 9, 12], FEATURES)
    width = len(constants)
    layers = tuple(
        LutLayer(rng.integers(0, inputs, (luts, 4)), rng.random((luts, 16)) < 0.5)
        for inputs, luts in ((width, 20), (20, 12))
    )
    return LutNetwork(
        Quantizer(np.zeros(FEATURES), np.ones(FEATURES), np.full(FEATURES, 4)),
        Thermometer(np.repeat(np.arange(FEATURES), 4), constants),
        layers,
        Head("popcount", "onehot", CLASSES),
        tuple(f"x{i}" for i in range(FEATURES)),
        tuple("abc"),
    )


def target(registers: Registers = "none") -> AsicTarget:
    """Return the target; with registers at inputs and outputs there is a pipeline register too."""
    hardware = HardwareConfig(registers=registers, pipeline=registers == "both")
    return AsicTarget(load_pdk(SynthesisConfig().pdk), hardware, 100.0)


@cache
def built(registers: Registers) -> tuple[Implementation, Specification]:
    """Return a network implemented by modules, and what it must compute."""
    model = network()
    graph = to_graph(model)
    core, encoder = minimize_parts(graph, target().cost, effort="low", budget_s=2.0)
    circuit = Circuit(encoder.graph, core.graph)
    codes = np.random.default_rng(1).integers(0, 16, (ROWS, FEATURES))
    wanted = Specification(graph, circuit, codes, model.predict(codes))
    return target(registers).implement(circuit, "big", Vectors(codes, wanted.predictions)), wanted


@pytest.mark.parametrize("registers", ["none", "both"])
def test_large_circuit_is_proved_by_modules(registers: Registers) -> None:
    implementation, wanted = built(registers)
    assert len(wanted.circuit.core.modules) > 5
    proof = target(registers).verify(implementation, wanted)
    assert [check.what for check in proof.checks if check.succeeded] == [
        "model == graph",
        "model == minimized",
        "graph == minimized",
        "graph == Verilog",
        "graph == netlist",
    ]
    assert "_part3" in implementation.files[NETLIST]
    areas = implementation.metrics
    assert areas["area__core"] > 0
    assert areas["design__instance__area"] == pytest.approx(
        areas["area__core"] + areas["area__encoder"] + areas["area__registers"]
    )
    assert "part" not in implementation.summary


def test_one_circuit_by_modules_and_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The netlist of all modules, read as one circuit, equals the model."""
    implementation, wanted = built("none")
    plain = Circuit(wanted.circuit.encoder.with_modules(()), wanted.circuit.core.with_modules(()))
    monkeypatch.setattr(modules, "MOST_NODES", 1 << 40)
    proof = target().verify(implementation, replace(wanted, circuit=plain))
    assert "graph == netlist" in [check.what for check in proof.checks]


def changed(implementation: Implementation, file: str, old: str, new: str) -> Implementation:
    text = implementation.files[file]
    assert old in text
    return replace(implementation, files={**implementation.files, file: text.replace(old, new, 1)})


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (DESIGN, "(part1_y)", "(part2_y)", "part"),
        (DESIGN, ".a({therm[21], ", ".a({therm[0], ", "wrong connection of part"),
        (DESIGN, "assign class_index[0] = ", "assign class_index[0] = ~", "wrong connection of class_index"),
        (DESIGN, ".class_index(class_index)", ".class_index()", "class_index"),
        (DESIGN, " & ", " | ", "fails in big_"),
        (DESIGN, "input  wire [11:0] a", "input  wire [12:0] a", "not one of 12 inputs"),
    ],
)
def test_wrong_text_is_found(file: str, old: str, new: str, message: str) -> None:
    implementation, wanted = built("none")
    wrong = changed(implementation, file, old, new)
    with pytest.raises((VerificationError, DataError), match=message):
        target().verify(wrong, wanted)


@pytest.mark.parametrize("file", [DESIGN, NETLIST])
def test_an_output_of_another_name_is_found(file: str) -> None:
    implementation, wanted = built("none")
    text = implementation.files[file].replace("class_index", "class_number")
    wrong = replace(implementation, files={**implementation.files, file: text})
    with pytest.raises(VerificationError, match="wrong connection of class_index, 0 bits"):
        target().verify(wrong, wanted)


def test_missing_register_is_found() -> None:
    implementation, wanted = built("none")
    with pytest.raises(VerificationError, match=r"0 registers before .*, expected 1"):
        target("both").verify(implementation, wanted)


def test_wrong_graph_is_found() -> None:
    implementation, wanted = built("none")
    graph = to_graph(replace(network(), layers=tuple(map(inverted, network().layers))))
    rowless = replace(wanted, graph=graph, codes=wanted.codes[:0], predictions=wanted.predictions[:0])
    with pytest.raises(VerificationError, match="graph == minimized fails"):
        target().verify(implementation, rowless)


def inverted(layer: LutLayer) -> LutLayer:
    return LutLayer(layer.mapping, ~layer.tables)


def test_graph_file_keeps_modules(tmp_path) -> None:  # type: ignore[no-untyped-def]
    _, wanted = built("none")
    wanted.circuit.core.save(tmp_path / "core.json")
    assert BooleanGraph.load(tmp_path / "core.json").modules == wanted.circuit.core.modules
