"""PDKs: ``pdk_configs/NAME.yaml``, where its Liberty files are found, and the cell library that comes of it.

With ``PDK_ROOT`` set, the PDK must be there. Without, the usual places are searched, and where nothing is
installed the table of cells beside the YAML file is used. All ways lead to the same reduced library, unless
the YAML file asks for other cells than the table was extracted with.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dwn_asic.errors import PdkError
from dwn_asic.files import content_digest
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.liberty import LibertyReading, read_liberty
from dwn_asic.verilog.cell import Cell, FlipFlop, missing_functions
from dwn_asic.yaml_file import load_yaml, validate

__all__ = [
    "Pdk",
    "PdkConfig",
    "PdkSummary",
    "check",
    "extract",
    "list_pdks",
    "load_config",
    "load_pdk",
    "pdk_fingerprint",
    "require_flip_flop",
]

_FOLDER = "pdk_configs"
_SYSTEM_ROOTS = (Path("/usr/share/pdk"), Path("/usr/local/share/pdk"))
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]


class PdkConfig(BaseModel):
    """One file of ``pdk_configs/``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Text
    """Default: the file's stem."""
    description: Text
    library: Text
    """Standard-cell library."""
    corner: Text
    """Process, voltage, temperature, as in the Liberty file's name."""
    folders: Texts
    """Globs of folders below a PDK root; the first folder that holds all of ``liberty`` is taken."""
    liberty: Texts
    """Globs of files in that folder, each with or without ``.gz``. All must match: they are one library."""
    nand2: Text
    """Cell whose area counts as 1 NAND2-equivalent."""
    dont_use: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Globs of cells that logic must not be mapped to."""
    tie_reset: bool = False
    """Where the library has no flip-flop without clear: take one, its clear tied off."""
    table: Text | None = None
    """CSV beside this file that stands in where no PDK is installed."""
    get: Text
    """How to get the PDK, for the message that it is missing."""
    copyright: Text
    licence: Text


@dataclass(frozen=True)
class Pdk:
    """A PDK ready for mapping.

    Attributes
    ----------
    config
        Its configuration.
    library
        The reduced cell library that circuits are mapped to.
    origin
        ``embedded table FILE`` or the Liberty files, for reports.
    liberty
        The PDK's own Liberty files, with timing; empty with the embedded table.
    notes
        What of the library could not be used or isn't known, and why: one line each.
    """

    config: PdkConfig
    library: CellLibrary
    origin: str
    liberty: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Source:
    """The files that a PDK is read from: its YAML file, and Liberty files or else the embedded table."""

    yaml: Path
    config: PdkConfig
    liberty: tuple[Path, ...]
    table: Path | None


@dataclass(frozen=True)
class PdkSummary:
    """What ``dwn-asic pdk check`` prints. Areas in um2."""

    name: str
    description: str
    library: str
    corner: str
    origin: str
    cells: int
    flip_flop: str
    """Cell of the registers, empty where there is none."""
    nand2: str
    nand2_area: float
    notes: tuple[str, ...]
    """What of the library could not be used or isn't known, and why."""


def load_pdk(pdk: str | Path) -> Pdk:
    """The PDK of that name, or of that YAML file.

    Raises
    ------
    PdkError
        Unknown name; ``PDK_ROOT`` is set but doesn't hold the library; nothing installed and no embedded
        table; a file is unreadable.
    ConfigError
        The YAML file is wrong.
    """
    source = _find(pdk)
    config = source.config
    if source.table is not None:
        reading = _read_table(source.table, _sha256(source.table), config)
        origin = f"embedded table {config.table}"
    else:
        reading, origin = _read(source.liberty, config), ", ".join(map(str, source.liberty))
    notes = (*reading.notes, *_unknown_values(reading.library))
    return Pdk(config, reading.library, origin, source.liberty, notes)


def pdk_fingerprint(pdk: str | Path) -> dict[str, str]:
    """What :func:`load_pdk` would read: name of each file -> SHA-256 of its content.

    The files are found but, the YAML file apart, not parsed. Raises as :func:`load_pdk` where the PDK isn't
    found or a file can't be read.
    """
    source = _find(pdk)
    files = source.liberty if source.table is None else (source.table,)
    return {path.name: _sha256(path) for path in (source.yaml, *files)}


def require_flip_flop(pdk: Pdk, registers: str) -> None:
    """Raise PdkError, which says what to set, where ``registers`` need a flip-flop and the PDK has none.

    Parameters
    ----------
    pdk
        Where they would be mapped to.
    registers
        ``hardware.registers`` of the flow: ``none`` needs no flip-flop.
    """
    if registers == "none":
        return
    library = pdk.library
    if pdk.config.tie_reset and not library.flip_flops:
        raise PdkError(
            f"{library.name} ({library.corner}): no D flip-flop to map registers to, nor one with a clear "
            "that `tie_reset: true` could tie off: set `hardware.registers: none` in the flow"
        )
    library.require_flip_flop()


def load_config(path: Path) -> PdkConfig:
    """Read and check one YAML file; raises ConfigError."""
    content = load_yaml(path)
    content.setdefault("name", path.stem)
    return validate(PdkConfig, content, path)


def list_pdks() -> tuple[str, ...]:
    """Names that :func:`load_pdk` knows, sorted."""
    return tuple(sorted({path.stem for folder in _config_folders() for path in folder.glob("*.yaml")}))


def extract(liberty: Sequence[Path], config: PdkConfig, out: Path) -> LibertyReading:
    """Reduce Liberty files to the library of ``config`` and save it as the table ``out``; raises PdkError."""
    reading = _read(liberty, config)
    reading.library.save_table(out)
    return reading


def check(name: str | Path) -> PdkSummary:
    """Load a PDK and say what there is; raises as :func:`load_pdk`."""
    pdk = load_pdk(name)
    library = pdk.library
    return PdkSummary(
        name=pdk.config.name,
        description=pdk.config.description,
        library=library.name,
        corner=library.corner,
        origin=pdk.origin,
        cells=len(library.cells),
        flip_flop=library.flip_flop.name if library.flip_flops else "",
        nand2=library.nand2,
        nand2_area=library.nand2_area,
        notes=pdk.notes,
    )


def _config_folders() -> Iterator[Path]:
    """The working directory's, the checkout's, the wheel's."""
    package = Path(__file__).resolve().parents[2]
    yield from (folder / _FOLDER for folder in (Path.cwd(), package.parent, package))


def _config_path(pdk: str | Path) -> Path:
    if isinstance(pdk, Path) or pdk.endswith((".yaml", ".yml")):
        return Path(pdk)
    for folder in _config_folders():
        path = folder / f"{pdk}.yaml"
        if path.is_file():
            return path
    folders = ", ".join(map(str, _config_folders()))
    raise PdkError(f"no PDK {pdk!r}; there is {', '.join(list_pdks()) or 'none'}; searched {folders}")


def _find(pdk: str | Path) -> _Source:
    """Search for the files; raises as :func:`load_pdk`."""
    path = _config_path(pdk)
    config = load_config(path)
    files, searched = _find_liberty(config)
    if files:
        return _Source(path, config, files, None)
    if os.environ.get("PDK_ROOT"):
        raise PdkError(
            f"PDK {config.name}: PDK_ROOT is {os.environ['PDK_ROOT']!r}, but it holds no "
            f"{' + '.join(config.liberty)}; searched {searched}. {config.get} Without PDK_ROOT, "
            + ("the embedded table of cells is used." if config.table else "the usual places are searched.")
        )
    if config.table is None:
        raise PdkError(
            f"PDK {config.name}: not found, and it has no embedded table; searched {searched}. {config.get}"
        )
    return _Source(path, config, (), path.parent / config.table)


def _sha256(path: Path) -> str:
    try:
        return content_digest(path)
    except OSError as error:
        raise PdkError(f"{path}: cannot be read: {error.strerror}") from error


def _roots() -> tuple[Path, ...]:
    """Where PDKs are looked for: in ``PDK_ROOT`` alone if it is set."""
    root = os.environ.get("PDK_ROOT")
    if root:
        return (Path(root).expanduser(),)
    home = Path.home()
    return (home / ".ciel", home / ".volare", *_SYSTEM_ROOTS)


def _find_liberty(config: PdkConfig) -> tuple[tuple[Path, ...], str]:
    """The first complete set of Liberty files, and the places searched."""
    roots = _roots()
    for root in roots:
        for pattern in config.folders:
            for folder in sorted(root.glob(pattern)):
                files = _files_in(folder, config.liberty)
                if files:
                    return files, ""
    return (), f"{', '.join(config.folders)} below {', '.join(map(str, roots))}"


def _files_in(folder: Path, patterns: Sequence[str]) -> tuple[Path, ...]:
    """The files, or none where one pattern matches nothing."""
    files: list[Path] = []
    for pattern in patterns:
        found = sorted(folder.glob(pattern)) or sorted(folder.glob(f"{pattern}.gz"))
        if not found:
            return ()
        files += found
    return tuple(files)


def _read(liberty: Sequence[Path], config: PdkConfig) -> LibertyReading:
    return _read_liberty(tuple(liberty), tuple(map(_sha256, liberty)), config)


@lru_cache(maxsize=4)
def _read_liberty(liberty: tuple[Path, ...], _contents: tuple[str, ...], config: PdkConfig) -> LibertyReading:
    """Reads files once in a process, as long as they are the same: every step of a flow opens its PDK."""
    return read_liberty(
        liberty,
        library=config.library,
        corner=config.corner,
        nand2=config.nand2,
        dont_use=config.dont_use,
        tie_reset=config.tie_reset,
        copyright_line=config.copyright,
        licence=config.licence,
    )


@lru_cache(maxsize=4)
def _read_table(path: Path, _content: str, config: PdkConfig) -> LibertyReading:
    """The table's library without the cells that the YAML file doesn't want, and notes on what that costs."""
    library = CellLibrary.load_table(path)
    if (library.name, library.corner, library.nand2) != (config.library, config.corner, config.nand2):
        raise PdkError(
            f"{path}: is a table of {library.name} {library.corner}, not what {config.name} asks for"
        )
    names = [*(cell.name for cell in library.cells), *(cell.name for cell in library.flip_flops)]
    unwanted = {name for name in names if any(fnmatchcase(name, pattern) for pattern in config.dont_use)}
    tied = {cell.name for cell in library.flip_flops if cell.reset and not config.tie_reset}
    kept = replace(
        library,
        cells=tuple(cell for cell in library.cells if cell.name not in unwanted),
        flip_flops=tuple(cell for cell in library.flip_flops if cell.name not in unwanted | tied),
    )
    missing = missing_functions(kept.cells)
    if missing:
        raise PdkError(
            f"{path}: no {' and no '.join(missing)} among the cells that `dont_use` of {config.name} leaves"
        )
    return LibertyReading(
        kept, tuple(_dropped(path, "dont_use", unwanted) + _dropped(path, "tie_reset", tied))
    )


def _dropped(path: Path, key: str, names: Collection[str]) -> list[str]:
    if not names:
        return []
    left_out = f"{path.name}: left out by `{key}`: {', '.join(sorted(names))}"
    return [f"{left_out}; the table has no other cell for what they do, the PDK's own Liberty files may"]


def _unknown_values(library: CellLibrary) -> Iterator[str]:
    """Notes on what power analysis would miss."""
    cells: tuple[Cell | FlipFlop, ...] = (*library.cells, *library.flip_flops)
    for what, unknown in (
        ("leakage", [cell.name for cell in cells if cell.leakage is None]),
        ("input capacitance", [cell.name for cell in cells if None in cell.capacitance]),
    ):
        if unknown:
            count = "all" if len(unknown) == len(cells) else f"{', '.join(unknown)}, {len(unknown)}"
            yield f"{library.name}: {what} is unknown for {count} of {len(cells)} cells"
