"""A flow and its folder, and what a stage is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.flow.config import FlowConfig

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.targets.asic.pdk import Pdk

__all__ = ["Flow", "Reporter", "Stage"]


class Reporter:
    """What a stage may tell while it runs; the CLI shows it, tests ignore it."""

    def message(self, text: str) -> None:
        """One line."""

    def progress(self, what: str, done: int, total: int, note: str = "") -> None:
        """Step ``done`` of ``total``."""


@dataclass(frozen=True)
class Flow:
    """An experiment and its folder."""

    config: FlowConfig
    folder: Path
    file: Path
    """The flow file."""

    @property
    def base(self) -> Path:
        """The flow file's directory, where relative data paths start."""
        return self.file.parent

    @property
    def name(self) -> str:
        """Prefix of module names and name of the folder."""
        return self.config.name

    @cached_property
    def dataset(self) -> Dataset:
        """Data of the stage ``data``."""
        from dwn_asic.data.dataset import Dataset

        return Dataset.load(self.folder / "dataset.npz")

    @cached_property
    def pdk(self) -> Pdk:
        """The PDK that the flow names."""
        from dwn_asic.targets.asic.pdk import load_pdk

        return load_pdk(self.config.synthesis.pdk)


@dataclass(frozen=True)
class Stage:
    """One arrow of the flow.

    Attributes
    ----------
    name
        As on the command line.
    sections
        Dotted keys of the flow configuration that it depends on.
    inputs, outputs
        File names in the flow's folder.
    run
        Does the work; gives the seconds that went into what it found done, if it can be ended and go on.
    """

    name: str
    sections: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    run: Callable[[Flow, Reporter], float | None] = field(repr=False)
