"""Reading and writing of result.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from report_examples import circuit, result, software

from dwn_asic.errors import DataError, DwnAsicError
from dwn_asic.report.result import MethodResult, Result, write_atomically


def method(**changes: object) -> MethodResult:
    values = {"name": "dwn", "label": "DWN", "method": "dwn", "kind": "exact", "metrics": {}}
    return MethodResult.model_validate(values | changes)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "build" / "phoneme" / "result.json"
    result().save(path)
    assert Result.load(path) == result()
    assert [entry.name for entry in path.parent.iterdir()] == ["result.json"]


def test_equal_results_are_equal_bytes(tmp_path: Path) -> None:
    shuffled = result(tools=dict(reversed(result().tools.items())))
    metrics = dict(reversed(software().metrics.items()))
    methods = (*result().methods[1:], software().model_copy(update={"metrics": metrics}))
    methods = (MethodResult.model_validate(methods[-1].model_dump()), *methods[:-1])
    result().save(tmp_path / "a.json")
    shuffled.model_copy(update={"methods": methods}).save(tmp_path / "b.json")
    Result.load(tmp_path / "a.json").save(tmp_path / "c.json")
    first = (tmp_path / "a.json").read_bytes()
    assert first == (tmp_path / "b.json").read_bytes() == (tmp_path / "c.json").read_bytes()
    assert first.endswith(b"}\n")


def test_counts_stay_whole_numbers(tmp_path: Path) -> None:
    result().save(tmp_path / "result.json")
    text = (tmp_path / "result.json").read_text()
    assert '"encoder__threshold__count": 12,' in text


def test_nested_mappings_are_taken() -> None:
    split = {"train": 3242, "val": 1081, "test": 1081}
    assert result(split=split) == result()


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"area__total": 1.0}, "'area__total' is not declared by the data, a circuit or a target"),
        ({"area__core": "1"}, "is '1', not a number"),
        ({"area__core": float("nan")}, "is nan, not a finite number"),
        ({"area__core": float("inf")}, "is inf, not a finite number"),
    ],
)
def test_metrics_are_those_that_are_declared(metrics: dict[str, object], message: str) -> None:
    with pytest.raises(DwnAsicError, match=message):
        method(metrics=metrics)


@pytest.mark.parametrize("name", ["area__core", "design__instance__count"])
def test_software_has_no_area(name: str) -> None:
    with pytest.raises(DwnAsicError, match=f"'dwn' is software and has {name}"):
        method(kind="software", metrics={name: 1.0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flow": "../etc"}, "flow"),
        ({"class_names": ("0",)}, "1 class names for 2 classes"),
        ({"methods": (circuit("a", "dwn", 0.8, 1, 1), software("a"))}, "methods of the same name: a"),
        ({"pdks": {}}, "pdks"),
        ({"run": {"seconds": float("nan")}}, "finite"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        result(**changes)


def test_results_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        result().seed = 1  # type: ignore[misc]


def edited(path: Path, **changes: object) -> Path:
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))
    return path


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b'{"format": 1}', b'"\xed\xa0\x80"']
)
def test_garbage_is_a_data_error(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(garbage)
    with pytest.raises(DataError, match=r"result\.json: not a result file: ") as caught:
        Result.load(path)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            Result.load(path)


def test_wrong_values_name_their_place(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    for changes, message in (
        ({"format": 2}, "format: "),
        ({"seed": "7"}, "seed: "),
        ({"methods": [{"name": "x"}]}, r"methods\.0\.label: "),
    ):
        result().save(path)
        with pytest.raises(DataError, match=message):
            Result.load(edited(path, **changes))


def test_unregistered_metrics_of_a_file_are_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result().save(path)
    for old, new in (("area__core", "area__kernel"), ('"accuracy__val": 1', '"accuracy__val": NaN')):
        path.write_text(path.read_text().replace(old, new))
        with pytest.raises(DataError, match="not a result file"):
            Result.load(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(b"old")

    def fail(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_fronts_of_earlier_versions_are_in_accuracy(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result().save(path)
    content = json.loads(path.read_text())
    point = {"core": 1.0, "total": 2.0, "accuracy_train": 0.9, "accuracy_val": 0.8}
    point |= {"accuracy_expected": 0.85, "accuracy_test": 0.7, "netlist": None}
    content["methods"][0]["front"] = [point]
    for each in content["methods"]:
        del each["metric"]
    path.write_text(json.dumps(content))
    found = Result.load(path)
    (read,) = found.methods[0].front
    assert (read.train, read.val, read.expected, read.test, read.accuracy) == (0.9, 0.8, 0.85, 0.7, 0.7)
    assert found.metric == "accuracy"
    assert found.methods[0].test == found.methods[0].metrics["accuracy__test"]


def test_all_methods_of_a_result_have_one_objective() -> None:
    methods = (circuit("a", "dwn", 0.8, 1.0, 1.0), software().model_copy(update={"metric": "f1"}))
    with pytest.raises(ValidationError, match="different objectives: accuracy, f1"):
        result(methods=methods)
