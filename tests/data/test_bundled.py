from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import dwn_asic.data
from dwn_asic.data.config import DataConfig
from dwn_asic.data.sources import load_table
from dwn_asic.data.sources.bundled import NAMES as BUNDLED

FOLDER = Path(dwn_asic.data.__file__).parent / "bundled"


def test_provenance_lists_every_file_with_its_hash() -> None:
    text = (FOLDER / "PROVENANCE.md").read_text(encoding="utf-8")
    stated = {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.MULTILINE)}
    shipped = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.gz")}
    assert stated == shipped
    assert set(shipped) == {f"{name}.csv.gz" for name in BUNDLED}


@pytest.mark.parametrize("name", BUNDLED)
def test_gzip_header_holds_neither_time_nor_name(name: str) -> None:
    header = (FOLDER / f"{name}.csv.gz").read_bytes()[:10]
    assert header[3] == 0  # flags: no file name
    assert header[4:8] == b"\0\0\0\0"  # modification time


@pytest.mark.parametrize("name", BUNDLED)
def test_label_is_the_last_column(name: str) -> None:
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="ascii") as file:
        assert file.readline().rstrip("\n").split(",")[-1] == "class"


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("phoneme", (5404, 5), {"0": 3818, "1": 1586}),
        ("australian", (690, 14), {"0": 383, "1": 307}),
        ("segment", (2310, 19), dict.fromkeys("1234567", 330)),
    ],
)
def test_table(name: str, shape: tuple[int, int], classes: dict[str, int]) -> None:
    table = load_table(DataConfig(source=f"bundled:{name}"))
    assert table.source == f"bundled:{name}"
    assert table.values.shape == shape
    assert len(table.feature_names) == shape[1]
    assert np.isfinite(table.values).all()
    assert Counter(table.class_names[index] for index in table.labels) == classes


def test_first_rows_are_the_source_s() -> None:
    def first(name: str) -> list[float]:
        return load_table(DataConfig(source=f"bundled:{name}")).values[0].tolist()

    assert first("phoneme") == [1.24, 0.875, -0.205, -0.078, 0.067]
    assert first("australian") == [1, 2208, 1146, 2, 4, 4, 1585, 0, 0, 0, 1, 2, 100, 1213]
    assert first("segment")[:6] == [218, 178, 9, 0.11111111, 0, 0.8333327]
