"""Rules of the files of a repository: info.yaml, Verilog, documentation, licence and workflows."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from dwn_asic.errors import DwnAsicError, ToolError
from dwn_asic.targets.asic.tinytapeout.precheck.rule import NotCheckedError, Rule, RuleBrokenError
from dwn_asic.targets.asic.tinytapeout.tiles import PORTS, TILES, Tile
from dwn_asic.tools import find_yosys
from dwn_asic.yaml_file import validate

__all__ = ["RULES", "InfoFile", "Repository", "write_files"]

_YAML_VERSION = 6
_INFO, _DOCUMENTATION, _MAKEFILE = "info.yaml", "docs/info.md", "test/Makefile"
_SOURCE = re.compile(r"[\w./-]+\.(?:v|sv|vh|svh)")
_TEMPLATE_TOP = "tt_um_example"
_PLACEHOLDERS = (
    "Explain how your project works",
    "Explain how to use your project",
    "List external hardware used in your project",
    "This file is used to generate your project datasheet",
)
"""Sentences of the template that its user has to replace."""
_SECTIONS = "How it works", "How to test"
_WORKFLOWS = "docs", "gds", "test"
_LATCHES = "t:$dlatch t:$adlatch t:$dlatchsr"
_TIMEOUT_S = 120.0


class _Project(BaseModel):
    """The section ``project`` of info.yaml; further keys are allowed, and have no effect."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    title: str = Field(min_length=1)
    author: str = Field(min_length=1)
    description: str = Field(min_length=1)
    language: str = Field(min_length=1)
    clock_hz: int = Field(ge=0)
    tiles: str
    top_module: str = Field(pattern=r"^tt_um_\w+$")
    source_files: list[str] = Field(min_length=1)
    analog_pins: int = Field(default=0, ge=0, le=0)

    @field_validator("tiles")
    @classmethod
    def _known(cls, tiles: str) -> str:
        known = [tile.name for tile in TILES]
        if tiles not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return tiles


class InfoFile(BaseModel):
    """The content of info.yaml."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    project: _Project
    pinout: dict[str, str]
    yaml_version: int = Field(ge=_YAML_VERSION, le=_YAML_VERSION)

    @property
    def tile(self) -> Tile:
        """Size of the design."""
        return next(tile for tile in TILES if tile.name == self.project.tiles)


@dataclass(frozen=True, eq=False)
class Repository:
    """A repository as path and text of each of its text files."""

    files: Mapping[str, str]

    def text(self, path: str) -> str:
        """Return the text of a file; raises RuleBrokenError if there is none."""
        if path not in self.files:
            raise RuleBrokenError(f"there is no {path}")
        return self.files[path]

    @cached_property
    def info(self) -> InfoFile:
        """Content of info.yaml; raises RuleBrokenError or ConfigError if it is wrong."""
        try:
            content = yaml.safe_load(self.text(_INFO))
        except yaml.YAMLError as error:
            raise RuleBrokenError(f"{_INFO} is not YAML: {' '.join(str(error).split())}") from error
        if not isinstance(content, dict):
            raise RuleBrokenError(f"{_INFO} must be a mapping of keys to values")
        return validate(InfoFile, content, _INFO)

    @property
    def known_info(self) -> InfoFile:
        """Content of info.yaml for the rules that need it, which cannot be checked if it is wrong."""
        try:
            return self.info
        except DwnAsicError as error:
            raise NotCheckedError(f"{_INFO} is wrong") from error

    @property
    def sources(self) -> dict[str, str]:
        """Path and text of each source file; raises RuleBrokenError if one is missing."""
        return {f"src/{name}": self.text(f"src/{name}") for name in self.known_info.project.source_files}

    @cached_property
    def ports(self) -> dict[str, tuple[str, int]]:
        """Direction and width of each port of the top module, as Yosys elaborates the sources."""
        top, sources = self.known_info.project.top_module, self.sources
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            write_files(folder, {path: text for path, text in self.files.items() if path.startswith("src/")})
            script = [
                *(f"read_verilog -sv -I src {path}" for path in sources),
                f"hierarchy -check -top {top}",
                "proc",
                "check -assert",
                f"select -assert-none {_LATCHES}",
                "write_json design.json",
            ]
            try:
                find_yosys().run_script("\n".join(script), timeout_s=_TIMEOUT_S, cwd=folder)
            except ToolError as error:
                lines = [line for line in error.output.splitlines() if line.startswith("ERROR")]
                raise RuleBrokenError(lines[0] if lines else str(error)) from error
            content: dict[str, Any] = json.loads((folder / "design.json").read_text())
        module = content["modules"][top]
        return {name: (port["direction"], len(port["bits"])) for name, port in module["ports"].items()}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write text files below a folder."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")


# ---- the rules ---------------------------------------------------------------------------------------------
def _info(repository: Repository) -> str:
    project = repository.info.project
    if project.top_module == _TEMPLATE_TOP:
        raise RuleBrokenError(f"{_INFO}: project.top_module is the template's, {_TEMPLATE_TOP}")
    return f"{project.top_module}, {project.tiles} tiles, {project.clock_hz} Hz"


def _pinout(repository: Repository) -> str:
    pinout = repository.known_info.pinout
    wanted = [f"{port}[{bit}]" for port in ("ui", "uo", "uio") for bit in range(8)]
    missing, other = (
        [pin for pin in wanted if pin not in pinout],
        [pin for pin in pinout if pin not in wanted],
    )
    if missing or other:
        problem = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(other)}, which is no pin"
        raise RuleBrokenError(f"{_INFO}: pinout {problem}")
    used = sum(bool(pinout[pin]) for pin in wanted)
    if not used:
        raise RuleBrokenError(f"{_INFO}: pinout is empty")
    return f"{used} of {len(wanted)} pins are in use"


def _sources(repository: Repository) -> str:
    names = repository.known_info.project.source_files
    for name in names:
        if not _SOURCE.fullmatch(name) or ".." in name:
            raise RuleBrokenError(f"{_INFO}: project.source_files: {name!r} is no Verilog file below src")
    unlisted = [
        path
        for path in repository.files
        if path.startswith("src/") and path.endswith((".v", ".sv")) and path.removeprefix("src/") not in names
    ]
    if unlisted:
        raise RuleBrokenError(f"{_INFO}: project.source_files lacks {', '.join(unlisted)}")
    simulated = re.search(r"^PROJECT_SOURCES *[:?]?= *(.*)$", repository.text(_MAKEFILE), re.MULTILINE)
    if simulated is None or simulated[1].split() != names:
        raise RuleBrokenError(f"{_MAKEFILE}: PROJECT_SOURCES are not the files of {_INFO}")
    return f"{len(repository.sources)} files"


def _ports(repository: Repository) -> str:
    found = repository.ports
    for port in PORTS:
        if port.name not in found:
            raise RuleBrokenError(f"the top module has no port {port.name}")
        if found[port.name] != (port.direction, port.width):
            direction, width = found[port.name]
            raise RuleBrokenError(
                f"port {port.name} is an {direction} of {width} bits instead of an {port.direction} of "
                f"{port.width}"
            )
    other = sorted(found.keys() - {port.name for port in PORTS})
    if other:
        raise RuleBrokenError(f"the top module has other ports: {', '.join(other)}")
    return f"{len(found)} ports"


def _verilog(repository: Repository) -> str:
    modules = len(repository.ports) and sum(text.count("\nendmodule") for text in repository.sources.values())
    return f"Yosys elaborates {modules} modules without latches and undriven outputs"


def _documentation(repository: Repository) -> str:
    text = repository.text(_DOCUMENTATION)
    for sentence in _PLACEHOLDERS:
        if sentence in text:
            raise RuleBrokenError(f"{_DOCUMENTATION} has a sentence of the template: {sentence!r}")
    sections = dict(_markdown_sections(text))
    for section in _SECTIONS:
        if not sections.get(section, "").strip():
            raise RuleBrokenError(f"{_DOCUMENTATION} has no section {section!r}, or it is empty")
    return f"{len(text.split())} words"


def _markdown_sections(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^##? +(.+?) *$", text, flags=re.MULTILINE)[1:]
    yield from zip(parts[::2], parts[1::2], strict=True)


def _licence(repository: Repository) -> str:
    text = repository.text("LICENSE")
    if "Apache License" not in text or "Version 2.0" not in text:
        raise RuleBrokenError("LICENSE is not the Apache License 2.0 of the template")
    return "Apache License 2.0"


def _workflows(repository: Repository) -> str:
    for name in _WORKFLOWS:
        path = f".github/workflows/{name}.yaml"
        try:
            content = yaml.safe_load(repository.text(path))
        except yaml.YAMLError as error:
            raise RuleBrokenError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
        if not isinstance(content, dict) or not content.get("jobs"):
            raise RuleBrokenError(f"{path} has no jobs")
        if name != "test" and "TinyTapeout/tt-gds-action" not in repository.text(path):
            raise RuleBrokenError(f"{path} does not call TinyTapeout/tt-gds-action")
    return ", ".join(_WORKFLOWS)


RULES = (
    Rule("info.yaml", _info),
    Rule("pinout", _pinout),
    Rule("source files", _sources),
    Rule("ports", _ports),
    Rule("Verilog", _verilog),
    Rule("documentation", _documentation),
    Rule("licence", _licence),
    Rule("workflows", _workflows),
)
"""Rules of the files, in the order in which they are checked."""
