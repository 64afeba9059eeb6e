"""Reader of Liberty files: it decompresses them, splits them into cells, and parses each cell separately.

The parser is libparse, Yosys's own, which stops at the first construct that it does not know. Since each cell
is parsed separately, such a construct costs one cell instead of the whole library.
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
    "Group",
    "GroupText",
    "LibertyFile",
    "argument",
    "attribute",
    "groups",
    "parse_group",
    "read_file",
    "unquote",
]

_COMMENT_OR_QUOTED = rb'"[^"]*"|/\*.*?\*/|//[^\n]*'
_SKIPPED = re.compile(_COMMENT_OR_QUOTED, re.DOTALL)
_BRACE = re.compile(_COMMENT_OR_QUOTED + rb"|[{}]", re.DOTALL)
_GROUP_HEAD = re.compile(rb'([A-Za-z_]\w*)\s*\(\s*((?:"[^"]*"|[^()"])*)\)\s*\Z')
_STATEMENT = re.compile(rb'(?:"[^"]*"|[^";])+;?')
# In libparse a statement ends with its line, but in Liberty a brace may be on a line of its own.
_LOOSE = re.compile(rb"/[*/]|\n\s*[{(:]|:\s*\n")
_CONTINUED = re.compile(rb'"[^"]*"|(?<!\\)\s*\n\s*(?=[{(:])|:\s*\n')
_PROBLEM = re.compile(r"on line (\d+)\.\s*(.*)", re.DOTALL)

Group = dict[str, Any]
"""A Liberty group or attribute, with those of the keys ``id``, ``args``, ``value``, ``children`` it has."""


@dataclass(frozen=True)
class GroupText:
    """One ``KIND (NAME) {...}`` group of a library, for example a cell, not yet parsed.

    Attributes
    ----------
    kind
        Kind of the group, for example ``cell`` or ``lu_table_template``.
    name
        Name in its parentheses without quotes; empty if it has none.
    line
        Line of the file on which the group starts, counted from 1.
    text
        Text of the whole group.
    """

    kind: str
    name: str
    line: int
    text: bytes


@dataclass(frozen=True)
class LibertyFile:
    """The ``library`` group of one file.

    Attributes
    ----------
    path
        Path of the file.
    name
        Name of the library.
    header
        Attributes of the library, without its groups.
    cells
        Cells in the order of the file.
    others
        All other groups of the library: templates of tables, operating conditions, wire-load models.
    notes
        One line for each part of the header that was skipped, with the reason.
    """

    path: Path
    name: str
    header: Group
    cells: tuple[GroupText, ...]
    others: tuple[GroupText, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Head:
    """The text before a brace: ``KIND (NAME)``, and the statements before it, with comments blanked.

    If there is no ``KIND (NAME)`` before the brace, kind and name are empty.
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
        The file cannot be read, is truncated or is not Liberty.
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
    inner: list[GroupText] = []
    notes: list[str] = []
    line = 1 + start.count(b"\n")
    for between, body in zip(pieces[::2], [*pieces[1::2], b""], strict=True):
        head = _head(between) if body else _Head("", "", b"", _without_comments(between))
        found, problems = _attributes(head.before, line)
        attributes += found
        line += head.before.count(b"\n")
        if body and not head.kind:
            problems.append(f"a group is skipped: line {line}: 'KIND (NAME)' is missing before its brace")
        if head.kind:
            inner.append(GroupText(head.kind, head.name, line, head.text + body))
        notes += [f"{path.name}: {problem}" for problem in problems]
        line += head.text.count(b"\n") + body.count(b"\n")
    return LibertyFile(
        path,
        top.name,
        {"id": "library", "children": attributes},
        tuple(group for group in inner if group.kind == "cell"),
        tuple(group for group in inner if group.kind != "cell"),
        tuple(notes),
    )


def parse_group(group: GroupText) -> Group:
    """Parse a group into nested groups; raises ValueError that names the line of the file."""
    return _parse(group.text, group.line)


def groups(group: Group, kind: str) -> list[Group]:
    """Return the groups of that kind directly inside a group."""
    return [child for child in group.get("children", []) if child["id"] == kind]


def attribute(group: Group, name: str) -> str:
    """Return the value of an attribute without quotes; empty if the attribute is absent."""
    return next(
        (unquote(c["value"]) for c in group.get("children", []) if c["id"] == name and "value" in c), ""
    )


def argument(group: Group) -> str:
    """Return the name in the parentheses of a group; empty if there is none."""
    return unquote(group["args"][0]) if group.get("args") else ""


def unquote(text: str) -> str:
    """Return ``text`` without quotes and surrounding blanks."""
    return text.strip().strip('"').strip()


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise PdkError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _structure_problem(content: bytes) -> str:
    """Return the reason why a file is incomplete, or an empty text.

    Such files must not reach libparse, which never returns from an unterminated string.
    """
    rest = _SKIPPED.sub(b"", content)
    if not rest.strip():
        return "it is empty"
    if b'"' in rest:
        return "it ends inside a quoted string"
    if b"/*" in rest:
        return "it ends inside a comment"
    opened, closed = rest.count(b"{"), rest.count(b"}")
    return f"{opened} groups are opened, but {closed} are closed" if opened != closed else ""


def _pieces(content: bytes) -> Iterator[bytes]:
    """Yield the text before the outermost group, then alternately text directly inside it and an inner group.

    A group starts at its brace. The last piece is always text. If there is no group, the whole content is the
    text before it.
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
    """Replace comments by blanks and keep the lines."""
    return _SKIPPED.sub(lambda m: m[0] if m[0][:1] == b'"' else re.sub(rb"[^\n]", b" ", m[0]), text)


def _attributes(text: bytes, line: int) -> tuple[list[Group], list[str]]:
    """Return the attributes that can be read, and the reason for each statement that cannot."""
    if not text.strip():
        return [], []
    try:
        return _parse(b"library (header) {%s\n}" % text, line).get("children", []), []
    except ValueError as error:
        statements = list(_STATEMENT.finditer(text))
        if len(statements) <= 1:
            return [], [f"a statement is skipped: {error}"]
    attributes: list[Group] = []
    problems: list[str] = []
    for statement in statements:
        found, problem = _attributes(statement[0], line + text.count(b"\n", 0, statement.start()))
        attributes += found
        problems += problem
    return attributes, problems


def _parse(text: bytes, line: int) -> Group:
    """Parse the group in ``text``, which starts on the given line of its file; raises ValueError."""
    from libparse import LibertyParser

    with tempfile.TemporaryFile() as file:
        file.write(_joined(text) if _LOOSE.search(text) else text)
        file.seek(0)
        try:
            # The tree refers to the parser's memory, so both must exist until the copy is made.
            parser = LibertyParser(file)
            tree = parser.ast
            copied: Group = tree.to_dict()
            del tree, parser
        except (RuntimeError, SystemError, ValueError, AttributeError) as error:
            raise ValueError(_reason(error, line)) from error
    return copied


def _joined(text: bytes) -> bytes:
    """Remove comments, and continue statements over line ends with a backslash, as libparse needs it."""
    plain = _without_comments(text)
    return _CONTINUED.sub(lambda m: m[0] if m[0][:1] == b'"' else m[0].replace(b"\n", b"\\\n"), plain)


def _reason(error: Exception, line: int) -> str:
    """Return the message of libparse in one line, with the line number of the file."""
    message = str(error).replace("\x00", "")
    found = _PROBLEM.search(message)
    if found is None:
        return f"line {line}: {' '.join(message.split()) or type(error).__name__}"
    detail = " ".join(found[2].split())
    return f"line {line + int(found[1]) - 1}: {detail or 'not Liberty syntax'}"
