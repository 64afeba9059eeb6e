"""Read flow files (``flows/*.yaml``), which may extend one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dwn_asic.configuration import Strict
from dwn_asic.data.config import FILE_KEYS, DataConfig
from dwn_asic.data.sources import check_source, locate
from dwn_asic.errors import ConfigError
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.flow.config import FlowConfig
from dwn_asic.yaml_file import load_yaml, validate

__all__ = ["flow_files", "load_flow"]


def load_flow(path: Path, seed: int | None = None) -> FlowConfig:
    """Read one flow file.

    Parameters
    ----------
    path
        Its ``name`` defaults to the file's stem. ``extends: FILE`` takes whatever it doesn't say from another
        file, whose path is relative to this one's directory: mappings key by key, lists as a whole. The path
        of a source that is a file starts at the directory of the flow file that says it; ``data.file``,
        ``data.test_file`` and ``data.val_file`` of the result hold it as seen from the working directory.
    seed
        In place of the file's.

    Raises
    ------
    ConfigError
        With the file and the key at fault.
    """
    content = {"name": path.stem, **_extended(path, ())}
    if seed is not None:
        content["seed"] = seed
    flow = validate(FlowConfig, content, path)
    if flow.data is not None:
        check_source(flow.data, path)
    _check_outputs(flow, path)
    _check_sections(flow, path)
    _check_match(flow, path)
    return flow


def flow_files(path: Path) -> list[Path]:
    """Return the flow file and those that it extends, in turn."""
    files = [path]
    while (base := load_yaml(files[-1]).get("extends")) is not None:
        files.append(files[-1].parent / base)
    return files


def _extended(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """Read a flow file with what it takes from the one it extends; ``below`` are those that extend it."""
    content = _located(load_yaml(path), path)
    base = content.pop("extends", None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise ConfigError(path, "extends", f"is {base!r}", "the path of a flow file")
    file = path.parent / base
    if file.resolve() in {other.resolve() for other in (*below, path)}:
        raise ConfigError(path, "extends", f"{base} extends this file itself")
    if not file.exists():
        raise ConfigError(path, "extends", f"there is no file {file}")
    return _merged(_extended(file, (*below, path)), content)


def _located(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """Add the places of the files that a flow file names to its content."""
    model = content.get("model")
    if isinstance(model, dict) and "file" in model:
        if "folder" in model:
            raise ConfigError(path, "model.folder", "unknown key", ", ".join(_keys(ImportConfig)))
        content = {**content, "model": {**model, "folder": str(path.parent)}}
    data = content.get("data")
    if not isinstance(data, dict):
        return content
    for key, field in DataConfig.model_fields.items():
        if field.exclude and key in data:
            raise ConfigError(path, f"data.{key}", "unknown key", ", ".join(_keys(DataConfig)))
    places: dict[str, str | None] = {}
    for key, place in FILE_KEYS.items():
        if isinstance(source := data.get(key), str):
            file = locate(source, path.parent)
            places[place] = None if file is None else str(file)
    return {**content, "data": {**data, **places}}


def _keys(model: type[Strict]) -> list[str]:
    """Return those that a file may say."""
    return [name for name, field in model.model_fields.items() if not field.exclude]


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge two mappings, key by key where both have mappings; else ``over`` wins."""
    both = {
        key: _merged(base[key], over[key])
        for key in base.keys() & over.keys()
        if _mappings(base[key], over[key])
    }
    return {**base, **over, **both}


def _mappings(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)


def _check_sections(flow: FlowConfig, path: Path) -> None:
    """Refuse what a trained model leaves no room for, and what needs data where there is none."""
    said = flow.model_fields_set
    if isinstance(flow.model, ImportConfig):
        for section in ("encoder", "training"):
            if section in said:
                problem = "a trained model has its own thermometer, and is not trained"
                raise ConfigError(path, section, problem, "only without model.file")
    elif flow.data is None:
        raise ConfigError(path, "data", "missing", "this key is required, but for a model.file")
    if flow.data is None:
        for section, value in (("shrink", flow.shrink), ("baselines", flow.baselines)):
            if value:
                raise ConfigError(path, section, "needs rows", "only with data")


def _check_outputs(flow: FlowConfig, path: Path) -> None:
    if isinstance(flow.model, ImportConfig):
        return
    if flow.model.head == "popcount" and flow.model.code != "binary":
        raise ConfigError(path, "model.code", f"is {flow.model.code!r}", "only with head: direct")


def _check_match(flow: FlowConfig, path: Path) -> None:
    if not flow.match:
        return
    if flow.shrink is None:
        raise ConfigError(path, "match", "needs circuits to choose from", "only with shrink")
    from dwn_asic.methods.registry import plan

    names = [baseline.name for baseline in plan(flow.baselines)]
    for name in flow.match:
        if name not in names:
            raise ConfigError(
                path, "match", f"no baseline is named {name!r}", ", ".join(names) or "baselines first"
            )
