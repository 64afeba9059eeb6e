"""Timing and power of a PDK: its Liberty files at a corner, or the fit beside its cell table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.errors import ConfigError, PdkError
from dwn_asic.files import write_text
from dwn_asic.targets.asic.pdk import Pdk, file_digest, reduced

if TYPE_CHECKING:
    from dwn_asic.targets.asic.cell_library import CellLibrary
    from dwn_asic.targets.asic.pdk_config import PdkConfig
    from dwn_asic.targets.asic.signoff.fit import Fit
    from dwn_asic.targets.asic.signoff.library import TimingLibrary

__all__ = ["PdkTiming", "extract_timing", "has_timing", "load_timing", "require_timing"]


@dataclass(frozen=True, eq=False)
class PdkTiming:
    """Timing and power of a PDK at one corner.

    Attributes
    ----------
    library
        Delays, energies and leakage of the cells.
    corner
        Name of the corner.
    estimated
        Whether the library is an embedded fit instead of the PDK's own tables.
    origin
        Names of the files.
    """

    library: TimingLibrary
    corner: str
    estimated: bool
    origin: str


def has_timing(pdk: Pdk) -> bool:
    """Return whether a PDK's delays and energies are known, exactly or as an embedded fit."""
    return bool(pdk.corners) or pdk.timing_table is not None


def require_timing(pdk: Pdk, key: str) -> None:
    """Raise ConfigError, which names the PDK's file, if a key of the flow needs delays that are not known."""
    if not has_timing(pdk):
        problem = f"is missing, and the PDK is not installed, so `{key}` has no delays. {pdk.config.get}"
        raise ConfigError(f"{pdk.config.name}.yaml", "timing", problem)


def load_timing(pdk: Pdk, corner: str = "") -> PdkTiming:
    """Load the timing and power of a PDK at a corner, by default the one that circuits are mapped at.

    Raises
    ------
    PdkError
        The corner is unknown or not installed, or the PDK is not installed and has no embedded fit.
    """
    name = corner or pdk.config.corner
    if pdk.corners:
        from dwn_asic.targets.asic.signoff.cache import load_timing as load

        files = pdk.corners.get(name)
        if files is None:
            known = ", ".join(pdk.corners)
            raise PdkError(f"PDK {pdk.config.name}: no corner {name!r} is installed (corners: {known})")
        return PdkTiming(load(files), name, estimated=False, origin=", ".join(path.name for path in files))
    if name != pdk.config.corner:
        raise PdkError(
            f"PDK {pdk.config.name}: the embedded table has only the corner {pdk.config.corner}, not "
            f"{name!r}. {pdk.config.get}"
        )
    table = pdk.timing_table
    if table is None:
        raise PdkError(f"PDK {pdk.config.name}: it has no embedded timing. {pdk.config.get}")
    return PdkTiming(_fitted(table, file_digest(table), pdk.library), name, estimated=True, origin=table.name)


@lru_cache(maxsize=4)
def _fitted(table: Path, _content: str, cells: CellLibrary) -> TimingLibrary:
    from dwn_asic.targets.asic.signoff.fit import timing_library
    from dwn_asic.targets.asic.signoff.fit_table import read_fit

    return timing_library(read_fit(table), cells)


def extract_timing(liberty: Sequence[Path], config: PdkConfig, out: Path, *, sizes: bool = False) -> Fit:
    """Fit the timing and power of Liberty files for the cells that circuits are mapped to, and save the fit.

    With ``sizes``, all their drive strengths are fitted.

    Raises
    ------
    PdkError
        A file is unreadable, or the library lacks a basic cell or its timing.
    """
    from dwn_asic.targets.asic.signoff.cache import load_timing as load
    from dwn_asic.targets.asic.signoff.fit import fit
    from dwn_asic.targets.asic.signoff.fit_table import fit_text

    cells = reduced(liberty, config, sizes=sizes).library
    found = fit(load(liberty), cells)
    names = {
        "library": config.library,
        "origin": " ".join(path.name for path in liberty),
        "copyright": config.copyright,
        "licence": config.licence,
    }
    write_text(out, fit_text(found, names))
    return found
