"""Liberty files as text: decompressed, cut into the cells of the library, each piece parsed on its own.

The parser is libparse (Yosys's own), which stops at the first thing that it doesn't know. So each cell is
handed to it alone: what can't be read costs one cell, not the library.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dwn_asic.errors import PdkError

__all__ = [
    "CellText",
    "Group",
    "LibertyFile",
    "argument",
    "attribute",
    "groups",
    "parse_cell",
    "read_file",
    "unquote",
]

_COMMENT_OR_QUOTED = rb'"[^"]*"|/\*.*?\*/|//[^\n]*'
_SKIPPED = re.compile(_COMMENT_OR_QUOTED, re.DOTALL)
_BRACE = re.compile(_COMMENT_OR_QUOTED + rb"|[{}]", re.DOTALL)
_GROUP_HEAD = re.compile(rb'([A-Za-z_]\w*)\s*\(\s*((?:"[^"]*"|[^()"])*)\)\s*\Z')
_STATEMENT = re.compile(rb'(?:"[^"]*"|[^";])+;?')
# To libparse a statement ends with its line; in Liberty a brace may stand on a line of its own.
_LOOSE = re.compile(rb"/[*/]|\n\s*[{(:]|:\s*\n")
_CONTINUED = re.compile(rb'"[^"]*"|(?<!\\)\s*\n\s*(?=[{(:])|:\s*\n')
_PROBLEM = re.compile(r"on line (\d+)\.\s*(.*)", re.DOTALL)

Group = dict[str, Any]
"""A Liberty group or attribute: ``id``, ``args``, ``value``, ``children``, where present."""


@dataclass(frozen=True)
class CellText:
    """One ``cell (NAME) {...}`` group, not yet parsed.

    Attributes
    ----------
    name
        Without quotes; empty where the file has none.
    line
        Line of the file that it starts on, from 1.
    text
        The whole group.
    """

    name: str
    line: int
    text: bytes


@dataclass(frozen=True)
class LibertyFile:
    """The ``library`` group of one file.

    Attributes
    ----------
    path
        The file.
    name
        The library's.
    header
        The library's own attributes, without its groups.
    cells
        In the order of the file.
    notes
        What was left out of the header, and why: one line each.
    """

    path: Path
    name: str
    header: Group
    cells: tuple[CellText, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Head:
    """The text before a brace: ``KIND (NAME)``, and the statements before that. Comments are blank.

    Where the brace has no such head, kind and name are empty.
    """

    kind: str
    name: str
    text: bytes
    before: bytes


def read_file(path: Path) -> LibertyFile:
    """Read one ``.lib`` or ``.lib.gz`` file.

    Raises
    ------
    PdkError
        The file can't be read, is truncated or isn't Liberty.
    """
    content = _content(path)
    problem = _structure_problem(content)
    if problem:
        raise PdkError(f"{path}: not a complete Liberty file: {problem}")
    start, *pieces = _pieces(content)
    top = _head(start)
    if pieces and not top.before.strip() and top.kind not in {"", "library"}:
        raise PdkError(f"{path}: not a Liberty file: its outermost group is {top.kind!r}, not 'library'")
    if not pieces or not top.kind or top.before.strip():
        shown = " ".join(_without_comments(start).decode("utf-8", "replace").split())[:60]
        raise PdkError(f"{path}: not a Liberty file: it starts with {shown!r}, not with 'library (NAME) {{'")
    attributes: list[Group] = []
    cells: list[CellText] = []
    notes: list[str] = []
    line = 1 + start.count(b"\n")
    for between, body in zip(pieces[::2], [*pieces[1::2], b""], strict=True):
        head = _head(between) if body else _Head("", "", b"", _without_comments(between))
        found, problems = _attributes(head.before, line)
        attributes += found
        line += head.before.count(b"\n")
        if body and not head.kind:
            problems.append(f"a group is left out: line {line}: 'KIND (NAME)' should be before its brace")
        if head.kind == "cell":
            cells.append(CellText(head.name, line, head.text + body))
        notes += [f"{path.name}: {problem}" for problem in problems]
        line += head.text.count(b"\n") + body.count(b"\n")
    return LibertyFile(path, top.name, {"id": "library", "children": attributes}, tuple(cells), tuple(notes))


def parse_cell(cell: CellText) -> Group:
    """The cell as nested groups; raises ValueError that names the line of the file."""
    return _parse(cell.text, cell.line)


def groups(group: Group, kind: str) -> list[Group]:
    """The groups of that kind directly inside."""
    return [child for child in group.get("children", []) if child["id"] == kind]


def attribute(group: Group, name: str) -> str:
    """Value without quotes; empty where the attribute is absent."""
    return next(
        (unquote(c["value"]) for c in group.get("children", []) if c["id"] == name and "value" in c), ""
    )


def argument(group: Group) -> str:
    """The name in the group's parentheses; empty where there is none."""
    return unquote(group["args"][0]) if group.get("args") else ""


def unquote(text: str) -> str:
    """``text`` without quotes and the blanks around it."""
    return text.strip().strip('"').strip()


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise PdkError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _structure_problem(content: bytes) -> str:
    """Why the file can't be whole, or empty: libparse never returns from a string that isn't closed."""
    rest = _SKIPPED.sub(b"", content)
    if not rest.strip():
        return "it is empty"
    if b'"' in rest:
        return "it ends inside a quoted string"
    if b"/*" in rest:
        return "it ends inside a comment"
    opened, closed = rest.count(b"{"), rest.count(b"}")
    return f"{opened} groups are opened, {closed} closed" if opened != closed else ""


def _pieces(content: bytes) -> Iterator[bytes]:
    """The text before the outermost group; then in turn text directly inside it, and a group inside it.

    A group starts at its brace. The last piece is text. Without a group, all of it is text before one.
    """
    depth, start = 0, 0
    for brace in _BRACE.finditer(content):
        if brace[0] == b"{":
            depth += 1
            if depth <= 2:
                yield content[start : brace.start()]
                start = brace.start() + (depth == 1)
        elif brace[0] == b"}":
            depth -= 1
            if depth <= 0:
                yield content[start : brace.start()]
                return
            if depth == 1:
                yield content[start : brace.end()]
                start = brace.end()
    yield content


def _head(text: bytes) -> _Head:
    plain = _without_comments(text)
    match = _GROUP_HEAD.search(plain)
    if match is None:
        start = len(plain) - len(plain[plain.rfind(b";") + 1 :].lstrip())
        return _Head("", "", plain[start:], plain[:start])
    name = " ".join(unquote(match[2].decode("utf-8", "replace")).split())
    return _Head(match[1].decode(), name, plain[match.start() :], plain[: match.start()])


def _without_comments(text: bytes) -> bytes:
    """The same lines, comments replaced by blanks."""
    return _SKIPPED.sub(lambda m: m[0] if m[0][:1] == b'"' else re.sub(rb"[^\n]", b" ", m[0]), text)


def _attributes(text: bytes, line: int) -> tuple[list[Group], list[str]]:
    """The attributes that can be read, and for each statement that can't, why."""
    if not text.strip():
        return [], []
    try:
        return _parse(b"library (header) {%s\n}" % text, line).get("children", []), []
    except ValueError as error:
        statements = list(_STATEMENT.finditer(text))
        if len(statements) <= 1:
            return [], [f"a statement is left out: {error}"]
    attributes: list[Group] = []
    problems: list[str] = []
    for statement in statements:
        found, problem = _attributes(statement[0], line + text.count(b"\n", 0, statement.start()))
        attributes += found
        problems += problem
    return attributes, problems


def _parse(text: bytes, line: int) -> Group:
    """The group in ``text``, which starts on that line of its file; raises ValueError."""
    from libparse import LibertyParser

    with tempfile.TemporaryFile() as file:
        file.write(_joined(text) if _LOOSE.search(text) else text)
        file.seek(0)
        try:
            # The tree points into the parser's memory: both must live until the copy is made.
            parser = LibertyParser(file)
            tree = parser.ast
            copied: Group = tree.to_dict()
            del tree, parser
        except (RuntimeError, SystemError, ValueError, AttributeError) as error:
            raise ValueError(_reason(error, line)) from error
    return copied


def _joined(text: bytes) -> bytes:
    """The same lines without comments; a backslash, which libparse skips, ends a line in mid-statement."""
    plain = _without_comments(text)
    return _CONTINUED.sub(lambda m: m[0] if m[0][:1] == b'"' else m[0].replace(b"\n", b"\\\n"), plain)


def _reason(error: Exception, line: int) -> str:
    """Libparse's message on one line, with the file's line number."""
    message = str(error).replace("\x00", "")
    found = _PROBLEM.search(message)
    if found is None:
        return f"line {line}: {' '.join(message.split()) or type(error).__name__}"
    detail = " ".join(found[2].split())
    return f"line {line + int(found[1]) - 1}: {detail or 'not Liberty syntax'}"
