"""Names of data sources, paths relative to a flow file, and tables from sklearn, openml and a plug-in."""

from __future__ import annotations

from http.client import IncompleteRead
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import sklearn.datasets

from dwn_asic.data.config import DataConfig
from dwn_asic.data.sources import data_files, data_sources, load_table, locate
from dwn_asic.data.sources.sklearn import NAMES as SKLEARN
from dwn_asic.errors import ConfigError, DataError

GOOD = "a,b,class\n" + "".join(f"{n},{n / 2},{n % 2}\n" for n in range(8))


# --- where a path starts


def test_path_starts_at_the_folder_else_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows, work = tmp_path / "flows", tmp_path / "work"
    for folder in (flows, work):
        folder.mkdir()
    (work / "t.csv").write_text(GOOD, encoding="utf-8")
    monkeypatch.chdir(work)
    here, absolute = "csv:t.csv", f"csv:{work / 't.csv'}"
    assert locate(here, flows) == Path("t.csv")
    assert load_table(DataConfig(source=here)).feature_names == ("a", "b")
    (flows / "t.csv").write_text(GOOD.replace("a,b", "c,d"), encoding="utf-8")
    assert locate(here, flows) == flows / "t.csv"
    table = load_table(DataConfig(source=here, file=str(flows / "t.csv")))
    assert (table.source, table.feature_names) == (here, ("c", "d"))
    assert load_table(DataConfig(source=here)).feature_names == ("a", "b")
    assert locate(absolute, flows) == work / "t.csv"
    assert load_table(DataConfig(source=absolute)).feature_names == ("a", "b")


def test_only_a_file_of_the_user_s_is_a_data_file(tmp_path: Path) -> None:
    def files(**config: str) -> dict[str, Path]:
        return data_files(DataConfig(**config))

    assert files(source="csv:t.csv") == {"source": Path("t.csv")}
    assert files(source="csv:t.csv", file="a/t.csv") == {"source": Path("a/t.csv")}
    assert files(source="csv:~/t.csv") == {"source": tmp_path / "t.csv"}  # HOME of the tests
    for source in ("bundled:phoneme", "sklearn:iris", "openml:42", "csv:", "none:t.csv"):
        assert files(source=source) == {}
    every = files(source="arff:a.arff", test="pla:b.pla", test_file="c/b.pla", val="csv:v.csv")
    assert every == {"source": Path("a.arff"), "test": Path("c/b.pla"), "val": Path("v.csv")}
    assert files(source="sklearn:iris", test="csv:t.csv") == {"test": Path("t.csv")}


# --- which sources there are


def test_a_source_is_a_module_of_the_package() -> None:
    sources = data_sources()
    assert set(sources) == {"arff", "bundled", "csv", "openml", "pla", "sklearn"}
    assert {scheme for scheme, source in sources.items() if source.has_file} == {"arff", "csv", "pla"}
    assert all(source.form.startswith(f"{scheme}:") for scheme, source in sources.items())


PLUGIN = """
import numpy as np
from dwn_asic.data.data_source import DataSource
from dwn_asic.data.raw import RawTable

def read(config):
    n = int(config.name)
    return RawTable.build(
        config.source, config.source, values=np.arange(2.0 * n).reshape(n, 2),
        categorical=np.zeros(2, np.bool_), labels=[str(i % 2) for i in range(n)],
        feature_names=["a", "b"], label_name="y",
    )

SOURCE = DataSource("rows", "rows:COUNT", read)
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> None:
    """Install a package of one module with an entry point, as pip does."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[dwn_asic.data_sources]\n{name} = {name}:SOURCE\n")
    monkeypatch.syspath_prepend(folder)


def test_another_package_adds_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError):
        load_table(DataConfig(source="rows:8"))
    install(tmp_path, monkeypatch, "counted_rows", PLUGIN)
    table = load_table(DataConfig(source="rows:8"))
    assert table.values.tolist() == [[2 * n, 2 * n + 1] for n in range(8)]
    with pytest.raises(ConfigError, match="rows:COUNT"):
        load_table(DataConfig(source="rows:"))


def test_two_sources_of_one_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "second_csv", PLUGIN.replace('"rows"', '"csv"'))
    with pytest.raises(ConfigError, match="csv: two data sources"):
        load_table(DataConfig(source="csv:t.csv"))


@pytest.mark.parametrize("source", ["phoneme", "file:x.csv", "csv:", "", ":x", "BUNDLED:phoneme"])
def test_unknown_scheme_lists_the_schemes(source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_table(DataConfig(source=source))
    assert caught.value.key == "data.source"
    assert repr(source) in str(caught.value)
    for form in ("bundled:NAME", "sklearn:NAME", "csv:PATH", "arff:PATH", "pla:PATH", "openml:ID"):
        assert form in caught.value.allowed


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("bundled:mnist", "australian, phoneme, segment"),
        ("bundled:../x", "australian, phoneme, segment"),
        ("sklearn:diabetes", "breast_cancer, digits, iris, wine"),
        ("openml:phoneme", "openml:ID, where ID is the number of a data set"),
    ],
)
def test_unknown_name_lists_the_names(source: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_table(DataConfig(source=source))
    assert caught.value.key == "data.source"
    assert caught.value.allowed == allowed


# --- sklearn


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("breast_cancer", (569, 30), ("benign", "malignant")),
        ("digits", (1797, 64), tuple("0123456789")),
        ("iris", (150, 4), ("setosa", "versicolor", "virginica")),
        ("wine", (178, 13), ("class_0", "class_1", "class_2")),
    ],
)
def test_sklearn(name: str, shape: tuple[int, int], classes: tuple[str, ...]) -> None:
    assert name in SKLEARN
    table = load_table(DataConfig(source=f"sklearn:{name}"))
    assert table.values.shape == shape
    assert len(table.feature_names) == shape[1]
    assert table.class_names == classes


def test_sklearn_labels_keep_their_meaning() -> None:
    table = load_table(DataConfig(source="sklearn:breast_cancer"))
    counts = dict(zip(table.class_names, np.bincount(table.labels).tolist(), strict=True))
    assert counts == {"benign": 357, "malignant": 212}


def test_sklearn_has_no_label_column_to_choose() -> None:
    with pytest.raises(ConfigError) as caught:
        load_table(DataConfig(source="sklearn:iris", label="class"))
    assert caught.value.key == "data.label"


# --- openml, with a local stand-in


class Bunch(SimpleNamespace):
    """Stand-in for the result of fetch_openml, with the part that we use."""

    def get(self, key: str) -> Any:
        return getattr(self, key, None)


def answer(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> dict[str, Any]:
    """Replace the download; the returned dictionary fills with what it was asked for."""
    fields = {
        "data": np.array([[1.5, 0.0], [2.5, 1.0], [3.5, 1.0]] * 3),
        "target": np.array(["no", "yes", "no"] * 3, dtype=object),
        "feature_names": ["length", "colour"],
        "target_names": ["verdict"],
        "categories": {"colour": ["red", "blue"]},
    }
    asked: dict[str, Any] = {}

    def fetch(**arguments: Any) -> Bunch:
        asked.update(arguments)
        return Bunch(**(fields | changes))

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    return asked


def test_openml(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch)
    table = load_table(DataConfig(source="openml:42"))
    assert (asked["data_id"], asked["target_column"]) == (42, "default-target")
    assert asked["as_frame"] is False  # pandas is not a dependency
    assert asked["parser"] == "liac-arff"
    assert table.feature_names == ("length", "colour")
    assert table.class_names == ("no", "yes")
    assert table.values[0].tolist() == [1.5, 0.0]


def test_openml_label_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch)
    load_table(DataConfig(source="openml:42", label="colour"))
    assert asked["target_column"] == "colour"


def test_openml_numeric_target(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, target=np.array([1.0, 2.0, 10.0] * 3))
    assert load_table(DataConfig(source="openml:42")).class_names == ("1", "2", "10")


def test_openml_sparse_data(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.sparse import csr_matrix

    dense = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]] * 3)
    answer(monkeypatch, data=csr_matrix(dense), categories=None)
    assert load_table(DataConfig(source="openml:42")).values.tolist() == dense.tolist()


def test_openml_missing_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    data = np.array([[1.0, 0.0], [np.nan, np.nan], [3.0, 1.0], [8.0, 1.0]] * 3)
    answer(monkeypatch, data=data, target=np.array(["no", "yes", "no", "yes"] * 3, dtype=object))
    with pytest.raises(DataError) as caught:
        load_table(DataConfig(source="openml:42"))
    assert (caught.value.file, caught.value.row, caught.value.column) == ("openml:42", 2, "length")
    table = load_table(DataConfig(source="openml:42", impute="mean"))
    assert table.values[1].tolist() == [4.0, 1.0]  # the mean, and the mode of the categories


def test_openml_infinite_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, data=np.array([[1.0, 0.0], [2.0, np.inf], [3.0, 1.0]] * 3))
    with pytest.raises(DataError) as caught:
        load_table(DataConfig(source="openml:42"))
    assert (caught.value.row, caught.value.column, caught.value.problem) == (
        2,
        "colour",
        "the value is infinite",
    )


@pytest.mark.parametrize("target", [None, np.zeros((9, 2))])
def test_openml_without_a_single_target(monkeypatch: pytest.MonkeyPatch, target: Any) -> None:
    answer(monkeypatch, target=target)
    with pytest.raises(DataError, match=r"openml:42: .* set data.label"):
        load_table(DataConfig(source="openml:42"))


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (
            URLError("Name or service not known"),
            "Name or service not known; the first download needs a network",
        ),
        (TimeoutError("timed out"), "timed out"),
        (IncompleteRead(b""), "IncompleteRead"),
        (ValueError("STRING attributes are\nnot supported"), "STRING attributes are not supported"),
    ],
)
def test_openml_failure_is_one_line(monkeypatch: pytest.MonkeyPatch, failure: Exception, text: str) -> None:
    def fetch(**_: Any) -> None:
        raise failure

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    with pytest.raises(DataError) as caught:
        load_table(DataConfig(source="openml:42"))
    message = str(caught.value)
    assert message.startswith("openml:42: cannot be fetched from OpenML: ")
    assert text in message
    assert "\n" not in message
