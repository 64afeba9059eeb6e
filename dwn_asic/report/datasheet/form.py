"""The form of a document: headings, sentences and tables, without Markdown or HTML."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Code",
    "Column",
    "Line",
    "Link",
    "Page",
    "Piece",
    "Section",
    "Strong",
    "Table",
    "line",
    "numbers",
    "plain",
    "texts",
]


@dataclass(frozen=True)
class Code:
    """A name or a command, as it is typed."""

    text: str


@dataclass(frozen=True)
class Strong:
    """A text that stands out."""

    text: str


@dataclass(frozen=True)
class Link:
    """A text that leads to another file, or with ``page`` to another page of the same format."""

    text: str
    target: str
    page: bool = False


Piece = str | Code | Strong | Link
"""A part of a sentence, or a cell of a table."""
Line = tuple[Piece, ...]
"""One or several sentences."""


def line(*pieces: Piece) -> Line:
    """Return a line of pieces that follow one another without blanks."""
    return pieces


@dataclass(frozen=True)
class Column:
    """The heading of a table's column, and whether it holds numbers."""

    text: str
    number: bool = False


def texts(*headings: str) -> tuple[Column, ...]:
    """Return columns of texts."""
    return tuple(Column(heading) for heading in headings)


def numbers(*headings: str) -> tuple[Column, ...]:
    """Return columns of numbers."""
    return tuple(Column(heading, number=True) for heading in headings)


@dataclass(frozen=True)
class Table:
    """A table with headings.

    Attributes
    ----------
    columns
        Headings.
    rows
        A cell for each column.
    title
        What it lists; empty where the section says so.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Piece, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A heading, sentences, then tables, then further sentences."""

    title: str
    lines: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Page:
    """A whole document.

    Attributes
    ----------
    title
        Heading.
    lines
        Sentences below it.
    facts
        What is asked for first: name and value.
    sections
        Everything else.
    """

    title: str
    lines: tuple[Line, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def plain(value: float) -> str:
    """Return the shortest text that is read back as this number.

    >>> plain(0.1), plain(3.0), plain(2.5e-7)
    ('0.1', '3', '2.5e-07')
    """
    return repr(value).removesuffix(".0")
