"""Checkpoints in a folder: a mapping whose values are whole files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dwn_asic.flow.store import FolderStore


def test_it_is_a_mapping(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "checkpoints")
    assert dict(store) == {}
    assert len(store) == 0
    assert not (tmp_path / "checkpoints").exists()  # looking makes no folder
    store["b"], store["a"] = b"1", b"22"
    store["b"] = b"333"
    assert list(store) == ["a", "b"]
    assert dict(store) == {"a": b"22", "b": b"333"}
    assert "a" in store
    assert "c" not in store
    del store["a"]
    assert dict(FolderStore(tmp_path / "checkpoints")) == {"b": b"333"}


@pytest.mark.parametrize("filled", [False, True])
def test_what_is_not_there_is_a_key_error(tmp_path: Path, *, filled: bool) -> None:
    store = FolderStore(tmp_path / "checkpoints")
    if filled:
        store["a"] = b""
    with pytest.raises(KeyError):
        store["b"]
    with pytest.raises(KeyError):
        del store["b"]
    assert store.get("b") is None


def test_half_a_value_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    store["a"] = b"old"

    def killed(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        store["a"] = b"new"
    with pytest.raises(KeyboardInterrupt):
        store["b"] = b"new"
    assert dict(store) == {"a": b"old"}
