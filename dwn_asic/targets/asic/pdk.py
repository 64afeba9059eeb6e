"""PDKs: ``pdk_configs/NAME.yaml``, where its Liberty files are found, and the cell library that comes of it.

With ``PDK_ROOT`` set, the PDK must be there. Without, the usual places are searched, and where nothing is
installed the table of cells beside the YAML file is used. All ways lead to the same reduced library.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.liberty import read_liberty
from dwn_asic.yaml_file import load_yaml, validate

__all__ = ["Pdk", "PdkConfig", "PdkSummary", "check", "extract", "list_pdks", "load_config", "load_pdk"]

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
    """

    config: PdkConfig
    library: CellLibrary
    origin: str
    liberty: tuple[Path, ...] = ()


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
    path = _config_path(pdk)
    config = load_config(path)
    files, searched = _find_liberty(config)
    if files:
        return Pdk(config, _read(files, config), ", ".join(map(str, files)), files)
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
    return Pdk(config, _read_table(path.parent / config.table, config), f"embedded table {config.table}")


def load_config(path: Path) -> PdkConfig:
    """Read and check one YAML file; raises ConfigError."""
    content = load_yaml(path)
    content.setdefault("name", path.stem)
    return validate(PdkConfig, content, path)


def list_pdks() -> tuple[str, ...]:
    """Names that :func:`load_pdk` knows, sorted."""
    return tuple(sorted({path.stem for folder in _config_folders() for path in folder.glob("*.yaml")}))


def extract(liberty: Sequence[Path], config: PdkConfig, out: Path) -> CellLibrary:
    """Reduce Liberty files to the library of ``config`` and save it as the table ``out``; raises PdkError."""
    library = _read(liberty, config)
    library.save_table(out)
    return library


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


def _read(liberty: Sequence[Path], config: PdkConfig) -> CellLibrary:
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


def _read_table(path: Path, config: PdkConfig) -> CellLibrary:
    library = CellLibrary.load_table(path)
    if (library.name, library.corner, library.nand2) != (config.library, config.corner, config.nand2):
        raise PdkError(
            f"{path}: is a table of {library.name} {library.corner}, not what {config.name} asks for"
        )
    return library
