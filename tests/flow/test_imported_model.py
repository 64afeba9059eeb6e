"""A flow that takes a trained network from a file: with rows and without, and the command ``chip``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.exchange.torch_dwn import export_checkpoint
from dwn_asic.flow import Flow, Reporter, open_flow, run_flow
from dwn_asic.flow.artifacts import DATASET, FRONT, MINIMIZED, NETWORK, PREDICTIONS, RESULT
from dwn_asic.flow.chip import chip_flow
from flows import Lines, finished_flow, write_flow

SHRINK = {"prices": [8.0], "temperatures": [0.5], "proposals": 5000}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """Train a network with a popcount, and export it as a checkpoint beside the flow."""
    model = {"layers": [{"luts": 9, "inputs": 3}], "head": "popcount", "temperature": 2.0}
    flow = finished_flow(tmp_path_factory.mktemp("trained"), model=model, baselines=[])
    export_checkpoint(flow.read(NETWORK), flow.folder / "model.pt")
    return flow


def imported(folder: Path, file_of_model: Path, /, **sections: object) -> Flow:
    content = {"model": {"file": str(file_of_model)}, "minimize": {"effort": "low"}, **sections}
    file = folder / "taken.yaml"
    file.write_text(yaml.safe_dump(content))
    return open_flow(file, folder / "build")


@pytest.mark.parametrize("name", ["network.npz", "model.pt"])
def test_with_rows_it_decides_as_the_model_and_shrinks(trained: Flow, tmp_path: Path, name: str) -> None:
    flow = imported(tmp_path, trained.folder / name, data={"source": "sklearn:iris"}, shrink=SHRINK)
    lines = Lines()
    ran = run_flow(flow, lines)
    assert ran[:4] == ["import", "minimize", "implement", "verify"]
    assert (
        "import: predictions differ from those with the real-valued thresholds on 0 of 150 rows"
        in lines.lines
    )
    assert (flow.read(PREDICTIONS.at("")) == trained.read(PREDICTIONS.at(""))).all()
    methods = {method.name: method for method in flow.read(RESULT).methods}
    assert set(methods) == {"dwn", "dwn-shrunk"}
    merged = flow.read(MINIMIZED.at("")).merged
    assert methods["dwn"].label == "DWN 9 (3-input LUTs), imported" + ", core with encoder" * merged
    assert {method.proof for method in methods.values()} == {"proved"}
    assert flow.read(FRONT.at("shrunk"))
    sheet = (flow.folder / "datasheet.md").read_text()
    assert "rows of any part may have been among its training data" in sheet
    assert "## Accuracy" in sheet
    assert run_flow(flow, Reporter()) == []


def test_without_rows_it_goes_to_a_proved_netlist(trained: Flow, tmp_path: Path) -> None:
    flow = imported(tmp_path, trained.folder / "network.npz")
    run_flow(flow, Reporter())
    dataset, network = flow.read(DATASET), LutNetwork.load(trained.folder / "network.npz")
    assert len(dataset.codes) == 0
    (method,) = flow.read(RESULT).methods
    assert method.proof == "proved"
    assert not [name for name in method.metrics if name.startswith("accuracy")]
    assert method.metrics["area__core"] > 0.0
    assert flow.read(RESULT).class_names == network.class_names
    assert "tb: 500 vectors" in (flow.folder / "testbench.v").read_text()
    sheet = (flow.folder / "datasheet.md").read_text()
    assert "| `x2_petal_length_cm` |" in sheet
    assert "## Accuracy" not in sheet
    assert "Example" not in sheet
    assert "no data" not in sheet


def test_core_and_encoder_stay_apart_where_the_flow_says_so(trained: Flow, tmp_path: Path) -> None:
    areas = {}
    for merge in (False, True):
        minimize = {"effort": "low", "merge": merge}
        flow = imported(tmp_path, trained.folder / "network.npz", minimize=minimize)
        run_flow(flow, Reporter())
        (method,) = flow.read(RESULT).methods
        areas[merge] = method.metrics["design__instance__area"]
        assert flow.read(MINIMIZED.at("")).merged == (merge and method.metrics["area__encoder"] == 0.0)
        assert method.label.endswith("core with encoder") == flow.read(MINIMIZED.at("")).merged
        sheet = flow.folder / "datasheet.md"
        assert ("minimized as one" in sheet.read_text()) == flow.read(MINIMIZED.at("")).merged
    assert areas[True] <= areas[False] * 1.02  # mapped by Yosys once more


def test_a_changed_model_file_runs_everything_again(trained: Flow, tmp_path: Path) -> None:
    file = tmp_path / "network.npz"
    network = LutNetwork.load(trained.folder / "network.npz")
    network.save(file)
    flow = imported(tmp_path, Path("network.npz"))
    run_flow(flow, Reporter())
    first = network.layers[0]
    changed = type(first)(first.mapping, ~first.tables)
    LutNetwork(
        network.quantizer,
        network.thermometer,
        (changed, *network.layers[1:]),
        network.head,
        network.feature_names,
        network.class_names,
    ).save(file)
    assert run_flow(flow, Reporter())[0] == "import"
    assert np.array_equal(flow.read(NETWORK.at("")).layers[0].tables, changed.tables)


def test_a_network_in_the_folder_is_never_trained_over(trained: Flow, tmp_path: Path) -> None:
    flow = open_flow(write_flow(tmp_path / "tiny.yaml"), tmp_path / "build")
    mine = (trained.folder / "network.npz").read_bytes()
    (flow.folder / "network.npz").write_bytes(mine)
    with pytest.raises(DataError, match=r"network\.npz: already exists and was not made by step train"):
        run_flow(flow, Reporter())
    assert (flow.folder / "network.npz").read_bytes() == mine


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        (
            {"training": {"epochs": 3}},
            r"training: does not apply to a trained model .*only without model\.file",
        ),
        ({"encoder": {"bits": 3}}, r"encoder: does not apply to a trained model"),
        ({"shrink": {}}, r"shrink: needs rows \(allowed: only with data\)"),
        ({"baselines": [{"kind": "gbdt"}]}, r"baselines: needs rows"),
        ({"model": {"file": "no.pt", "layers": []}}, r"model\.layers: unknown key"),
        ({"model": {"file": "no.pt", "folder": "x"}}, r"model\.folder: unknown key .*input_bits"),
    ],
)
def test_sections_that_a_trained_model_leaves_no_room_for(
    tmp_path: Path, sections: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        imported(tmp_path, Path("no.pt"), **sections)


def test_data_may_be_missing_only_beside_a_model(tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text("model: {pyramid: [2, 2]}\n")
    with pytest.raises(ConfigError, match=r"tiny\.yaml: data: missing \(allowed: .*model\.file"):
        open_flow(file, tmp_path / "build")


def test_a_missing_or_foreign_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no model")
    for name in ("none.pt", "text.pt"):
        with pytest.raises(DataError, match=name) as caught:
            run_flow(imported(tmp_path, Path(name)), Reporter())
        assert "\n" not in str(caught.value)


def test_chip_writes_the_flow_file_that_does_the_same(trained: Flow, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("a,kind\n1,x\n2,y\n")
    file = chip_flow(
        trained.folder / "model.pt", tmp_path / "build", data=str(table), label="kind", name="mine"
    )
    assert file == tmp_path / "build" / "mine" / "flow.yaml"
    assert yaml.safe_load(file.read_text()) == {
        "name": "mine",
        "model": {"file": str(trained.folder / "model.pt")},
        "data": {"source": f"csv:{table}", "label": "kind"},
        "shrink": {},
        "synthesis": {"pdk": "sky130hd"},
    }
    plain = chip_flow(trained.folder / "model.pt", tmp_path / "build")
    assert plain.parent.name == "model"
    assert set(yaml.safe_load(plain.read_text())) == {"name", "model", "synthesis"}
    run_flow(open_flow(plain, tmp_path / "build"), Reporter(), targets=["proof.json"])
    with pytest.raises(ConfigError, match=r"none\.pt: no such file"):
        chip_flow(Path("none.pt"), tmp_path / "build")


@pytest.mark.parametrize(
    ("stem", "name"), [("2-my model.v1", "my_model_v1"), ("a", "a"), ("123", "chip"), ("net-0", "net_0")]
)
def test_names_of_chips_are_names_of_modules(tmp_path: Path, stem: str, name: str) -> None:
    model = tmp_path / f"{stem}.pt"
    model.touch()
    assert chip_flow(model, tmp_path).parent.name == name
