"""Read flow files (``flows/*.yaml``), which may extend one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dwn_asic.data.config import DataConfig
from dwn_asic.data.sources import check_source, locate
from dwn_asic.errors import ConfigError
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
        of a ``csv:`` source starts at the directory of the file that says it; ``data.file`` of the result
        holds it as seen from the working directory.
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
    check_source(flow.data, path)
    _check_outputs(flow, path)
    _check_match(flow, path)
    return flow


def flow_files(path: Path) -> list[Path]:
    """The flow file and those that it extends, in turn."""
    files = [path]
    while (base := load_yaml(files[-1]).get("extends")) is not None:
        files.append(files[-1].parent / base)
    return files


def _extended(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """The content of a flow file with that of the file it extends; ``below`` are those that extend it."""
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
    """The content of the file at ``path``, with the place of the file that its ``data.source`` names."""
    data = content.get("data")
    if not isinstance(data, dict):
        return content
    if "file" in data:
        keys = (name for name, field in DataConfig.model_fields.items() if not field.exclude)
        raise ConfigError(path, "data.file", "unknown key", ", ".join(keys))
    source = data.get("source")
    if not isinstance(source, str):
        return content
    file = locate(source, path.parent)
    return {**content, "data": {**data, "file": None if file is None else str(file)}}


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``over`` wins; where both are mappings, key by key."""
    both = {
        key: _merged(base[key], over[key])
        for key in base.keys() & over.keys()
        if _mappings(base[key], over[key])
    }
    return {**base, **over, **both}


def _mappings(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)


def _check_outputs(flow: FlowConfig, path: Path) -> None:
    if flow.model.head == "popcount" and flow.model.code != "binary":
        raise ConfigError(path, "model.code", f"is {flow.model.code!r}", "only with head: direct")


def _check_match(flow: FlowConfig, path: Path) -> None:
    if not flow.match:
        return
    if flow.shrink is None:
        raise ConfigError(path, "match", "needs circuits to choose from", "only with shrink")
    from dwn_asic.methods.registry import plan

    names = [rival.name for rival in plan(flow.baselines)]
    for name in flow.match:
        if name not in names:
            raise ConfigError(
                path, "match", f"no rival is named {name!r}", ", ".join(names) or "baselines first"
            )
