"""Rendering of data sheets as Markdown and as HTML, from the same document."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING

from dwn_asic.report.datasheet.document import page
from dwn_asic.report.datasheet.form import Code, Line, Link, Piece, Strong
from dwn_asic.report.table import escape

if TYPE_CHECKING:
    from jinja2 import Environment

    from dwn_asic.report.datasheet.value import DataSheet

__all__ = ["datasheet_html", "datasheet_markdown"]

_FOLDED = 24
"""Maximum number of rows of a table that HTML shows without folding it."""
_DRAWN = 16
"""Maximum number of inputs of a circuit whose block symbol HTML shows."""


def datasheet_markdown(sheet: DataSheet) -> str:
    """Return a data sheet as Markdown."""
    return _environment(_markdown).get_template("sheet.md.j2").render(page=page(sheet))


def datasheet_html(sheet: DataSheet) -> str:
    """Return a data sheet as one HTML page without external resources."""
    template = _environment(_html, autoescape=True).get_template("sheet.html.j2")
    drawn = len(sheet.inputs) <= _DRAWN
    return template.render(page=page(sheet), sheet=sheet, drawn=drawn, folded=_FOLDED)


def _environment(write: Callable[[Piece], str], *, autoescape: bool = False) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    def line(pieces: Line) -> str:
        return "".join(map(write, pieces))

    environment = Environment(
        loader=PackageLoader("dwn_asic.report.datasheet", "."),
        autoescape=autoescape,  # noqa: S701 - Markdown has its own escapes
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(line=line, text=write)
    return environment


def _markdown(piece: Piece) -> str:
    match piece:
        case Code(text):
            return escape(text) if {"`", "|"} & set(text) else f"`{text}`"
        case Strong(text):
            return f"**{escape(text).strip()}**{' ' * text.endswith(' ')}"
        case Link(text, target, to_page):
            return f"[{escape(text)}]({target}{'.md' if to_page else ''})"
        case text:
            return _edges(text, escape(text))


def _edges(text: str, line: str) -> str:
    """Return a line with the leading and trailing blank of ``text``, if any."""
    return f"{' ' * text.startswith(' ')}{line}{' ' * (len(text) > 1 and text.endswith(' '))}"


def _html(piece: Piece) -> str:
    match piece:
        case Code(text):
            return f"<code>{html.escape(text)}</code>"
        case Strong(text):
            return f"<strong>{html.escape(text)}</strong>"
        case Link(text, target, to_page):
            return f'<a href="{html.escape(target)}{".html" if to_page else ""}">{html.escape(text)}</a>'
        case text:
            return html.escape(text)
