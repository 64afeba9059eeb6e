"""Plug-ins of every kind from outside the package: no file of the package is touched.

Distributions declare what they add by entry points; here a folder on the path takes the place of one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dwn_asic.flow import open_flow
from dwn_asic.flow.artifacts import RESULT
from flows import write_flow

ROOT = Path(__file__).resolve().parents[1]

PLUGIN = """
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dwn_asic.boolean.graph import Constant, GraphBuilder, Interface
from dwn_asic.configuration import Strict
from dwn_asic.data.data_source import DataSource
from dwn_asic.data.raw import RawTable
from dwn_asic.equivalence.check import check_rows
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan
from dwn_asic.metrics import lower
from dwn_asic.targets.asic import TARGET as ASIC
from dwn_asic.targets.base import Implementation, Proof, TargetKind, Technology


# ---- a method ------------------------------------------------------------------------------------
class AlwaysConfig(MethodConfig):
    kind: Literal["always"]
    index: int = 0


@dataclass(frozen=True)
class Always:
    index: int

    def __call__(self, dataset, seed, progress):
        interface = Interface(
            dataset.table.feature_names, tuple(map(int, dataset.quantizer.bits)), dataset.table.class_names
        )
        builder = GraphBuilder(interface)
        bits = [builder.add(Constant(bool(self.index >> k & 1))) for k in range(interface.class_bits)]
        return Fitted(builder.finish(bits), np.full(len(dataset.codes), self.index), {"index": self.index})


def plans(config: AlwaysConfig) -> Iterator[Plan]:
    yield Plan(f"always-{config.index}", f"always class {config.index}", config.kind, Always(config.index))


METHOD = Method("always", AlwaysConfig, plans, Look("always", "#123456", "*"), "Nobody, 2026")


# ---- a target with a metric of its own -----------------------------------------------------------
class PythonConfig(Strict):
    indent: int = 4


@dataclass(frozen=True)
class PythonTarget:
    config: PythonConfig
    technology = Technology("python", "the language", "any", "everywhere")

    @property
    def cost(self):
        from dwn_asic.targets.asic.config import SynthesisConfig
        from dwn_asic.verilog.config import HardwareConfig

        return ASIC.open(SynthesisConfig(), HardwareConfig()).cost

    def implement(self, circuit, name, vectors):
        lines = len(circuit.graph)
        text = "# " + str(lines) + "\\n" + " " * self.config.indent
        return Implementation(name, {"classify.py": text}, {"python__line__count": lines}, f"{lines} lines")

    def verify(self, built, wanted):
        got = wanted.circuit.graph.predict(wanted.codes)
        interface = wanted.graph.interface
        return Proof((check_rows("model == program", wanted.predictions, got, wanted.codes, interface),))


TARGET = TargetKind(
    kind="python",
    config=PythonConfig,
    open=lambda config, hardware: PythonTarget(config),
    cost_options=(),
    files=("classify.py",),
    metrics=(lower("python__line__count", "1", "Lines of the program"),),
    environment=lambda config: {"python": "3"},
)


# ---- a data source -------------------------------------------------------------------------------
def read(config):
    values = np.array([[float(i % 7), float(i)] for i in range(60)])
    labels = ["low" if i < 30 else "high" for i in range(60)]
    return RawTable.build(
        config.source, config.source, values=values, categorical=np.zeros(2, bool), labels=labels,
        feature_names=["a", "b"], label_name="kind",
    )


SOURCE = DataSource("made", "made:NAME", read)
"""
ENTRY_POINTS = """[dwn_asic.methods]
always = plugin:METHOD
[dwn_asic.targets]
python = plugin:TARGET
[dwn_asic.data_sources]
made = plugin:SOURCE
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder on the path that looks like an installed distribution."""
    folder = tmp_path / "site"
    metadata = folder / "plugin-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "plugin.py").write_text(PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{ROOT}")
    return folder


def run(file: Path) -> subprocess.CompletedProcess[str]:
    """Run a flow in a process of its own, as this one has searched for plug-ins before."""
    command = [sys.executable, "-m", "dwn_asic", "run", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.usefixtures("installed")
def test_a_method_a_target_a_metric_and_a_data_source_from_outside(tmp_path: Path) -> None:
    file = write_flow(
        tmp_path / "mine.yaml",
        data={"source": "made:up"},
        model={"pyramid": [2, 2]},
        target="python",
        synthesis={"indent": 2},
        baselines=[{"kind": "always", "index": 1}],
    )
    output = run(file).stdout
    assert "baseline always-1: test accuracy 0.5000" in output
    folder = tmp_path / "build" / "mine"
    result = (folder / "result.json").read_text()
    assert '"python__line__count": ' in result
    assert '"source": "made:up"' in result
    assert (folder / "classify.py").read_text().startswith("# ")
    assert (folder / "baselines" / "always-1" / "classify.py").exists()
    assert "always class 1" in (folder / "comparison.md").read_text()
    assert "is up to date" in run(file).stdout


@pytest.mark.usefixtures("installed")
def test_keys_of_a_plug_in_are_checked_as_all_others(tmp_path: Path) -> None:
    for change, says in (
        (
            {"baselines": [{"kind": "always", "class": 1}]},
            "baselines.0.class: unknown key (allowed: kind, index)",
        ),
        ({"target": "python", "synthesis": {"pdk": "x"}}, "synthesis.pdk: unknown key (allowed: indent)"),
        ({"target": "pyton"}, "target: is 'pyton' (allowed: 'aig', 'asic', 'python')"),
        ({"data": {"source": "maid:up"}}, "made:NAME"),
    ):
        file = write_flow(tmp_path / "bad.yaml", **change)
        command = [sys.executable, "-m", "dwn_asic", "run", str(file)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == 2
        assert says in done.stderr


def test_a_pdk_is_one_yaml_and_its_tables(tmp_path: Path) -> None:
    for table in ("cells.csv", "timing.csv"):
        shutil.copy(ROOT / "pdk_configs" / f"sky130hd.{table}", tmp_path / f"mine.{table}")
    text = (ROOT / "pdk_configs" / "sky130hd.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(
        text.replace("sky130hd.cells.csv", "mine.cells.csv").replace("sky130hd.timing", "mine.timing")
    )
    file = write_flow(tmp_path / "flow.yaml", synthesis={"pdk": "mine.yaml"}, baselines=[])
    run(file)
    found = open_flow(file, tmp_path / "build").read(RESULT)
    assert found.pdk.origin == "embedded table mine.cells.csv"
    assert {m.metrics["timing__estimated"] for m in found.methods if "timing__delay" in m.metrics} == {1.0}
