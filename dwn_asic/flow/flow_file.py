"""Reader of flow files (``flows/*.yaml``), which may extend one another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dwn_asic.configuration import Strict
from dwn_asic.data.config import FILE_KEYS, DataConfig, ObjectiveConfig
from dwn_asic.data.sources import check_source, locate
from dwn_asic.errors import ConfigError, shortened
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.flow.config import FlowConfig
from dwn_asic.yaml_file import load_yaml, validate

__all__ = ["flow_files", "flows_of", "load_flow", "yaml_of"]

_MEMBER = re.compile(r"(.*\.ya?ml):(\w+)")
_ANY = "*"
SEARCHED = ("encoder", "model", "training", "shrink", "minimize")
"""Sections whose keys may be searched."""


def load_flow(path: Path, seed: int | None = None) -> FlowConfig:
    """Read one flow file.

    The key ``name`` defaults to the stem of the file. With ``extends: FILE``, the file inherits from another
    file, whose path is relative to the directory of this one: mappings are merged key by key, and lists are
    replaced as a whole. The path of a source is relative to the directory of the file that contains it;
    ``data.file``, ``data.test_file`` and ``data.val_file`` of the result are the paths as seen from the
    working directory.

    A file with a ``*`` in the file name of ``data.source`` stands for several flows, one for each file that
    matches. ``FILE:NAME`` is one of them: NAME takes the place of ``*`` in all sources and names the flow.

    Parameters
    ----------
    path
        Path of the flow file, or ``FILE:NAME``.
    seed
        Seed that replaces the file's; None keeps it.

    Raises
    ------
    ConfigError
        The file is wrong; the error names the file and the key.
    """
    path, member = _split(path)
    content = {"name": path.stem, **_member_of(_extended(path, ()), path, member)}
    if seed is not None:
        content["seed"] = seed
    flow = validate(FlowConfig, content, path)
    if flow.data is not None:
        check_source(flow.data, path)
    _check_outputs(flow, path)
    _check_sections(flow, path)
    _check_starts(flow, path)
    _check_match(flow, path)
    _check_search(flow, content, path)
    return flow


def flow_files(path: Path) -> list[Path]:
    """Return the flow file and all files that it extends, directly or indirectly."""
    files = [yaml_of(path)]
    while (base := load_yaml(files[-1]).get("extends")) is not None:
        files.append(files[-1].parent / base)
    return files


def yaml_of(path: Path) -> Path:
    """Return the path of the file in ``FILE:NAME``; any other path is returned as it is."""
    return _split(path)[0]


def flows_of(path: Path) -> list[Path]:
    """Return the path itself or, if the file stands for several flows, ``FILE:NAME`` for each of them."""
    file, member = _split(path)
    names = _members(_extended(file, ())) if member is None else None
    return [path] if names is None else [file.with_name(f"{file.name}:{name}") for name in names]


def _split(path: Path) -> tuple[Path, str | None]:
    """Return the file of ``FILE:NAME`` and the name, which is None for the path of a file."""
    found = _MEMBER.fullmatch(str(path))
    return (path, None) if found is None else (Path(found[1]), found[2])


def _members(content: dict[str, Any]) -> list[str] | None:
    """Return what ``*`` in the path of ``data.source`` stands for; None without ``*``."""
    data = content.get("data")
    file = data.get("file") if isinstance(data, dict) else None
    if not isinstance(file, str) or _ANY not in file:
        return None
    path = Path(file)
    start, _, end = path.name.partition(_ANY)
    present = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    matching = [name for name in present if name.startswith(start) and name.endswith(end)]
    return sorted(
        name[len(start) : len(name) - len(end)] for name in matching if len(name) > len(start + end)
    )


def _member_of(content: dict[str, Any], path: Path, member: str | None) -> dict[str, Any]:
    """Return the content of the flow that ``FILE:NAME`` names, or that of the only flow of a file."""
    names = _members(content)
    if names is None:
        if member is not None:
            raise ConfigError(f"{path}:{member}", "data.source", f"has no {_ANY}", f"{path}, a single flow")
        return content
    if member is None:
        which = f"{path}:NAME; NAME is one of {shortened(names)}" if names else "a file that it matches"
        raise ConfigError(path, "data.source", f"matches {len(names)} files, each a flow of its own", which)
    data = content["data"]
    keys = (*FILE_KEYS, *FILE_KEYS.values())
    named = {key: data[key].replace(_ANY, member) for key in keys if isinstance(data.get(key), str)}
    return {**content, "name": member, "data": {**data, **named}}


def _extended(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """Return the content of a flow file merged into the file it extends; ``below`` are files extending it."""
    content = _located(load_yaml(path), path)
    base = content.pop("extends", None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise ConfigError(path, "extends", f"is {base!r}", "the path of a flow file")
    file = path.parent / base
    if file.resolve() in {other.resolve() for other in (*below, path)}:
        raise ConfigError(path, "extends", f"is circular: {base} extends this file")
    if not file.exists():
        raise ConfigError(path, "extends", f"there is no file {file}")
    return _merged(_extended(file, (*below, path)), content)


def _located(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the content of the file at ``path`` with the locations of the model and the data added."""
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
    """Return the keys of a section that are allowed in a file."""
    return [name for name, field in model.model_fields.items() if not field.exclude]


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge two mappings recursively; values of ``over`` take precedence."""
    both = {
        key: _merged(base[key], over[key])
        for key in base.keys() & over.keys()
        if _mappings(base[key], over[key])
    }
    return {**base, **over, **both}


def _mappings(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)


def _check_sections(flow: FlowConfig, path: Path) -> None:
    """Check that no section conflicts with a trained model or needs data that is missing."""
    given = flow.model_fields_set
    if isinstance(flow.model, ImportConfig):
        for section in ("encoder", "training"):
            if section in given:
                problem = "does not apply to a trained model"
                raise ConfigError(path, section, problem, "only without model.file")
    elif flow.data is None:
        raise ConfigError(path, "data", "missing", "this key is required without model.file")
    if flow.data is None:
        objective = flow.objective != ObjectiveConfig()
        needs = {"shrink": flow.shrink is not None, "baselines": bool(flow.baselines), "objective": objective}
        for section, given_there in needs.items():
            if given_there:
                raise ConfigError(path, section, "needs rows", "only with data")


def _check_outputs(flow: FlowConfig, path: Path) -> None:
    if isinstance(flow.model, ImportConfig):
        return
    if flow.model.head == "popcount" and flow.model.code != "binary":
        raise ConfigError(path, "model.code", f"is {flow.model.code!r}", "only with head: direct")


def _check_starts(flow: FlowConfig, path: Path) -> None:
    if flow.shrink is None:
        return
    from dwn_asic.flow.starts import UNTRAINED, allowed_starts, start_folders
    from dwn_asic.methods.registry import plan

    baselines, key = plan(flow.baselines), "shrink.starts"
    for pattern in flow.shrink.starts:
        if not start_folders([pattern], baselines):
            problem = f"no circuit of the flow is named {pattern!r}, and no kind of baseline"
            raise ConfigError(path, key, problem, ", ".join(allowed_starts(baselines)))
    if UNTRAINED in flow.shrink.starts and isinstance(flow.model, ImportConfig):
        raise ConfigError(path, key, f"{UNTRAINED!r} needs an architecture", "only without model.file")


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


def _check_search(flow: FlowConfig, content: dict[str, Any], path: Path) -> None:
    """Check that every key of the search space is one of a flow file, and its values are allowed there."""
    from dwn_asic.search.space import applied, corners, read_axis

    alone = {key: value for key, value in content.items() if key != "search"}
    for key, value in (flow.search or {}).items():
        if key.partition(".")[0] not in SEARCHED:
            allowed = ", ".join(f"{section}. and a key of it" for section in SEARCHED)
            raise ConfigError(path, f"search.{key}", "cannot be searched", allowed)
        try:
            space = {key: read_axis(value)}
        except ValueError as error:
            raise ConfigError(path, f"search.{key}", f"is {value!r}", str(error)) from error
        for _, assignment in corners(space):
            try:
                validate(FlowConfig, applied(alone, space, assignment), path)
            except ConfigError as error:
                shown = space[key].value(assignment[key])
                problem = f"{error.key}: {error.problem}" if error.key != key else error.problem
                raise ConfigError(path, f"search.{key}", f"{shown}: {problem}", error.allowed) from error
