"""The clock period to meet: slack in metrics, summary, report and data sheet; pipelines of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from dwn_asic import api
from dwn_asic.errors import ConfigError
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.targets.asic.pdk import Pdk, load_pdk
from dwn_asic.targets.asic.target import TARGET, AsicTarget
from dwn_asic.targets.asic.trial import trial_circuit
from dwn_asic.targets.base import Specification, Vectors
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.writer import Registers


def test_slack_is_the_period_minus_the_delay() -> None:
    circuit, pdk = trial_circuit(), load_pdk("sky130hd")
    vectors = Vectors.drawn(circuit)
    free = AsicTarget(pdk, HardwareConfig(), 100.0).implement(circuit, "trial", vectors)
    assert "timing__slack" not in free.metrics
    delay = free.metrics["timing__delay"]
    for clock, met in ((delay + 0.5, True), (delay - 0.25, False)):
        target = AsicTarget(pdk, HardwareConfig(clock_ns=clock), 100.0)
        built = target.implement(circuit, "trial", vectors)
        assert built.files == free.files  # the period changes no circuit
        assert built.metrics["timing__slack"] == pytest.approx(clock - delay)
        assert built.metrics["timing__clock"] == clock
        assert built.summary.endswith("met" if met else "missed")
        lines = [*target.sign_off(built, vectors.codes).lines()]
        assert sum(line.startswith("slack ") for line in lines) == 1


@pytest.mark.tool("iverilog", "vvp")
@pytest.mark.parametrize("registers", ["none", "inputs", "outputs", "both"])
def test_a_pipeline_is_proved_and_simulated_and_shortens_the_path(registers: Registers) -> None:
    circuit, pdk = trial_circuit(), load_pdk("sky130hd")
    vectors = Vectors.drawn(circuit)
    target = AsicTarget(pdk, HardwareConfig(registers=registers, pipeline=True), 100.0)
    built = target.implement(circuit, "trial", vectors)
    wanted = Specification(circuit.core, circuit, vectors.codes, vectors.expected)
    hows = [check.how for check in target.verify(built, wanted).checks]
    assert (hows.count("proof"), hows.count("simulation")) == (3, 2)
    plain = AsicTarget(pdk, HardwareConfig(registers=registers), 100.0).implement(circuit, "trial", vectors)
    held = len(circuit.core.inputs) * pdk.library.register_area
    more = built.metrics["area__registers"] - plain.metrics["area__registers"]
    assert more == pytest.approx(held)
    if registers == "both":
        assert built.metrics["timing__delay"] < plain.metrics["timing__delay"]
        # The register's output drives the core, the encoder's output its data pin.
        netlist = target.netlist(built)
        assert len(netlist.registers) == built.metrics["design__instance__count__registers"]


def test_a_period_needs_delays() -> None:
    pdk = load_pdk("sky130hd")
    bare = Pdk(pdk.config, pdk.library, pdk.origin)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dwn_asic.targets.asic.pdk.load_pdk", lambda _: bare)
        with pytest.raises(
            ConfigError, match=r"^sky130hd\.yaml: timing: is missing, .* `hardware\.clock_ns`"
        ):
            TARGET.open(SynthesisConfig(), HardwareConfig(clock_ns=2.0))
        TARGET.open(SynthesisConfig(), HardwareConfig())


@pytest.mark.parametrize(
    ("hardware", "key"),
    [
        ("clock_ns: 0", "hardware.clock_ns"),
        ("clock_ns: fast", "hardware.clock_ns"),
        ("pipeline: 2", "hardware.pipeline"),
    ],
)
def test_wrong_values_name_file_and_key(hardware: str, key: str, tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(
        "data: {source: sklearn:iris}\nmodel: {layers: [{luts: 2, inputs: 2}]}\n"
        f"hardware: {{{hardware}}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_flow(path)
    assert str(caught.value).startswith(f"{path}: {key}: ")


def test_other_targets_have_no_clock() -> None:
    with pytest.raises(ConfigError, match=r"target aig: hardware.pipeline: is true \(allowed: false\)"):
        api.target("aig", pipeline=True)


def test_keys_that_are_not_used_are_not_written() -> None:
    assert HardwareConfig().model_dump() == {"registers": "none"}
    assert HardwareConfig(pipeline=True, clock_ns=2.0).model_dump() == {
        "registers": "none",
        "pipeline": True,
        "clock_ns": 2.0,
    }
