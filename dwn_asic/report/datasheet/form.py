"""The structure of a document: headings, sentences and tables, independent of Markdown and HTML."""

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
    """A name, command or formula, shown in a monospaced font."""

    text: str


@dataclass(frozen=True)
class Strong:
    """A text in bold."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link to another file or, with ``page``, to another page in the same format."""

    text: str
    target: str
    page: bool = False


Piece = str | Code | Strong | Link
"""A part of a sentence, or the content of a table cell."""
Line = tuple[Piece, ...]
"""A paragraph: one or several sentences."""


def line(*pieces: Piece) -> Line:
    """Return a line that consists of the pieces, without blanks between them."""
    return pieces


@dataclass(frozen=True)
class Column:
    """The heading of a table's column, and whether it holds numbers."""

    text: str
    number: bool = False


def texts(*headings: str) -> tuple[Column, ...]:
    """Return columns with these headings that contain texts."""
    return tuple(Column(heading) for heading in headings)


def numbers(*headings: str) -> tuple[Column, ...]:
    """Return columns with these headings that contain numbers."""
    return tuple(Column(heading, number=True) for heading in headings)


@dataclass(frozen=True)
class Table:
    """A table with headings.

    Attributes
    ----------
    columns
        Heading and kind of each column.
    rows
        Rows, with a cell for each column.
    title
        Title of the table; empty if that of the section is enough.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Piece, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A section: a heading, paragraphs, then tables, then further paragraphs."""

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
        Heading of the document.
    lines
        Paragraphs below the heading.
    facts
        Name and value of the most important facts.
    sections
        Sections in order.
    """

    title: str
    lines: tuple[Line, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def plain(value: float) -> str:
    """Return the shortest text that represents this number exactly.

    >>> plain(0.1), plain(3.0), plain(2.5e-7)
    ('0.1', '3', '2.5e-07')
    """
    return repr(value).removesuffix(".0")
