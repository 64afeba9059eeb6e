"""The files of a run: each is read back as it was written, and a damaged one is an error of one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.errors import DataError
from dwn_asic.files import content_digest, replace_path
from dwn_asic.flow import Flow, artifacts
from dwn_asic.flow.artifacts import (
    CORE,
    DATASET,
    ENCODER,
    FITTED,
    FRONT,
    FRONT_GRAPHS,
    GRAPH,
    IMPLEMENTATION,
    LOG,
    MATCH,
    MINIMIZED,
    NETWORK,
    PREDICTIONS,
    PROOF,
    RESULT,
    FrontRow,
    MatchRecord,
    page_artifact,
    text_artifact,
)
from dwn_asic.flow.step import Artifact


def stump(constant: int) -> BooleanGraph:
    builder = GraphBuilder(Interface(("a",), (6,), ("no", "yes")))
    return builder.finish([builder.add(Lut((builder.add(Threshold(0, constant)),), 0b01))])


FRONT_ROWS = (
    FrontRow("front/00.json", 1.25, 0.0, 1.25, 0.5, 2 / 3, 0.625, 1.0, 1.0, chosen=False),
    FrontRow("front/01.json", 7.5, 3.25, 10.75, 0.75, 0.8, 0.775, 0.9, 0.9, chosen=True),
)
MADE: dict[str, Callable[[], Any]] = {
    FRONT.name: lambda: FRONT_ROWS,
    FRONT_GRAPHS.name: lambda: tuple(stump(constant) for constant in range(1, 13)),
    MATCH.name: lambda: MatchRecord("tree-3", 2),
    "page.svg": lambda: b"<svg/>\n",
    "text.v": lambda: "module ü;\r\nendmodule\n",
}
"""Contents of artifacts that a finished tiny flow lacks, or keeps as another kind of file."""
ARTIFACTS: tuple[Artifact[Any], ...] = (
    *(DATASET, NETWORK, FITTED, GRAPH, PREDICTIONS, CORE, ENCODER, MINIMIZED, IMPLEMENTATION, LOG, PROOF),
    *(RESULT, FRONT, FRONT_GRAPHS, MATCH, page_artifact("page.svg"), text_artifact("text.v")),
)


@pytest.fixture(params=ARTIFACTS, ids=lambda artifact: artifact.name)
def artifact(request: pytest.FixtureRequest) -> Artifact[Any]:
    return request.param


@pytest.fixture
def written(artifact: Artifact[Any], finished: Flow, tmp_path: Path) -> Path:
    """Write a file (or folder) of the artifact's kind."""
    path = tmp_path / artifact.name
    if artifact.name in MADE:
        artifact.codec.write(MADE[artifact.name](), path)
    else:
        replace_path(finished.folder / artifact.name, path, copy=True)
    return path


def test_all_kinds_are_looked_at() -> None:
    declared = {each for each in vars(artifacts).values() if isinstance(each, Artifact)}
    assert declared <= set(ARTIFACTS)


def test_what_is_read_is_written_as_the_same_bytes(artifact: Artifact[Any], written: Path) -> None:
    again = written.with_name("again")
    artifact.codec.write(artifact.codec.read(written), again)
    assert content_digest(again) == content_digest(written)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    rows = FRONT.codec
    rows.write(FRONT_ROWS, tmp_path / "front.csv")
    found = rows.read(tmp_path / "front.csv")
    assert [row.chosen for row in found] == [False, True]
    assert [row.circuit for row in found] == ["front/00.json", "front/01.json"]
    assert [row.total for row in found] == [1.25, 10.75]
    assert found[0].val == pytest.approx(2 / 3, abs=1e-6)
    assert found[1].point().expected == 0.775
    assert {row.start for row in found} == {""}
    named = (replace(FRONT_ROWS[0], start="tree-3", levels=4), FRONT_ROWS[1])
    rows.write(named, tmp_path / "starts.csv")
    assert [(row.start, row.levels) for row in rows.read(tmp_path / "starts.csv")] == [
        ("tree-3", 4),
        ("", None),
    ]
    MATCH.codec.write(MatchRecord("tree-3", 2), tmp_path / "match.json")
    assert MATCH.codec.read(tmp_path / "match.json") == MatchRecord("tree-3", 2)
    PREDICTIONS.codec.write(np.array([0, 2, 1]), tmp_path / "predictions.npy")
    assert PREDICTIONS.codec.read(tmp_path / "predictions.npy").tolist() == [0, 2, 1]
    text = text_artifact("text.v").codec
    text.write("a\r\nb\n", tmp_path / "text.v")
    assert (tmp_path / "text.v").read_bytes() == b"a\r\nb\n"


def test_graphs_of_a_front_keep_their_order(tmp_path: Path) -> None:
    graphs = MADE[FRONT_GRAPHS.name]() * 10  # places of more than two digits too
    FRONT_GRAPHS.codec.write(graphs, tmp_path / "front")
    found = FRONT_GRAPHS.codec.read(tmp_path / "front")
    assert [[*graph.nodes()] for graph in found] == [[*graph.nodes()] for graph in graphs]


def error_of(artifact: Artifact[Any], path: Path) -> DataError | None:
    """Return the error of reading, which must be one line that names the file; other errors fail the test."""
    try:
        artifact.codec.read(path)
    except DataError as caught:
        error = caught
    else:
        return None
    assert "\n" not in str(error)
    assert str(path) in str(error)
    return error


def test_a_missing_file_is_a_data_error(artifact: Artifact[Any], tmp_path: Path) -> None:
    assert error_of(artifact, tmp_path / "missing") is not None


def test_a_damaged_file_is_one_line_or_reads_as_before(artifact: Artifact[Any], written: Path) -> None:
    """Files are truncated, or some of their bytes replaced, at places all over the file."""
    file = written / "03.json" if written.is_dir() else written
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    noticed = 0
    for cut in np.linspace(0, max(0, len(whole) - 2), 12, dtype=int):
        file.write_bytes(whole[:cut])
        noticed += error_of(artifact, written) is not None
    for _ in range(40):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] ^= int(rng.integers(1, 256))
        file.write_bytes(damaged)
        noticed += error_of(artifact, written) is not None
    if artifact.codec not in {page_artifact("").codec, text_artifact("").codec, FRONT.codec}:
        assert noticed >= 12


@pytest.mark.parametrize(
    ("artifact", "text", "says"),
    [
        (FITTED, "{}", "is damaged: name: Field required"),
        (MINIMIZED, "[1]", "is damaged"),
        (PROOF, '[{"what": "a", "how": "b", "size": "x", "seconds": 1}]', "is damaged: 0.size"),
        (FRONT, "a,b\n1,2\n", "not a front"),
        (FRONT, "", "not a front"),
        (PREDICTIONS, "PK", "not a readable array"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_another_file_in_its_place_is_named(
    artifact: Artifact[Any], text: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / artifact.name
    path.write_text(text)
    error = error_of(artifact, path)
    assert error is not None
    assert says in str(error)


def test_other_arrays_are_no_predictions(tmp_path: Path) -> None:
    for number, array in enumerate((np.zeros(3), np.zeros((2, 2), np.int64), np.zeros(3, np.int32))):
        path = tmp_path / f"{number}.npy"
        np.save(path, array)
        error = error_of(PREDICTIONS, path)
        assert error is not None
        assert "not class indices" in str(error)
    np.savez(tmp_path / "archive.npz", a=np.zeros(3, np.int64))
    assert error_of(PREDICTIONS, tmp_path / "archive.npz") is not None


@pytest.mark.parametrize(
    ("name", "says"), [("mine.json", "mine.json instead of 01"), ("02.json", "02.json instead of 01")]
)
def test_a_front_s_folder_holds_numbered_graphs_alone(tmp_path: Path, name: str, says: str) -> None:
    FRONT_GRAPHS.codec.write((stump(3), stump(4)), tmp_path / "front")
    (tmp_path / "front" / "01.json").rename(tmp_path / "front" / name)
    error = error_of(FRONT_GRAPHS, tmp_path / "front")
    assert error is not None
    assert says in str(error)


def test_the_columns_of_a_front_name_its_score(tmp_path: Path) -> None:
    rows = [replace(row, metric="macro_f1", accuracy=0.9) for row in FRONT_ROWS]
    FRONT.codec.write(rows, tmp_path / "front.csv")
    header = (tmp_path / "front.csv").read_text().splitlines()[0].split(",")
    assert header[4:9] == [
        *(f"macro_f1_{part}" for part in ("train", "val", "expected", "test")),
        "accuracy_test",
    ]
    found = FRONT.codec.read(tmp_path / "front.csv")
    assert [(row.metric, row.accuracy) for row in found] == [("macro_f1", 0.9)] * 2
    assert [row.test for row in found] == [1.0, 0.9]


def test_a_front_of_an_earlier_version_is_in_accuracy(tmp_path: Path) -> None:
    (tmp_path / "front.csv").write_text(
        "circuit,core_nand2,encoder_nand2,total_nand2,accuracy_train,accuracy_val,accuracy_expected,"
        "accuracy_test,chosen\nfront/00.json,1.25,0.50,1.75,0.9,0.8,0.85,0.7,yes\n"
    )
    (row,) = FRONT.codec.read(tmp_path / "front.csv")
    assert (row.total, row.val, row.expected, row.test, row.accuracy) == (1.75, 0.8, 0.85, 0.7, 0.7)
    assert row.metric == "accuracy"
