from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dwn_asic.boolean.lut_network import Head, LutNetwork
from dwn_asic.data.config import DataConfig, SplitConfig
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.data.split import stratified_split
from dwn_asic.data.table import PARTS, Split
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.errors import ConfigError, DataError

IRIS = DataConfig(source="sklearn:iris")


@pytest.fixture
def iris() -> Dataset:
    return prepare(IRIS, EncoderConfig(), 7)


def test_prepare_splits_by_the_flow_s_shares_and_seed() -> None:
    config = DataConfig(source="sklearn:iris", split=SplitConfig(val=0.1, test=0.3))
    dataset = prepare(config, EncoderConfig(), 7)
    assert [len(dataset.split.rows(part)) for part in PARTS] == [90, 15, 45]
    expected = stratified_split(dataset.table.labels, val=0.1, test=0.3, seed=7)
    for part in PARTS:
        assert dataset.split.rows(part).tolist() == expected.rows(part).tolist()
    other = prepare(config, EncoderConfig(), 8)
    assert other.split.test.tolist() != dataset.split.test.tolist()


def test_one_class_against_the_rest() -> None:
    whole = prepare(IRIS, EncoderConfig(), 7)
    config = DataConfig(source="sklearn:iris", one_against_rest="versicolor")
    dataset = prepare(config, EncoderConfig(), 7)
    assert dataset.table.class_names == ("not versicolor", "versicolor")
    assert (dataset.table.labels == (whole.table.labels == 1)).all()
    with pytest.raises(ConfigError, match=r"one_against_rest.*'rose'.*setosa, versicolor, virginica"):
        prepare(DataConfig(source="sklearn:iris", one_against_rest="rose"), EncoderConfig(), 7)


def test_prepare_quantizes_with_the_flow_s_width() -> None:
    dataset = prepare(DataConfig(source="sklearn:breast_cancer"), EncoderConfig(input_bits=4), 0)
    assert dataset.quantizer.bits.max() == 4
    assert dataset.codes.max() == 15


def write_table(path: Path, held_out: set[int], filler: str) -> None:
    """Write a table of 60 rows, with the filler in each column of the held-out ones."""
    lines = ["x,y,class"]
    lines += [f"{filler},{filler},{n % 2}" if n in held_out else f"{n},{n / 7},{n % 2}" for n in range(60)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_quantizer_sees_training_rows_only(tmp_path: Path) -> None:
    split = stratified_split(np.arange(60) % 2, val=0.2, test=0.2, seed=3)
    held_out = {int(n) for n in (*split.val, *split.test)}
    fitted = []
    for filler in ("0", "1e9"):
        write_table(tmp_path / "t.csv", held_out, filler)
        dataset = prepare(DataConfig(source="csv:t.csv"), EncoderConfig(), 3)
        assert {int(n) for n in dataset.split.train}.isdisjoint(held_out)
        fitted.append((dataset.quantizer.lo.tolist(), dataset.quantizer.step.tolist()))
    assert fitted[0] == fitted[1]
    top = (1 << dataset.quantizer.bits) - 1
    assert (dataset.part("test")[0] == top).all()


def test_imputation_sees_training_rows_only(tmp_path: Path) -> None:
    split = stratified_split(np.arange(60) % 2, val=0.2, test=0.2, seed=3)
    missing, *others = (int(n) for n in (*split.test, *split.val))
    lines = [f"{'?' if n == missing else 1e6 if n in others else n},{n % 2}" for n in range(60)]
    (tmp_path / "t.csv").write_text("x,class\n" + "\n".join(lines) + "\n", encoding="utf-8")
    dataset = prepare(DataConfig(source="csv:t.csv", impute="mean"), EncoderConfig(), 3)
    assert dataset.table.values[missing, 0] == pytest.approx(split.train.mean())


def test_parts_are_the_rows_of_the_split(iris: Dataset) -> None:
    for part in PARTS:
        codes, labels = iris.part(part)
        rows = iris.split.rows(part)
        assert codes.dtype == labels.dtype == np.int64
        assert codes.tolist() == iris.quantizer.codes(iris.table.values)[rows].tolist()
        assert labels.tolist() == iris.table.labels[rows].tolist()
    assert sum(len(iris.part(part)[1]) for part in PARTS) == 150


def test_codes_are_computed_once_and_read_only(iris: Dataset) -> None:
    assert iris.codes is iris.codes
    with pytest.raises(ValueError, match="read-only"):
        iris.codes[0, 0] = 1


def test_round_trip(iris: Dataset, tmp_path: Path) -> None:
    iris.save(tmp_path / "d.npz")
    again = Dataset.load(tmp_path / "d.npz")
    assert again.table.source == "sklearn:iris"
    assert again.table.feature_names == iris.table.feature_names
    assert again.table.class_names == iris.table.class_names
    assert again.table.values.tobytes() == iris.table.values.tobytes()
    assert again.codes.tolist() == iris.codes.tolist()
    for part in PARTS:
        assert [a.tolist() for a in again.part(part)] == [a.tolist() for a in iris.part(part)]
    assert not again.table.values.flags.writeable


def test_notes_are_kept(iris: Dataset, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,class\n" + "red,0\ngreen,1\n" * 3, encoding="utf-8")
    noted = prepare(DataConfig(source="csv:t.csv"), EncoderConfig(), 7)
    noted.save(tmp_path / "d.npz")
    assert Dataset.load(tmp_path / "d.npz").table.notes == ("text column 'x', 2 categories",)
    iris.save(tmp_path / "d.npz")
    assert Dataset.load(tmp_path / "d.npz").table.notes == iris.table.notes == ()


def test_equal_datasets_give_equal_bytes(iris: Dataset, tmp_path: Path) -> None:
    iris.save(tmp_path / "a.npz")
    prepare(IRIS, EncoderConfig(), 7).save(tmp_path / "b.npz")
    Dataset.load(tmp_path / "a.npz").save(tmp_path / "c.npz")
    first = (tmp_path / "a.npz").read_bytes()
    assert (tmp_path / "b.npz").read_bytes() == first
    assert (tmp_path / "c.npz").read_bytes() == first


def test_load_of_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        Dataset.load(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04rest", b"\x93NUMPY\x01\x00"])
def test_load_of_another_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "d.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a dataset file"):
        Dataset.load(path)


def test_load_of_an_array_file(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.arange(3))
    with pytest.raises(DataError, match="not a dataset file"):
        Dataset.load(tmp_path / "d.npy")


def test_load_of_a_network_file(iris: Dataset, tmp_path: Path) -> None:
    from dwn_asic.encode.thermometer import Thermometer

    thermometer = Thermometer(np.array([0]), np.array([1]))
    network = LutNetwork(
        iris.quantizer, thermometer, (), Head("direct", "binary", 2), iris.table.feature_names, ("0", "1")
    )
    network.save(tmp_path / "n.npz")
    with pytest.raises(DataError, match="not a dataset file"):
        Dataset.load(tmp_path / "n.npz")


def test_load_of_a_later_format(iris: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dwn_asic.data.dataset._FORMAT", 2)
    iris.save(tmp_path / "d.npz")
    monkeypatch.undo()
    with pytest.raises(DataError, match="dataset format 2; this version reads 1"):
        Dataset.load(tmp_path / "d.npz")


def test_load_of_damaged_files(iris: Dataset, tmp_path: Path) -> None:
    """Whatever byte is damaged, loading raises a DataError, or the byte held nothing that matters."""
    path = tmp_path / "d.npz"
    iris.save(path)
    whole = path.read_bytes()
    refused: list[str] = []
    for at in range(0, len(whole), 23):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            try:
                again = Dataset.load(path)
            except DataError as error:
                refused.append(str(error))
            else:
                assert again.codes.tolist() == iris.codes.tolist()
    assert len(refused) > len(whole) // 23
    assert all(message.startswith(f"{path}: ") for message in refused)


@pytest.mark.parametrize(
    ("split", "problem"),
    [
        (Split(np.arange(100), np.arange(100, 120), np.arange(120, 149)), "each of the 150 rows"),
        (Split(np.arange(100), np.arange(99, 120), np.arange(120, 150)), "each of the 150 rows"),
    ],
)
def test_split_must_partition_the_rows(iris: Dataset, split: Split, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Dataset(iris.table, split, iris.quantizer)


def test_quantizer_must_fit_the_table(iris: Dataset) -> None:
    with pytest.raises(ValueError, match="the quantizer has 2 features, the table 4"):
        Dataset(iris.table, iris.split, Quantizer.fit(iris.table.values[:, :2], 8))
