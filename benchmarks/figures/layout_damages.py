"""Topic ``tapeout``: random damages to layouts, and how many of them the checks of layouts find.

The layouts are rows of cells that are drawn here, and those that ``dwn-asic gds`` wrote below ``build``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures.table import Row, named, row
from dwn_asic.targets.asic.layout_checks.check import check_layout
from dwn_asic.targets.asic.layout_checks.technology import load_technology
from dwn_asic.targets.asic.layout_checks.verdict import LayoutVerdict

sys.path += ["tests"]  # the damages and the drawn cells that tests share with this topic

_ROWS, _CELLS = 8, (4, 24)
"""Number of drawn rows, and the range of the number of their cells."""
_DAMAGES = 208
"""Number of damages to drawn rows, and again to all other layouts together."""


@dataclass(frozen=True)
class _Subject:
    """A layout with its netlist, and how often it violates rules before any damage."""

    layout: Path
    netlist: Path
    violations: int


def damages() -> Iterator[Row]:
    """Measure how many damages are found: on drawn rows, and on the layouts below ``build``."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder, home = Path(scratch), os.environ.get("HOME", "")
        drawn = _drawn(folder)
        os.environ["HOME"] = scratch  # where the SPICE netlists of the drawn cells are
        try:
            yield from _found("drawn", f"{len(drawn)} drawn rows of cells", drawn, folder)
        finally:
            os.environ["HOME"] = home
        routed = _routed()
        if routed:
            names = ", ".join(each.layout.stem for each in routed)
            yield from _found("routed", f"{len(routed)} routed layouts ({names})", routed, folder)
    print(f"damages took {time.perf_counter() - start:.0f} s", file=sys.stderr)


def _found(name: str, what: str, subjects: list[_Subject], folder: Path) -> Iterator[Row]:
    """Try damages on layouts in turn; yields the number of damages, and the share that was found."""
    from layouts.damages import KINDS, damage

    from dwn_asic.targets.asic.layout_checks.layout_file import read_layout, top_cell

    technology, kinds = load_technology("sky130hd"), [*KINDS]
    done, missed = Counter[str](), Counter[str]()
    for number in range(_DAMAGES):
        kind, subject = kinds[number % len(kinds)], subjects[number // len(kinds) % len(subjects)]
        opened = read_layout(subject.layout)
        cell = top_cell(opened, str(subject.layout))
        made = damage(cell, technology, kind, np.random.default_rng(number))
        if made is None:
            continue
        path = folder / "damaged.gds"
        opened.write(str(path))
        done[kind] += 1
        if not _is_found(check_layout(path, subject.netlist, top=cell.name), subject):
            missed[kind] += 1
            print(f"not found: {made} in {subject.layout}", file=sys.stderr)
    text = f"random damages to {what} ({', '.join(f'{count} {kind}' for kind, count in done.items())})"
    yield row(f"tapeout.damages_{name}_count", text, done.total(), "", ">= 200")
    share = 100.0 * (done.total() - missed.total()) / done.total()
    yield row(f"tapeout.damages_{name}", f"{text}: share found", share, "%", ">= 100")


def _is_found(verdict: LayoutVerdict, subject: _Subject) -> bool:
    assert verdict.lvs is not None
    more = verdict.drc[0].violations > subject.violations
    return more or not verdict.lvs.clean or bool(verdict.failures)


def _drawn(folder: Path) -> list[_Subject]:
    """Draw rows of random cells, each of which reads ports and outputs of the cells before it."""
    from layouts.drawn_cells import CELLS, Row, install_spice, write

    install_spice(folder)
    rng, technology, found = np.random.default_rng(0), load_technology("sky130hd"), []
    for number in range(_ROWS):
        nets, cells = ["a", "b", "c", "d"], []
        for k in range(int(rng.integers(*_CELLS))):
            kind = [*CELLS][int(rng.integers(len(CELLS)))]
            picked = rng.choice(len(nets), len(CELLS[kind].inputs), replace=False)
            pins = {pin: nets[int(net)] for pin, net in zip(CELLS[kind].inputs, picked, strict=True)}
            cells.append((kind, {**pins, "Y": f"n{k}"}))
            nets.append(f"n{k}")
        used = {net for _, pins in cells for pin, net in pins.items() if pin != "Y"}
        outputs = [pins["Y"] for _, pins in cells if pins["Y"] not in used]
        inputs = [net for net in nets[:4] if net in used]
        layout, netlist = write(Row(cells, inputs, outputs, f"row{number}"), technology, folder)
        found.append(_Subject(layout, netlist, 0))
    return found


def _routed() -> list[_Subject]:
    """Return the layouts of finished flows, each with the netlist with supplies beside it."""
    pairs = [(path, path.with_suffix(".v")) for path in sorted(Path("build").glob("**/gds/*.gds"))]
    return [
        _Subject(layout, netlist, check_layout(layout).drc[0].violations)
        for layout, netlist in pairs
        if netlist.is_file()
    ]


MEASUREMENTS = named(
    "tapeout",
    damages,
    "damages_drawn",
    "damages_drawn_count",
    "damages_routed",
    "damages_routed_count",
)
