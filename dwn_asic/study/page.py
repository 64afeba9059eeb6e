"""One HTML page over everything: no network, works from a file."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dwn_asic.report.table import meaning_notes
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Cell, Table
from dwn_asic.study.trace import circuit_lines, flow_text, run_lines, verilog_file

__all__ = ["Section", "page"]

_LARGEST_VERILOG = 400_000
"""Characters; for a larger circuit the page only names the file."""
_SHOWN, _LONG = 10, 13
"""Rows that a folded table shows, and the number of rows from which on a table is folded."""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    title
        Heading.
    about
        A sentence below it.
    study
        Study whose runs stand behind the tables' rows.
    tables
        Tables in their order.
    images
        SVG of each figure of the tables, by its file.
    """

    title: str
    about: str
    study: Study
    tables: Sequence[Table]
    images: Mapping[str, bytes]


def page(sections: Sequence[Section]) -> str:
    """Return the page; equal sections return equal bytes."""
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
    return environment.get_template("page.html.j2").render(
        sections=content,
        texts=texts.packed,
        shown=_SHOWN,
        meaning=list(meaning_notes(run.result for each in sections for run in each.study.runs)),
    )


class _Texts:
    """Flow files and Verilog, each once and compressed, as hundreds of them take megabytes."""

    def __init__(self) -> None:
        self.packed: list[str] = []
        self._places: dict[str, int] = {}

    def add(self, text: str) -> int:
        """Pack a text and return its place."""
        if text not in self._places:
            self._places[text] = len(self.packed)
            self.packed.append(base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())
        return self._places[text]


# What the template sees.
@dataclass(frozen=True)
class _Cell:
    value: str
    spread: str
    key: str | float
    numeric: bool


@dataclass(frozen=True)
class _Behind:
    """The content that a row unfolds to; texts are places among the packed ones."""

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
class _Group:
    """Neighbouring columns under one heading, which is empty for a column by itself."""

    heading: str
    columns: int


@dataclass(frozen=True)
class _Column:
    heading: str
    unit: str
    numeric: bool
    starts: bool
    """True where a group of columns, or what follows one, begins."""


@dataclass(frozen=True)
class _Table:
    id: str
    title: str
    summary: str
    notes: Sequence[str]
    figures: list[_Figure]
    groups: list[_Group]
    columns: list[_Column]
    rows: list[_Row]
    long: bool


@dataclass(frozen=True)
class _Figure:
    caption: str
    data: str


@dataclass(frozen=True)
class _Section:
    id: str
    title: str
    about: str
    tables: list[_Table]


def _section(section: Section, texts: _Texts) -> _Section:
    tables = [_table(section, table, texts) for table in section.tables]
    return _Section(section.study.name, section.title, section.about, tables)


def _table(section: Section, table: Table, texts: _Texts) -> _Table:
    rows = [
        _Row([_cell(cell) for cell in row], _behind(section.study, table, number, texts))
        for number, row in enumerate(table.rows)
    ]
    figures = [
        _Figure(each.caption, base64.b64encode(section.images[each.file]).decode()) for each in table.figures
    ]
    groups, columns = _headings(table)
    return _Table(
        id=f"{section.study.name}-{table.name}",
        title=table.title,
        summary=table.summary,
        notes=table.notes,
        figures=figures,
        groups=groups,
        columns=columns,
        rows=rows,
        long=len(rows) >= _LONG,
    )


def _cell(cell: Cell) -> _Cell:
    value, _, spread = cell.shown.partition(" ± ")
    return _Cell(value, spread, cell.key, numeric=not isinstance(cell.key, str))


def _headings(table: Table) -> tuple[list[_Group], list[_Column]]:
    """Return the line of groups, empty where there are none, and the line of columns."""
    numeric = [not isinstance(cell.key, str) for cell in table.rows[0]] if table.rows else []
    groups: list[_Group] = []
    columns: list[_Column] = []
    for place, name in enumerate(table.columns):
        group, _, heading = name.rpartition(": ")
        starts = not groups or groups[-1].heading != group
        columns.append(
            _column(heading, numeric=bool(numeric) and numeric[place], starts=starts and place > 0)
        )
        if starts:
            groups.append(_Group(group, 0))
        groups[-1] = replace(groups[-1], columns=groups[-1].columns + 1)
    return (groups if len(groups) > 1 else []), columns


def _column(name: str, *, numeric: bool, starts: bool) -> _Column:
    heading, _, unit = name.partition(" (")
    return _Column(heading, unit.removesuffix(")"), numeric, starts)


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
    verilog, about = None, "This row has no circuit of its own that was written as Verilog."
    text = None if file is None else first.text(file)
    if text is not None:
        about = f"Verilog of seed {first.result.seed}: {first.place}/{file}"
        if len(text) <= _LARGEST_VERILOG:
            verilog = texts.add(text)
    elif file is not None:
        about = f"The Verilog is missing: {first.place}/{file}"
    flow_about = f"{first.result.flow_file}, with what it extends and all defaults"
    return _Behind(lines, texts.add(flow_text(first)), flow_about, verilog, about)
