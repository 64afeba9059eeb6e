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
from typing import Literal

from dwn_asic.errors import PdkError, ToolError
from dwn_asic.targets.asic.layout_checks.technology import Decks
from dwn_asic.targets.asic.layout_checks.verdict import DrcVerdict, RuleCount
from dwn_asic.targets.asic.pdk import pdk_roots
from dwn_asic.tools import find_tool, require_tool, run_tool

__all__ = ["DECK_OVERRIDE", "Deck", "find_decks", "run_deck"]

DECK_OVERRIDE = "DRC_DECK"
"""Environment variable with the path of a deck for KLayout (``.drc``, ``.lydrc``) or Magic (``.magicrc``)."""
_SHOWN = 5
_END = "dwn-asic: magic has checked the layout"
_FOUND = re.compile(r"^dwn-asic found (\S+) (\S+) (\S+) (\S+) (.*)$", re.MULTILINE)
_NAMED = re.compile(r"^(?:(?P<what>.*) )?\((?P<rule>[^()]+)\)$")
_MAGIC = """\
crashbackups stop
drc euclidean on
drc style drc(full)
drc on
gds read {layout}
load {top}
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


def find_decks(decks: Decks) -> tuple[tuple[Deck, ...], tuple[str, ...]]:
    """Return the decks that can be run, and a line for each that cannot, which says what is missing.

    ``DRC_DECK`` names the only deck to run; otherwise PDK roots are searched.

    Raises
    ------
    PdkError
        ``DRC_DECK`` is not the path of a deck.
    ToolError
        The program for the deck of ``DRC_DECK`` is not installed.
    """
    named = os.environ.get(DECK_OVERRIDE)
    if named:
        deck = _named_deck(Path(named))
        require_tool(deck.tool)
        return (deck,), ()
    found, missing = [], []
    for tool, patterns in (("klayout", decks.klayout), ("magic", decks.magic)):
        path = next(_paths(patterns), None)
        if path is None:
            missing.append(f"{tool}: no deck {Path(patterns[0]).name} below {_roots_text()}")
        elif find_tool(tool) is None:
            missing.append(f"{tool}: the deck {path} is there, but the program {tool} is not installed")
        else:
            found.append(Deck("klayout" if tool == "klayout" else "magic", path))
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
    tool = f"{'KLayout' if deck.tool == 'klayout' else 'Magic'}, {deck.path.name}"
    return DrcVerdict(str(layout), tool, rules, time.perf_counter() - start)


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
    return tuple(
        RuleCount(category.name(), " ".join(category.description.split()), category.num_items())
        for category in database.each_category()
    )


def _run_magic(
    deck: Deck, layout: Path, top: str, _decks: Decks, scratch: Path, timeout_s: float
) -> tuple[RuleCount, ...]:
    script = scratch / "check.tcl"
    script.write_text(_MAGIC.format(layout=layout, top=top, end=_END), encoding="utf-8")
    program = require_tool("magic")
    output = run_tool(
        "magic",
        [program, "-dnull", "-noconsole", "-rcfile", deck.path, script],
        timeout_s=timeout_s,
        cwd=scratch,
        marker=_END,
    )
    places: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for left, bottom, right, top_edge, why in _FOUND.findall(output):
        x, y = (float(left) + float(right)) / 2, (float(bottom) + float(top_edge)) / 2
        places[why].append((round(x, 4), round(y, 4)))
    return tuple(_magic_rule(why, sorted(found)) for why, found in sorted(places.items()))


def _magic_rule(why: str, places: list[tuple[float, float]]) -> RuleCount:
    """Return the count of a rule whose name stands in brackets at the end of Magic's sentence."""
    match = _NAMED.match(why)
    rule, what = (match["rule"], match["what"] or why) if match else ("magic", why)
    return RuleCount(rule, what, len(places), tuple(places[:_SHOWN]))
