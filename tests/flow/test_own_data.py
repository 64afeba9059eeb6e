"""Flows on data as people have it: parts in files of their own, codes of an ADC, tables of logic contests."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dwn_asic.data.sources import data_files
from dwn_asic.errors import DataError
from dwn_asic.flow import Flow, Reporter, open_flow, run_flow
from dwn_asic.flow.artifacts import GRAPH, NETWORK, PREDICTIONS, RESULT
from dwn_asic.flow.run import RECORD
from flows import TINY, Lines, write_flow

ROWS = 60
SMALL: dict[str, Any] = {
    "model": {"layers": [{"luts": 4, "inputs": 3}, {"luts": 1, "inputs": 4}]},
    "training": {"epochs": 30, "batch_size": 16, "threads": 1},
    "baselines": [],
}


def table(start: int, count: int, *, class_of: Any = lambda n: n % 2) -> str:
    lines = "".join(f"{n},{4 * (n * 37 % 100)},{class_of(n)}\n" for n in range(start, start + count))
    return f"time,adc,class\n{lines}"


@pytest.fixture
def parts() -> Path:
    """Write a flow of tables in files beside it."""
    folder = Path("flows")
    folder.mkdir()
    # High where the converter is.
    for name, start, count in (("train", 0, ROWS), ("test", 100, 20), ("val", 200, 16)):
        text = table(start, count, class_of=lambda n: "high" if n * 37 % 100 > 50 else "low")
        (folder / f"{name}.csv").write_text(text)
    data = {"source": "csv:train.csv", "test": "csv:test.csv", "val": "csv:val.csv", "drop": ["time"]}
    encoder = {"input_bits": 9, "scaling": "codes", "bits": 7}
    return write_flow(folder / "parts.yaml", data=data, encoder=encoder, **SMALL)


def proved(flow: Flow) -> dict[str, float]:
    """Return the metrics of our own circuit, which is proved and computes what the network does."""
    ours, *_ = flow.read(RESULT).methods
    assert (ours.name, ours.proof) == ("dwn", "proved")
    codes = flow.dataset.codes
    assert (flow.read(GRAPH.at("")).predict(codes) == flow.read(PREDICTIONS.at(""))).all()
    return dict(ours.metrics)


def test_parts_in_files_and_codes_of_a_converter(parts: Path) -> None:
    flow, lines = open_flow(parts), Lines()
    run_flow(flow, lines)
    assert lines.lines[0] == (
        "data: csv:train.csv, test csv:test.csv, val csv:val.csv, 1 features, 2 classes, "
        "60 / 16 / 20 rows to train / validate / test"
    )
    assert lines.lines[1:3] == [
        "scaling: code = (value - value of code 0) / step, rounded and clipped",
        "scaling: adc: codes 0 to 511, the value itself",
    ]
    metrics = proved(flow)
    assert metrics["accuracy__test"] > 0.9
    dataset, network = flow.dataset, flow.read(NETWORK)
    assert dataset.codes[:, 0].tolist() == [
        4 * (n * 37 % 100) for n in (*range(60), *range(200, 216), *range(100, 120))
    ]
    assert dataset.split.test.tolist() == list(range(76, 96))
    # The chip reads the converter's bits, and codes that are no multiple of 4 too.
    assert network.quantizer.bits.tolist() == [9]
    assert "input  wire [8:0] x0_adc" in (flow.folder / "design.v").read_text()
    result = flow.read(RESULT)
    assert (result.split.train, result.split.val, result.split.test) == (60, 16, 20)
    assert result.config["data"]["test"] == "csv:test.csv"
    assert result.config["encoder"]["scaling"] == "codes"
    assert run_flow(flow, Reporter()) == []


@pytest.mark.parametrize("name", ["train", "test", "val"])
def test_a_changed_file_of_any_part_runs_what_depends_on_it(parts: Path, name: str) -> None:
    flow = open_flow(parts)
    run_flow(flow, Reporter(), targets=["network.npz"])
    assert run_flow(flow, Reporter(), targets=["network.npz"]) == []
    file = parts.parent / f"{name}.csv"
    file.write_text(file.read_text() + "999,400,high\n")
    assert run_flow(flow, Reporter(), targets=["network.npz"])[0] == "data"


def test_a_changed_scaling_runs_what_depends_on_it_and_a_changed_thermometer_not_the_data(
    parts: Path,
) -> None:
    run_flow(open_flow(parts), Reporter(), targets=["network.npz"])
    data = yaml.safe_load(parts.read_text())["data"]
    wider: dict[str, Any] = {
        "input_bits": 9,
        "scaling": "codes",
        "bits": 7,
        "features": {"adc": {"bits": 10}},
    }
    flow = open_flow(write_flow(parts, data=data, encoder=wider, **SMALL))
    assert run_flow(flow, Reporter(), targets=["network.npz"]) == ["data", "train"]
    flow = open_flow(write_flow(parts, data=data, encoder={**wider, "bits": 6}, **SMALL))
    assert run_flow(flow, Reporter(), targets=["network.npz"]) == ["train"]


def test_a_build_folder_finds_the_files_of_all_parts(parts: Path) -> None:
    flow = open_flow(parts)
    expected = {
        "source": Path("flows/train.csv"),
        "test": Path("flows/test.csv"),
        "val": Path("flows/val.csv"),
    }
    assert flow.config.data is not None
    assert data_files(flow.config.data) == expected
    again = open_flow(flow.folder)
    assert again.config.data is not None
    assert data_files(again.config.data) == expected
    assert again.config == flow.config
    run_flow(again, Reporter(), targets=["dataset.npz"])
    assert run_flow(flow, Reporter(), targets=["dataset.npz"]) == []


def test_a_record_of_an_earlier_version_has_one_table(parts: Path) -> None:
    folder = open_flow(parts).folder
    record = json.loads((folder / RECORD).read_text())
    tables = record.pop("tables")
    for key in ("test", "val", "part", "drop", "separator", "decimal"):
        del record["flow"]["data"][key]
    (folder / RECORD).write_text(json.dumps({**record, "table": tables["file"]}))
    data = open_flow(folder).config.data
    assert data is not None
    assert data_files(data) == {"source": Path("flows/train.csv")}


def test_a_path_of_a_part_starts_at_the_file_that_says_it(parts: Path) -> None:
    Path("flows/own").mkdir()
    own = Path("flows/own/mine.yaml")
    own.write_text("extends: ../parts.yaml\ndata: {test: csv:mine.csv}\n")
    data = open_flow(own).config.data
    assert data is not None
    assert data_files(data) == {
        "source": Path("flows/own/../train.csv"),
        "test": Path("flows/own/mine.csv"),
        "val": Path("flows/own/../val.csv"),
    }


def test_a_value_that_is_no_code_stops_the_run(parts: Path) -> None:
    file = parts.parent / "val.csv"
    file.write_text(file.read_text() + "7,512,high\n")
    with pytest.raises(
        DataError, match=r"^flows/val\.csv, row 17, column adc: 512 is not a code of 9 bits, an "
    ):
        run_flow(open_flow(parts), Reporter())


def test_a_column_of_parts_with_scalings_of_single_features() -> None:
    lines = ["temperature;adc;fold;class"]
    for n in range(90):
        part = ("train", "train", "Validation", "TEST")[n % 4]
        lines.append(f"{str(n / 2 - 10).replace('.', ',')};{n * 40};{part};{'warm' if n > 45 else 'cold'}")
    Path("t.csv").write_text("\n".join(lines) + "\n")
    data = {"source": "csv:t.csv", "part": "fold", "separator": ";", "decimal": ","}
    features = {"temperature": {"lo": -40, "step": 0.5, "bits": 8}, "adc": {"lo": 0, "step": 1, "bits": 12}}
    flow = open_flow(
        write_flow(Path("own.yaml"), data=data, encoder={"features": features, "bits": 7}, **SMALL)
    )
    reporter = Lines()
    run_flow(flow, reporter)
    assert reporter.lines[2:4] == [
        "scaling: temperature: codes 0 to 255 for -40 to 87.5, step 0.5",
        "scaling: adc: codes 0 to 4095, the value itself",
    ]
    assert proved(flow)["accuracy__test"] > 0.9
    assert flow.dataset.split.test.tolist() == list(range(3, 90, 4))
    assert flow.dataset.codes[:, 0].tolist() == list(range(60, 150))
    interface = flow.read(GRAPH.at("")).interface
    assert (interface.feature_names, interface.widths) == (("temperature", "adc"), (8, 12))


def test_tables_of_a_logic_contest() -> None:
    rows = [*product("01", repeat=5)]
    majority = ["".join(row) + f" {int(row.count('1') > 2)}\n" for row in rows]
    for name, lines in (("train", majority * 3), ("valid", majority[::2]), ("test", majority)):
        Path(f"{name}.pla").write_text(f".i 5\n.o 1\n.p {len(lines)}\n.type fr\n{''.join(lines)}.e\n")
    data = {"source": "pla:train.pla", "val": "pla:valid.pla", "test": "pla:test.pla"}
    tree = {"kind": "decision_tree", "leaves": [32]}
    flow = open_flow(
        write_flow(Path("contest.yaml"), **{**SMALL, "data": data, "encoder": {}, "baselines": [tree]})
    )
    reporter = Lines()
    run_flow(flow, reporter)
    assert reporter.lines[2] == "scaling: x0, x1 and 3 more: code 0 or 1, the value itself"
    graph = flow.read(GRAPH.at("baselines/tree-32"))
    assert graph.interface.widths == (1,) * 5
    bits = np.array(rows, np.int64)
    assert graph.predict(bits).tolist() == (bits.sum(axis=1) > 2).astype(int).tolist()
    ours, exact = flow.read(RESULT).methods
    assert ours.metrics["accuracy__test"] > 0.8
    assert exact.metrics["accuracy__test"] == 1.0
    for method in (ours, exact):  # a bit of the table is a bit of the chip: no comparator is needed
        assert (method.proof, method.metrics["area__encoder"]) == ("proved", 0.0)


def test_a_trained_model_gets_along_with_fixed_parts(parts: Path) -> None:
    trained = open_flow(parts)
    run_flow(trained, Reporter(), targets=["network.npz"])
    data = yaml.safe_load(parts.read_text())["data"]
    content = {
        "model": {"file": str(trained.folder / "network.npz")},
        "data": data,
        "minimize": TINY["minimize"],
    }
    Path("flows/taken.yaml").write_text(yaml.safe_dump(content))
    flow, reporter = open_flow(Path("flows/taken.yaml")), Lines()
    run_flow(flow, reporter)
    assert "scaling: adc: codes 0 to 511, the value itself" in reporter.lines
    assert flow.dataset.split.test.tolist() == list(range(76, 96))
    assert flow.dataset.codes.tolist() == trained.dataset.codes.tolist()
    assert proved(flow)["accuracy__test"] > 0.9
    (parts.parent / "test.csv").write_text(table(0, 8))
    with pytest.raises(DataError, match=r"class '0' does not occur in flows/train\.csv"):
        run_flow(flow, Reporter())
