"""The content of a PDK configuration file, ``pdk_configs/NAME.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from dwn_asic.yaml_file import load_yaml, validate

__all__ = ["PdkConfig", "load_config"]

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]


class PdkConfig(BaseModel):
    """The content of a PDK configuration file, ``pdk_configs/NAME.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Text
    """Name of the PDK, used in flow files; by default the name of the file without ``.yaml``."""
    description: Text
    """One line about the PDK, which ``dwn-asic pdk check`` prints."""
    library: Text
    """Name of the standard-cell library, for reports."""
    corner: Text
    """Process, voltage and temperature as in the name of the Liberty file, for reports."""
    folders: Texts
    """Glob patterns of folders below a PDK root. The first folder that contains all files of ``liberty`` is
    used."""
    liberty: Texts
    """Glob patterns of Liberty files in that folder; each file may be compressed (``.gz``). Every pattern
    must match, and all files together are one library."""
    corners: Annotated[dict[Text, Texts], Field(strict=False)] = {}
    """Further corners of the same library, for timing and power: the name of each, and the glob patterns of
    its Liberty files in the same folder. Circuits are mapped at ``corner``."""
    nand2: Text
    """Name of the cell whose area is 1 NAND2-equivalent; its area must be greater than 0."""
    dont_use: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Glob patterns of cells to which logic must not be mapped, for example clock buffers or isolation cells.
    They are excluded from the embedded table too. By default all usable cells are mapped to."""
    tie_reset: bool = False
    """Permission to tie off resets: if true and the library has no flip-flop without clear, registers use a
    flip-flop whose asynchronous clear is tied to its inactive level."""
    table: Text | None = None
    """Name of the embedded table, a CSV file beside this file, which is used if the PDK is not installed.
    Without a table, the PDK must be installed."""
    timing: Text | None = None
    """Name of the embedded fit of timing and power, a CSV file beside this file, which goes with ``table``.
    Without it, delay and energy are unknown if the PDK is not installed."""
    driving_cell: Text | None = None
    """Cell that drives each input in timing analysis; by default the inputs have ideal drivers."""
    input_transition_ns: Annotated[float, Field(ge=0)] = 0.0
    """Transition time of the inputs (ns), or of the inputs of the driving cells."""
    output_load_pf: Annotated[float, Field(ge=0)] = 0.0
    """Capacitance (pF) at each output in timing and power analysis."""
    wire_load: Text = "default"
    """Wire-load model of the library for timing and power: its name, ``default`` for the one that the library
    names as its default (if any), or ``none``."""
    get: Text
    """Instructions for installing the PDK, printed if it is missing."""
    copyright: Text
    """Copyright line of the Liberty files; it is written to an extracted table."""
    licence: Text
    """Licence of the Liberty files; it is written to an extracted table."""

    @field_validator("folders", "liberty")
    @classmethod
    def _is_below_a_root(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if any(Path(pattern).is_absolute() for pattern in patterns):
            raise ValueError("relative patterns; PDK_ROOT names the folder above them")
        return patterns

    @field_validator("corners")
    @classmethod
    def _is_further(cls, corners: dict[str, tuple[str, ...]], info: ValidationInfo) -> dict[str, Texts]:
        if info.data.get("corner") in corners:
            raise ValueError("other names than that of `corner`, whose files are `liberty`")
        return corners

    def __hash__(self) -> int:
        """Return a hash of the fields that tell libraries apart; ``corners``, a mapping, has none."""
        return hash((self.name, self.library, self.corner, self.liberty, self.dont_use))


def load_config(path: Path) -> PdkConfig:
    """Read and check one PDK configuration file; raises ConfigError if it is wrong."""
    content = load_yaml(path)
    content.setdefault("name", path.stem)
    return validate(PdkConfig, content, path)
