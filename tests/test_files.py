"""Digests that tell equal from changed, and files that appear whole or not at all."""

from __future__ import annotations

import enum
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.configuration import Strict
from dwn_asic.errors import DataError
from dwn_asic.files import canonical_digest, content_digest, read_json, replace_path, staged, write_json


@dataclass(frozen=True)
class Point:
    x: int
    y: tuple[float, ...] = ()


@dataclass(frozen=True)
class Place:
    x: int
    y: tuple[float, ...] = ()


class Options(Strict):
    effort: str = "low"
    budget_s: float = 1.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def shuffled(value: object, rng: random.Random) -> object:
    """Return the same value with its mappings filled in another order."""
    if isinstance(value, list):
        return [shuffled(item, rng) for item in value]
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    return value


@given(JSON, st.randoms(use_true_random=False))
def test_the_order_of_mappings_does_not_count(value: object, rng: random.Random) -> None:
    assert canonical_digest(shuffled(value, rng)) == canonical_digest(value)


def test_equal_values_have_equal_digests() -> None:
    assert canonical_digest(Point(1, (2.0,))) == canonical_digest(Point(1, (2.0,)))
    assert canonical_digest(Options()) == canonical_digest(Options(budget_s=1.0, effort="low"))
    assert canonical_digest({"a": Path("x/y"), "b": [1]}) == canonical_digest(
        {"b": (1,), "a": Path("x") / "y"}
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Point(1), Point(2)),
        (Point(1, (1.0, 2.0)), Point(1, (2.0, 1.0))),
        (Point(1), Place(1)),
        (Options(), Options(effort="high")),
        ({"a": 1}, {"a": None}),
        ({"a": 1}, {"b": 1}),
        ([1, [2]], [1, 2]),
        ("1", 1),
        (True, "True"),
        ([], {}),
        (0.1, 0.1 + 1e-17 + 1e-16),
    ],
)
def test_other_values_have_other_digests(one: object, other: object) -> None:
    assert canonical_digest(one) != canonical_digest(other)


def test_digests_are_the_same_in_every_process() -> None:
    code = "from dwn_asic.files import canonical_digest as d; print(d({'b': [1, 2.5, None], 'a': 'ü'}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {canonical_digest({"a": "ü", "b": (1, 2.5, None)})}


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize("value", [{1, 2}, np.arange(3), np.int64(1), object(), Point, Colour.RED, len])
def test_what_has_no_canonical_form_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="has no canonical form"):
        canonical_digest({"here": [value]})


def test_content_of_a_folder_is_names_and_contents(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        (folder / "deep").mkdir(parents=True)
    for name in ("b.txt", "a.txt", "deep/c.txt"):
        (folders[0] / name).write_text(name)
    for name in ("deep/c.txt", "a.txt", "b.txt"):
        (folders[1] / name).write_text(name)
    assert content_digest(folders[0]) == content_digest(folders[1])
    seen = {content_digest(folders[0])}
    (folders[1] / "b.txt").rename(folders[1] / "d.txt")
    seen.add(content_digest(folders[1]))
    (folders[1] / "d.txt").rename(folders[1] / "b.txt")
    (folders[1] / "deep" / "c.txt").write_text("other")
    seen.add(content_digest(folders[1]))
    (folders[1] / "deep" / "c.txt").unlink()
    seen.add(content_digest(folders[1]))
    assert len(seen) == 4


def test_a_file_is_read_again_once_it_is_another(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text("one")
    other.write_text("one")
    first = content_digest(path)
    assert first == content_digest(other)
    path.write_text("two")  # as long as before
    assert content_digest(path) != first
    stamp = path.stat()
    other.write_text("six")
    os.utime(other, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    other.replace(path)  # as long, and as old, as before
    assert content_digest(path) not in {first, ""}
    path.write_text("one")
    assert content_digest(path) == first


def fill(path: Path, kind: str, text: str) -> None:
    """Write a file, a folder with a file, or nothing."""
    if kind == "folder":
        path.mkdir()
        (path / text).write_text(text)
    elif kind == "file":
        path.write_text(text)


def content(path: Path) -> str:
    return ",".join(sorted(p.name for p in path.iterdir())) if path.is_dir() else path.read_text()


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("source", ["file", "folder"])
@pytest.mark.parametrize("target", ["file", "folder", "nothing"])
def test_one_path_takes_the_place_of_another(tmp_path: Path, source: str, target: str, *, copy: bool) -> None:
    fill(tmp_path / "new", source, "new")
    (tmp_path / "deep").mkdir()
    fill(tmp_path / "deep" / "old", target, "old")
    replace_path(tmp_path / "new", tmp_path / "deep" / "old", copy=copy)
    assert content(tmp_path / "deep" / "old") == "new"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["old"]
    assert (tmp_path / "new").exists() is copy
    if copy:
        assert content(tmp_path / "new") == "new"


def test_missing_folders_are_made(tmp_path: Path) -> None:
    fill(tmp_path / "new", "file", "new")
    replace_path(tmp_path / "new", tmp_path / "a" / "b" / "old")
    assert content(tmp_path / "a" / "b" / "old") == "new"


@pytest.mark.parametrize("target", ["file", "folder", "nothing"])
def test_none_removes(tmp_path: Path, target: str) -> None:
    fill(tmp_path / "old", target, "old")
    replace_path(None, tmp_path / "old")
    assert not (tmp_path / "old").exists()


def test_staged_files_move_only_after_success(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    def interrupted() -> None:
        with staged(tmp_path, "x") as scratch:
            (scratch / "a").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with staged(tmp_path, "x") as scratch:
        (scratch / "a").write_text("new")
    assert (tmp_path / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_process_staged_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".partial-x"
    left.mkdir()
    (left / "a").write_text("half")
    with staged(tmp_path, "x") as scratch:
        (scratch / "b").write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_json_round_trip_and_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": [1, 2.5], "a": "ü"})
    assert read_json(path) == {"a": "ü", "b": [1, 2.5]}
    first = path.read_bytes()
    write_json(path, {"a": "ü", "b": [1, 2.5]})
    assert path.read_bytes() == first
    for text in (b"{", b"\xff", b""):
        path.write_bytes(text)
        with pytest.raises(DataError, match=r"a\.json: not a readable JSON file") as caught:
            read_json(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"b\.json: not a readable JSON file"):
        read_json(tmp_path / "b.json")
