"""Parts that several steps share: the target, names of folders, versions, and messages."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from dwn_asic import __version__
from dwn_asic.configuration import Strict
from dwn_asic.errors import ToolTimeoutError
from dwn_asic.metrics import SCORES, ScoreKey, Size
from dwn_asic.targets.registry import target_kind
from dwn_asic.verilog.config import HardwareConfig

if TYPE_CHECKING:
    from dwn_asic.data.config import DataConfig
    from dwn_asic.targets.base import Target

__all__ = [
    "SHRUNK",
    "TargetSettings",
    "Tolerated",
    "match_folder",
    "measured_environment",
    "source_names",
    "summary",
    "target_environment",
    "versions",
    "who",
]


SHRUNK = "shrunk"
"""Name of the folder of a shrunk circuit, inside the folder of the exact circuit."""
_MATCHES = f"{SHRUNK}/match/"

Tolerated = tuple[type[ToolTimeoutError], ...]
"""Errors that end the steps of a circuit, but not the run."""


@dataclass(frozen=True)
class TargetSettings:
    """A target as settings of a step: its name, its options, and those of the hardware."""

    kind: str
    synthesis: Strict
    hardware: HardwareConfig

    def open(self) -> Target:
        """Open the target; raises PdkError or ConfigError if it is not available."""
        return target_kind(self.kind).open(self.synthesis, self.hardware)

    @property
    def environment(self) -> Mapping[str, str]:
        """Everything that the target depends on beside its options: PDK files and versions of tools."""
        return target_kind(self.kind).environment(self.synthesis)

    @property
    def costs(self) -> TargetSettings:
        """Settings with only those options that affect the cost of circuits; the others are defaults."""
        kind = target_kind(self.kind)
        options = {key: getattr(self.synthesis, key) for key in kind.cost_options}
        hardware = self.hardware.model_copy(update={"clock_ns": None})
        return replace(self, synthesis=kind.config.model_validate(options), hardware=hardware)


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of this package and of others, or ``not installed``."""
    found = {"dwn-asic": __version__}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


class OfTarget(Protocol):
    """The settings of a step that uses a target."""

    @property
    def target(self) -> TargetSettings:
        """Target that the step uses."""


def target_environment(settings: OfTarget) -> Mapping[str, str]:
    """Return the environment of a step that uses a target and proves its result."""
    return {**versions("aigverse", "python-sat"), **settings.target.environment}


def measured_environment(settings: OfTarget) -> Mapping[str, str]:
    """Return the environment of a step that also measures what it makes for a target."""
    target = settings.target
    by = target_kind(target.kind).measured_by
    return {**target_environment(settings), **(by(target.synthesis) if by else {})}


def source_names(data: DataConfig) -> str:
    """Name every source of rows, for example ``csv:train.csv, test csv:test.csv``."""
    named = data.sources.items()
    return ", ".join(
        section.source if key == "source" else f"{key} {section.source}" for key, section in named
    )


def match_folder(baseline: str) -> str:
    """Return the folder of the smallest circuit of the front that matches a baseline's accuracy."""
    return f"{_MATCHES}{baseline}"


def who(folder: str) -> str:
    """Return the name of a folder's circuit for use in messages."""
    if folder == SHRUNK:
        return "shrink"
    if folder.startswith(_MATCHES):
        return f"match {folder.removeprefix(_MATCHES)}"
    name, _, more = folder.removeprefix("baselines/").partition("/")
    return f"baseline {name}, shrunk" if more else f"baseline {name}"


def summary(found: Mapping[str, float], score: ScoreKey, size: Size | None = None) -> str:
    """Return the score and sizes, as far as they are known, as part of a message."""
    test = f"{score}__test"
    parts = [f"test {SCORES[score]} {found[test]:.4f}"] if test in found else []
    if size is not None:
        core, total = (f"{found[metric]:.{size.decimals}f}" for metric in (size.core, size.total))
        parts += [f"core {core}, total {total} {size.words}, proved"]
    return ", ".join(parts) or "proved"
