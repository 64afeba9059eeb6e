"""One HTML page over everything: no network, works from a file."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass

from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Table
from dwn_asic.study.trace import circuit_lines, flow_text, run_lines, verilog_file

__all__ = ["Section", "page"]

_LARGEST_VERILOG = 400_000
"""Characters; of a larger circuit the page names the file."""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    title
        Heading.
    study
        Whose runs stand behind the tables' rows.
    tables
        In order.
    figures
        Caption and SVG of each.
    """

    title: str
    study: Study
    tables: Sequence[Table]
    figures: Sequence[tuple[str, bytes]]


def page(sections: Sequence[Section]) -> str:
    """The page; equal sections give equal bytes."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dwn_asic.study", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    texts = _Texts()
    content = [_section(section, texts) for section in sections]
    return environment.get_template("page.html.j2").render(sections=content, texts=texts.packed)


class _Texts:
    """Flow files and Verilog, each once, compressed: hundreds of them are megabytes."""

    def __init__(self) -> None:
        self.packed: list[str] = []
        self._places: dict[str, int] = {}

    def add(self, text: str) -> int:
        """The text's place."""
        if text not in self._places:
            self._places[text] = len(self.packed)
            self.packed.append(base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())
        return self._places[text]


# What the template sees.
@dataclass(frozen=True)
class _Cell:
    shown: str
    key: str | float
    numeric: bool


@dataclass(frozen=True)
class _Behind:
    """What a row unfolds to; texts are places among the packed ones."""

    runs: list[dict[str, str]]
    flow: int
    flow_about: str
    verilog: int | None
    verilog_about: str


@dataclass(frozen=True)
class _Row:
    cells: list[_Cell]
    behind: _Behind | None


@dataclass(frozen=True)
class _Table:
    id: str
    title: str
    notes: list[str]
    columns: Sequence[str]
    rows: list[_Row]


@dataclass(frozen=True)
class _Figure:
    caption: str
    data: str


@dataclass(frozen=True)
class _Section:
    id: str
    title: str
    figures: list[_Figure]
    tables: list[_Table]


def _section(section: Section, texts: _Texts) -> _Section:
    figures = [_Figure(caption, base64.b64encode(svg).decode()) for caption, svg in section.figures]
    tables = [_table(section.study, table, texts) for table in section.tables]
    return _Section(section.study.name, section.title, figures, tables)


def _table(study: Study, table: Table, texts: _Texts) -> _Table:
    rows = [
        _Row(
            [_Cell(c.shown, c.key, numeric=not isinstance(c.key, str)) for c in row],
            _behind(study, table, number, texts),
        )
        for number, row in enumerate(table.rows)
    ]
    notes = [note.replace("`", "") for note in table.notes]
    return _Table(f"{study.name}-{table.name}", table.title, notes, table.columns, rows)


def _behind(study: Study, table: Table, number: int, texts: _Texts) -> _Behind | None:
    if number in table.circuits:
        circuits = table.circuits[number]
        return _unfolded(circuits[0].run, circuit_lines(circuits), circuits[0].verilog, texts)
    if number not in table.methods:
        return None
    flow, method = table.methods[number]
    runs = [run for run in study.sets[flow] if method in run.methods]
    first = min(runs, key=lambda run: run.methods[method].kind == "software")
    return _unfolded(first, run_lines(runs, method), verilog_file(first.methods[method]), texts)


def _unfolded(first: Run, lines: list[dict[str, str]], file: str | None, texts: _Texts) -> _Behind:
    verilog, about = None, "no circuit of its own that went to Verilog"
    text = None if file is None else first.text(file)
    if text is not None:
        about = f"Verilog of seed {first.result.seed}: {first.place}/{file}"
        if len(text) <= _LARGEST_VERILOG:
            verilog = texts.add(text)
    elif file is not None:
        about = f"the Verilog is not there: {first.place}/{file}"
    flow_about = f"{first.result.flow_file}, with its defaults and what it extends"
    return _Behind(lines, texts.add(flow_text(first)), flow_about, verilog, about)
