"""Official rule decks, run by KLayout and Magic where the user has both the tool and the deck."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dwn_asic.errors import PdkError, ToolError
from dwn_asic.targets.asic.layout_checks.technology import Decks
from dwn_asic.targets.asic.layout_checks.verdict import DrcVerdict, RuleCount
from dwn_asic.targets.asic.pdk import pdk_roots
from dwn_asic.tools import find_tool, require_tool, run_tool

if TYPE_CHECKING:
    import klayout.rdb as krdb

__all__ = ["DECK_OVERRIDE", "Deck", "find_decks", "run_deck"]

DECK_OVERRIDE = "DRC_DECK"
"""Environment variable with the path of a deck for KLayout (``.drc``, ``.lydrc``) or Magic (``.magicrc``)."""
_SHOWN = 5
_END = "dwn-asic: magic has checked the layout"
_FOUND = re.compile(r"^dwn-asic found (\S+) (\S+) (\S+) (\S+) (.*)$", re.MULTILINE)
_NAMED = re.compile(r"^(?:(?P<what>.*) )?\((?P<rule>[^()]+)\)$")
_REQUIRED = re.compile(r"^\s*requires\s+magic-(\S+)", re.MULTILINE)
_VERSION = re.compile(r"\d+(?:\.\d+)+")
# Magic creates the cell if it could not read it, and an empty cell has no violation. Without `drc catchup`,
# violations inside the cells are not listed.
_MAGIC = """\
crashbackups stop
drc euclidean on
drc style drc(full)
drc on
gds read {{{layout}}}
if {{[lsearch -exact [cellname list allcells] {{{top}}}] < 0}} {{error "the layout was not read"}}
load {{{top}}}
select top cell
expand
drc check
drc catchup
set scale [cif scale out]
foreach {{why boxes}} [drc listall why] {{
    foreach box $boxes {{
        puts "dwn-asic found [expr {{[lindex $box 0] * $scale}}] [expr {{[lindex $box 1] * $scale}}]\\
 [expr {{[lindex $box 2] * $scale}}] [expr {{[lindex $box 3] * $scale}}] $why"
    }}
}}
puts "{end}"
quit -noprompt
"""


@dataclass(frozen=True)
class Deck:
    """A rule deck that is installed.

    Attributes
    ----------
    tool
        The program that it is for.
    path
        The deck of KLayout, or the start file of Magic.
    """

    tool: Literal["klayout", "magic"]
    path: Path

    @property
    def program(self) -> str:
        """Name of the program in messages."""
        return "KLayout" if self.tool == "klayout" else "Magic"


def find_decks(decks: Decks) -> tuple[tuple[Deck, ...], tuple[str, ...]]:
    """Return the decks that can be run, and a line for each that cannot, which says what is missing.

    ``DRC_DECK`` names the only deck to run; otherwise PDK roots are searched.

    Raises
    ------
    PdkError
        ``DRC_DECK`` is not the path of a deck.
    ToolError
        The program for the deck of ``DRC_DECK`` is not installed, or is too old for it.
    """
    named = os.environ.get(DECK_OVERRIDE)
    if named:
        deck = _named_deck(Path(named))
        require_tool(deck.tool)
        if deck.tool == "magic" and (reason := _too_old(deck, decks)):
            raise ToolError("magic", reason)
        return (deck,), ()
    found, missing = [], []
    for tool, patterns in (("klayout", decks.klayout), ("magic", decks.magic)):
        path = next(_paths(patterns), None)
        if path is None:
            missing.append(f"{tool}: no deck {Path(patterns[0]).name} below {_roots_text()}")
        elif find_tool(tool) is None:
            missing.append(f"{tool}: the deck {path} is there, but the program {tool} is not installed")
        else:
            deck = Deck("klayout" if tool == "klayout" else "magic", path)
            if reason := _too_old(deck, decks):
                missing.append(f"{tool}: {reason}")
            else:
                found.append(deck)
    return tuple(found), tuple(missing)


def _named_deck(path: Path) -> Deck:
    kinds = {".drc": "klayout", ".lydrc": "klayout", ".magicrc": "magic"}
    suffix = ".magicrc" if path.name.endswith("magicrc") else path.suffix
    if not path.is_file() or suffix not in kinds:
        raise PdkError(
            f"{DECK_OVERRIDE} is {str(path)!r}, which is not a deck "
            "(a file of KLayout, .drc or .lydrc, or of Magic, .magicrc)"
        )
    return Deck("magic" if kinds[suffix] == "magic" else "klayout", path.absolute())


def _too_old(deck: Deck, decks: Decks) -> str:
    """Return why the program that is installed cannot read a deck; empty if it can.

    It would not say so itself: Magic 8.3.105 crashes on a technology for 8.3.411.
    """
    required = decks.klayout_requires if deck.tool == "klayout" else _required_magic(deck.path)
    if required is None:
        return ""
    option = "-v" if deck.tool == "klayout" else "--version"
    try:
        version = _VERSION.search(run_tool(deck.tool, [require_tool(deck.tool), option], timeout_s=60))
    except ToolError as error:
        return str(error).removeprefix(f"{deck.tool}: ")
    if version is None or _numbers(version[0]) >= _numbers(required):
        return ""
    return f"the deck {deck.path} requires {deck.program} {required}, but {version[0]} is installed"


def _required_magic(start: Path) -> str | None:
    technology = start.with_suffix(".tech")
    found = _REQUIRED.search(technology.read_text(errors="replace")) if technology.is_file() else None
    return found[1] if found else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _paths(patterns: tuple[str, ...]) -> Iterator[Path]:
    for root in pdk_roots():
        for pattern in patterns:
            yield from sorted(root.glob(pattern))


def _roots_text() -> str:
    return ", ".join(map(str, pdk_roots()))


def run_deck(deck: Deck, layout: Path, top: str, decks: Decks, *, timeout_s: float = 3600.0) -> DrcVerdict:
    """Run an official deck on a layout; returns the rules that it reports.

    Parameters
    ----------
    deck
        The deck and its tool.
    layout
        GDS file.
    top
        Name of the top cell.
    decks
        Options of the decks.
    timeout_s
        Time limit of the tool in seconds.

    Raises
    ------
    ToolError
        The tool fails, or does not report.
    """
    start = time.perf_counter()
    run = _run_klayout if deck.tool == "klayout" else _run_magic
    with tempfile.TemporaryDirectory() as scratch:
        rules = run(deck, layout.absolute(), top, decks, Path(scratch), timeout_s)
    return DrcVerdict(str(layout), f"{deck.program}, {deck.path.name}", rules, time.perf_counter() - start)


def _run_klayout(
    deck: Deck, layout: Path, top: str, decks: Decks, scratch: Path, timeout_s: float
) -> tuple[RuleCount, ...]:
    import klayout.rdb as krdb

    report = scratch / "report.lyrdb"
    given = {"input": layout, "topcell": top, "top_cell": top, "report": report, **decks.klayout_options}
    options = [part for name, value in given.items() for part in ("-rd", f"{name}={value}")]
    program = require_tool("klayout")
    output = run_tool(
        "klayout", [program, "-b", "-zz", "-r", deck.path, *options], timeout_s=timeout_s, cwd=scratch
    )
    if not report.is_file():
        raise ToolError("klayout", f"{deck.path} wrote no report", tail=output, output=output)
    database = krdb.ReportDatabase("drc")
    database.load(str(report))
    if next(database.each_category(), None) is None:
        raise ToolError("klayout", f"{deck.path} checked no rule", tail=output, output=output)
    return tuple(_klayout_rule(database, category, top) for category in database.each_category())


def _klayout_rule(database: krdb.ReportDatabase, category: krdb.RdbCategory, top: str) -> RuleCount:
    """Return the count of a rule, and the places of violations that are in the top cell itself."""
    rule = category.name()
    items = database.each_item_per_category(category.rdb_id())
    values = [each for item in items if _cell_name(database, item) == top for each in item.each_value()]
    places = sorted(place for each in values if (place := _place(each)) is not None)
    what = " ".join(category.description.split()).removeprefix(f"{rule} : ")
    return RuleCount(rule, what, category.num_items(), tuple(places[:_SHOWN]))


def _cell_name(database: krdb.ReportDatabase, item: krdb.RdbItem) -> str:
    return database.cell_by_id(item.cell_id()).name()


def _place(value: krdb.RdbItemValue) -> tuple[float, float] | None:
    """Return the middle of what a report shows; None for texts and numbers."""
    if value.is_polygon():
        box = value.polygon().bbox()
    elif value.is_edge_pair():
        box = value.edge_pair().bbox()
    elif value.is_edge():
        box = value.edge().bbox()
    else:
        return None
    return round(box.center().x, 4), round(box.center().y, 4)


def _run_magic(
    deck: Deck, layout: Path, top: str, _decks: Decks, scratch: Path, timeout_s: float
) -> tuple[RuleCount, ...]:
    start, script = scratch / "start.magicrc", scratch / "check.tcl"
    start.write_text(_magic_start(deck.path), encoding="utf-8")
    script.write_text(_MAGIC.format(layout=layout, top=top, end=_END), encoding="utf-8")
    program = require_tool("magic")
    output = run_tool(
        "magic",
        [program, "-dnull", "-noconsole", "-rcfile", start, script],
        timeout_s=timeout_s,
        cwd=scratch,
        marker=_END,
    )
    places: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for left, bottom, right, top_edge, why in _FOUND.findall(output):
        x, y = (float(left) + float(right)) / 2, (float(bottom) + float(top_edge)) / 2
        places[why].append((round(x, 4), round(y, 4)))
    return tuple(_magic_rule(why, sorted(found)) for why, found in sorted(places.items()))


def _magic_start(deck: Path) -> str:
    """Return a start file that reads the one of a deck, with ``PDK_ROOT`` set to the folder of its PDK.

    Start files load the technology below ``PDK_ROOT``, and the deck may have been found elsewhere.
    """
    pdk = deck.parents[2] if deck.match("*/libs.tech/magic/*") else None
    root = "" if pdk is None else f"set env(PDK_ROOT) {{{pdk.parent}}}\n"
    return f"{root}source {{{deck}}}\n"


def _magic_rule(why: str, places: list[tuple[float, float]]) -> RuleCount:
    """Return the count of a rule whose name stands in brackets at the end of Magic's sentence."""
    match = _NAMED.match(why)
    rule, what = (match["rule"], match["what"] or why) if match else ("magic", why)
    return RuleCount(rule, what, len(places), tuple(places[:_SHOWN]))
