"""PDK configurations (``pdk_configs/NAME.yaml``), the search for their files, and the resulting libraries.

If ``PDK_ROOT`` is set, the PDK must be there. Otherwise the usual places are searched; if the PDK is not
installed, the embedded table of cells beside the YAML file is used. Liberty files and table result in the
same reduced library, unless the YAML file was changed to allow other cells than when the table was extracted.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter

from dwn_asic.boolean import expression
from dwn_asic.errors import PdkError
from dwn_asic.files import canonical_digest, content_digest
from dwn_asic.targets.asic import cell_library
from dwn_asic.targets.asic import liberty as liberty_reader
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.kept_files import keep, kept_file
from dwn_asic.targets.asic.liberty import LibertyReading, read_liberty
from dwn_asic.targets.asic.pdk_config import PdkConfig, load_config
from dwn_asic.verilog import cell as cell_code
from dwn_asic.verilog.cell import Cell, FlipFlop, missing_functions

__all__ = [
    "Pdk",
    "PdkSummary",
    "check",
    "config_path",
    "extract",
    "file_digest",
    "list_pdks",
    "load_pdk",
    "pdk_fingerprint",
    "pdk_roots",
    "reduced",
    "require_flip_flop",
    "sizes_fingerprint",
    "timing_fingerprint",
    "with_sizes",
]

_READING = TypeAdapter(LibertyReading)
_FOLDER = "pdk_configs"
_SYSTEM_ROOTS = (Path("/usr/share/pdk"), Path("/usr/local/share/pdk"))
_NOT_MAPPED = {"description", "folders", "liberty", "corners", "table", "timing", "get"}
"""Keys of the YAML file that say where files are, or that people read."""
_TIMED = {"driving_cell", "input_transition_ns", "output_load_pf", "wire_load"}
"""Keys of the YAML file on which only timing and power depend."""


@dataclass(frozen=True)
class Pdk:
    """A PDK that is ready for mapping.

    Attributes
    ----------
    config
        Configuration of the PDK.
    library
        Reduced cell library that circuits are mapped to.
    origin
        Source of the library, for reports: ``embedded table FILE`` or the paths of the Liberty files.
    liberty
        Liberty files of the PDK, with timing; empty if the embedded table is used.
    corners
        Liberty files of each corner that is installed, by its name; the first is the one of ``library``.
        Empty if the embedded table is used.
    notes
        One line for each part of the library that is not usable or not known, with the reason.
    timing_table
        Embedded fit of timing and power; None if there is none, or if the Liberty files are used.
    """

    config: PdkConfig
    library: CellLibrary
    origin: str
    liberty: tuple[Path, ...] = ()
    corners: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    timing_table: Path | None = None


@dataclass(frozen=True)
class _Source:
    """The files of a PDK: its YAML file, and either Liberty files in a folder or the embedded table."""

    yaml: Path
    config: PdkConfig
    liberty: tuple[Path, ...]
    folder: Path | None
    table: Path | None

    @property
    def timing(self) -> Path | None:
        """Embedded fit of timing and power beside the embedded table, if that is used and there is one."""
        if self.table is None or self.config.timing is None:
            return None
        return self.yaml.parent / self.config.timing

    def corners(self) -> tuple[dict[str, tuple[Path, ...]], tuple[str, ...]]:
        """Return the files of each installed corner, and a note on each corner that is not installed."""
        if self.folder is None:
            return {}, ()
        found, notes = {self.config.corner: self.liberty}, []
        for name, patterns in self.config.corners.items():
            files = _files_in(self.folder, patterns)
            if files:
                found[name] = files
            else:
                notes.append(f"corner {name} is left out: {self.folder} lacks {' + '.join(patterns)}")
        return found, tuple(notes)


@dataclass(frozen=True)
class PdkSummary:
    """The summary of a PDK that ``dwn-asic pdk check`` prints; areas are in um2."""

    name: str
    description: str
    library: str
    corner: str
    corners: str
    """Names of the installed corners, for timing and power; empty if the embedded table is used."""
    origin: str
    cells: int
    flip_flop: str
    """Name of the flip-flop that registers are mapped to; empty if there is none."""
    nand2: str
    nand2_area: float
    notes: tuple[str, ...]
    """One line for each part of the library that is not usable or not known, with the reason."""


def load_pdk(pdk: str | Path) -> Pdk:
    """Load the PDK of that name or of that YAML file.

    Raises
    ------
    PdkError
        The name is unknown, ``PDK_ROOT`` is set but does not contain the library, the PDK is not installed
        and has no embedded table, or a file is unreadable.
    ConfigError
        The YAML file is wrong.
    """
    source = _find(pdk)
    config = source.config
    if source.table is not None:
        reading = _read_table(source.table, file_digest(source.table), config)
        origin = f"embedded table {config.table}"
    else:
        reading, origin = reduced(source.liberty, config), ", ".join(map(str, source.liberty))
    corners, missing = source.corners()
    notes = (*reading.notes, *_unknown_values(reading.library), *missing)
    return Pdk(config, reading.library, origin, source.liberty, corners, notes, source.timing)


def pdk_fingerprint(pdk: str | Path) -> dict[str, str]:
    """Return the name and the SHA-256 digest of everything that circuits are mapped to.

    These are the files of the library, and the keys of the YAML file that change what is read from them: a
    new comment or another wire load leaves the fingerprint as it is. Raises the errors of :func:`load_pdk` if
    the PDK is not found or a file cannot be read.
    """
    source = _find(pdk)
    files = source.liberty if source.table is None else (source.table,)
    keys = source.config.model_dump(exclude=_NOT_MAPPED | _TIMED)
    return {source.yaml.name: canonical_digest(keys)} | {path.name: file_digest(path) for path in files}


def timing_fingerprint(pdk: str | Path) -> dict[str, str]:
    """Return the name and the SHA-256 digest of what timing and power at the mapped corner depend on as well.

    These are further keys of the YAML file, and the embedded fit of timing and power if that is used;
    :func:`pdk_fingerprint` covers the Liberty files. Raises the errors of :func:`load_pdk` if the PDK is not
    found or a file cannot be read.
    """
    source = _find(pdk)
    found = {f"{source.yaml.name}, timing": canonical_digest(source.config.model_dump(include=_TIMED))}
    return found if source.timing is None else {**found, source.timing.name: file_digest(source.timing)}


def require_flip_flop(pdk: Pdk, registers: str, *, pipeline: bool = False) -> None:
    """Raise PdkError, which says what to set, if registers are wanted and the PDK has no flip-flop.

    Parameters
    ----------
    pdk
        PDK that the registers would be mapped to.
    registers, pipeline
        Values of ``hardware.registers`` and ``hardware.pipeline`` in the flow; ``none`` and false need no
        flip-flop.
    """
    if registers == "none" and not pipeline:
        return
    library = pdk.library
    if pdk.config.tie_reset and not library.flip_flops:
        raise PdkError(
            f"{library.name} ({library.corner}): no D flip-flop to map registers to, not even one with a "
            "clear for `tie_reset: true`: set `hardware.registers: none` in the flow file"
        )
    library.require_flip_flop()


def list_pdks() -> tuple[str, ...]:
    """Return the names that :func:`load_pdk` knows, sorted."""
    return tuple(
        sorted(
            {
                path.stem
                for folder in _config_folders()
                for path in folder.glob("*.yaml")
                if "." not in path.stem
            }
        )
    )


def with_sizes(pdk: Pdk) -> Pdk:
    """Return a PDK whose library holds, beside each cell, all its drive strengths.

    They come from the Liberty files or, without them, from the table of sizes beside the embedded tables; if
    there is no such table, the PDK is returned as it is. Raises PdkError if a file cannot be read.
    """
    if pdk.liberty:
        return replace(pdk, library=reduced(pdk.liberty, pdk.config, sizes=True).library)
    cells, timing = _size_tables(pdk.timing_table)
    if cells is None:
        return pdk
    library = _read_table(cells, file_digest(cells), pdk.config).library
    return replace(pdk, library=library, timing_table=timing)


def sizes_fingerprint(pdk: str | Path) -> dict[str, str]:
    """Return the name and the SHA-256 digest of the embedded tables of drive strengths, if they are used."""
    tables = _size_tables(_find(pdk).timing)
    return {table.name: file_digest(table) for table in tables if table is not None}


def _size_tables(timing: Path | None) -> tuple[Path | None, Path | None]:
    """Return the tables of cells and of timing for all drive strengths, given the embedded timing table."""
    if timing is None:
        return None, None
    name = timing.name.removesuffix(".timing.csv")
    cells, fits = timing.with_name(f"{name}.sizes.csv"), timing.with_name(f"{name}.sizes.timing.csv")
    return (cells, fits) if cells.is_file() and fits.is_file() else (None, None)


def extract(liberty: Sequence[Path], config: PdkConfig, out: Path, *, sizes: bool = False) -> LibertyReading:
    """Reduce Liberty files to one cell per function and save the result as the table ``out``.

    ``config`` defines the names, the NAND2 cell and the cells to exclude. With ``sizes``, all drive strengths
    are kept. Raises PdkError if a file is unreadable or the library lacks a basic cell.
    """
    reading = reduced(liberty, config, sizes=sizes)
    reading.library.save_table(out)
    return reading


def check(name: str | Path) -> PdkSummary:
    """Load a PDK and return its summary; raises the errors of :func:`load_pdk`."""
    pdk = load_pdk(name)
    library = pdk.library
    return PdkSummary(
        name=pdk.config.name,
        description=pdk.config.description,
        library=library.name,
        corner=library.corner,
        corners=", ".join(pdk.corners),
        origin=pdk.origin,
        cells=len(library.cells),
        flip_flop=library.flip_flop.name if library.flip_flops else "",
        nand2=library.nand2,
        nand2_area=library.nand2_area,
        notes=pdk.notes,
    )


def _config_folders() -> Iterator[Path]:
    """Yield the folders of configurations: in the working directory, the checkout and the wheel."""
    package = Path(__file__).resolve().parents[2]
    yield from (folder / _FOLDER for folder in (Path.cwd(), package.parent, package))


def config_path(pdk: str | Path) -> Path:
    """Return the YAML file of a PDK, given its name or that file; raises PdkError if the name is unknown."""
    if isinstance(pdk, Path) or pdk.endswith((".yaml", ".yml")):
        return Path(pdk)
    for folder in _config_folders():
        path = folder / f"{pdk}.yaml"
        if path.is_file():
            return path
    folders = ", ".join(map(str, _config_folders()))
    raise PdkError(f"no PDK {pdk!r}; known PDKs: {', '.join(list_pdks()) or 'none'}; searched {folders}")


def _find(pdk: str | Path) -> _Source:
    """Search for the files of a PDK; raises the errors of :func:`load_pdk`."""
    path = config_path(pdk)
    config = load_config(path)
    folder, searched = _find_folder(config)
    if folder is not None:
        return _Source(path, config, _files_in(folder, config.liberty), folder, None)
    if os.environ.get("PDK_ROOT"):
        raise PdkError(
            f"PDK {config.name}: PDK_ROOT is {os.environ['PDK_ROOT']!r}, but it does not contain "
            f"{' + '.join(config.liberty)}; searched {searched}. {config.get} Without PDK_ROOT, "
            + ("the embedded table of cells is used." if config.table else "the usual places are searched.")
        )
    if config.table is None:
        raise PdkError(
            f"PDK {config.name}: not found, and it has no embedded table; searched {searched}. {config.get}"
        )
    return _Source(path, config, (), None, path.parent / config.table)


def file_digest(path: Path) -> str:
    """Return the SHA-256 digest of a file; raises PdkError if it cannot be read."""
    try:
        return content_digest(path)
    except OSError as error:
        raise PdkError(f"{path}: cannot be read: {error.strerror}") from error


def pdk_roots() -> tuple[Path, ...]:
    """Return the folders in which PDKs are searched: only ``PDK_ROOT`` if it is set."""
    root = os.environ.get("PDK_ROOT")
    if root:
        return (Path(root).expanduser(),)
    home = Path.home()
    return (home / ".ciel", home / ".volare", *_SYSTEM_ROOTS)


def _find_folder(config: PdkConfig) -> tuple[Path | None, str]:
    """Return the first folder with all Liberty files of a PDK, or a description of the places searched."""
    roots = pdk_roots()
    for root in roots:
        for pattern in config.folders:
            for folder in sorted(root.glob(pattern)):
                if _files_in(folder, config.liberty):
                    return folder, ""
    return None, f"{', '.join(config.folders)} below {', '.join(map(str, roots))}"


def _files_in(folder: Path, patterns: Sequence[str]) -> tuple[Path, ...]:
    """Return the files that match the patterns, or none if any pattern has no match."""
    files: list[Path] = []
    for pattern in patterns:
        found = sorted(folder.glob(pattern)) or sorted(folder.glob(f"{pattern}.gz"))
        if not found:
            return ()
        files += found
    return tuple(files)


def reduced(liberty: Sequence[Path], config: PdkConfig, *, sizes: bool = False) -> LibertyReading:
    """Read Liberty files and reduce them to the cells that circuits are mapped to.

    With ``sizes``, all their drive strengths are kept too. Raises PdkError if a file is unreadable or the
    library lacks a basic cell.
    """
    return _read_liberty(tuple(liberty), tuple(map(file_digest, liberty)), config, sizes=sizes)


@lru_cache(maxsize=4)
def _read_liberty(
    liberty: tuple[Path, ...], contents: tuple[str, ...], config: PdkConfig, *, sizes: bool
) -> LibertyReading:
    """Read Liberty files, or what was kept of them, since every command and every step opens its PDK."""
    parts = (*map(str, liberty), *contents, config.model_dump_json(), str(sizes))
    file = kept_file(parts, (liberty_reader, cell_library, cell_code, expression), ".json")
    with suppress(OSError, ValueError):
        return _READING.validate_json(file.read_bytes())
    found = read_liberty(
        liberty,
        library=config.library,
        corner=config.corner,
        nand2=config.nand2,
        dont_use=config.dont_use,
        tie_reset=config.tie_reset,
        copyright_line=config.copyright,
        licence=config.licence,
        sizes=sizes,
    )
    keep(file, _READING.dump_json(found))
    return found


@lru_cache(maxsize=4)
def _read_table(path: Path, _content: str, config: PdkConfig) -> LibertyReading:
    """Read a table without the cells that the YAML file excludes; notes name the excluded cells."""
    library = CellLibrary.load_table(path)
    if (library.name, library.corner, library.nand2) != (config.library, config.corner, config.nand2):
        raise PdkError(
            f"{path}: is a table of {library.name} {library.corner}, which does not match PDK {config.name}"
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
            f"{path}: no {' and no '.join(missing)} among the cells that `dont_use` of {config.name} allows"
        )
    return LibertyReading(
        kept, tuple(_dropped(path, "dont_use", unwanted) + _dropped(path, "tie_reset", tied))
    )


def _dropped(path: Path, key: str, names: Collection[str]) -> list[str]:
    if not names:
        return []
    left_out = f"{path.name}: excluded by `{key}`: {', '.join(sorted(names))}"
    return [f"{left_out}; the table has no other cells for their functions, but the PDK's Liberty files may"]


def _unknown_values(library: CellLibrary) -> Iterator[str]:
    """Yield notes on values that power analysis would lack."""
    cells: tuple[Cell | FlipFlop, ...] = (*library.cells, *library.flip_flops)
    for what, unknown in (
        ("leakage", [cell.name for cell in cells if cell.leakage is None]),
        ("input capacitance", [cell.name for cell in cells if None in cell.capacitance]),
    ):
        if unknown:
            count = "all" if len(unknown) == len(cells) else f"{', '.join(unknown)}, {len(unknown)}"
            yield f"{library.name}: {what} is unknown for {count} of {len(cells)} cells"
