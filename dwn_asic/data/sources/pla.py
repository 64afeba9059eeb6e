"""Files of the user in espresso's PLA format, plain or ``.gz``: binary tables, for example of logic contests.

Only types that also list the rows of class 0 (``.type fr``, ``fdr``) are supported. An input ``-`` stands for
both values: such a row becomes one row for each combination that it covers, at most 1,024. A row whose output
is ``-`` or ``~`` does not specify that output and is left out. If there are several outputs, ``label``
chooses one; the others do not become features.

References
----------
espresso(5); IWLS 2020 programming contest, https://github.com/iwls2020-lsml-contest/iwls2020-lsml-contest
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.config import DataConfig
from dwn_asic.data.data_source import DataSource, user_file
from dwn_asic.data.raw import RawTable
from dwn_asic.data.text_file import open_text, text_faults
from dwn_asic.errors import DataError, shortened

__all__ = ["SOURCE", "read_pla"]

_TYPES = ("fr", "fdr")
_MOST_FREE = 10  # most inputs with - in one row
_MOST_ROWS = 1 << 20  # most rows after expansion


@dataclass
class _Pla:
    """The content of a file, before any conversion."""

    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    kind: str = "fd"
    rows: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs, by default x0, x1, ..."""
        return self.names.get(".ilb", [f"x{n}" for n in range(self.counts[".i"])])

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs, by default y0, y1, ..."""
        return self.names.get(".ob", [f"y{n}" for n in range(self.counts[".o"])])


def read_pla(path: Path, config: DataConfig) -> RawTable:
    """Read one output as the label and all inputs as features with the values 0 and 1.

    Raises
    ------
    DataError
        The file is invalid. The error names the file and, if known, the row of the table (counted from 1) and
        the column.
    """
    with text_faults(path), open_text(path) as file:
        content = _parse(path, file)
    if content.kind not in _TYPES:
        problem = f"type {content.kind} (default: fd) does not list the rows of class 0"
        raise DataError(path, f"{problem}; expected .type fr or fdr")
    inputs, at = content.inputs, _output(path, content.outputs, config.label)
    cells = np.frombuffer("".join(content.rows).encode("ascii"), np.uint8)
    cells = cells.reshape(len(content.rows), len(inputs) + len(content.outputs))
    labels = cells[:, len(inputs) + at]
    known = (labels == ord("0")) | (labels == ord("1"))
    values, labels = _expanded(path, cells[known, : len(inputs)], labels[known], np.flatnonzero(known))
    return RawTable.build(
        config.source,
        str(path),
        values=values,
        categorical=np.zeros(len(inputs), np.bool_),
        labels=[chr(label) for label in labels],
        feature_names=inputs,
        label_name=content.outputs[at],
    )


# ---- lines -------------------------------------------------------------------------------------------------
def _parse(path: Path, lines: Iterable[str]) -> _Pla:
    content, ended = _Pla(), False
    for n, line in enumerate(lines, start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if ended:
            raise DataError(path, f"line {n}: there is text after .e")
        if not words[0].startswith("."):
            content.rows.append(_row(path, content, "".join(words).replace("|", "")))
        elif words[0] in {".e", ".end"}:
            ended = True
        else:
            _directive(path, n, content, words)
    _check(path, content)
    return content


def _directive(path: Path, n: int, content: _Pla, words: list[str]) -> None:
    key, *values = words
    if key in {".i", ".o", ".p"}:
        if len(values) != 1 or not values[0].isdecimal() or (key != ".p" and not int(values[0])):
            raise DataError(path, f"line {n}: expected a number after {key}")
        content.counts[key] = int(values[0])
    elif key in {".ilb", ".ob"}:
        content.names[key] = values
    elif key == ".type" and len(values) == 1:
        content.kind = values[0]
    else:
        allowed = ".i, .o, .p, .ilb, .ob, .type, .e"
        raise DataError(path, f"line {n}: {' '.join(words)[:40]!r} is not supported (allowed: {allowed})")


def _row(path: Path, content: _Pla, cells: str) -> str:
    """Check a row and return its cells, one character for each input and output."""
    n = len(content.rows) + 1
    if not {".i", ".o"} <= content.counts.keys():
        raise DataError(path, "comes before .i and .o; is this a PLA file?", row=n)
    n_inputs, n_outputs = content.counts[".i"], content.counts[".o"]
    if len(cells) != n_inputs + n_outputs:
        problem = f"has {len(cells)} characters; expected {n_inputs} inputs and {n_outputs} outputs"
        raise DataError(path, problem, row=n)
    for part, allowed in ((cells[:n_inputs], "01-"), (cells[n_inputs:], "01-~")):
        if wrong := part.strip(allowed):
            raise DataError(path, f"{wrong[0]!r} is not a valid cell (allowed: {', '.join(allowed)})", row=n)
    return cells


def _check(path: Path, content: _Pla) -> None:
    """Check the file as a whole."""
    if not content.rows:
        raise DataError(path, "has no rows; it is not a PLA file or is truncated")
    expected = content.counts.get(".p", len(content.rows))
    if expected != len(content.rows):
        raise DataError(
            path, f".p declares {expected} rows, but there are {len(content.rows)}; the file may be truncated"
        )
    for key, names in ((".i", content.inputs), (".o", content.outputs)):
        if len(names) != content.counts[key]:
            raise DataError(path, f"{len(names)} names for {content.counts[key]} columns of {key}")
        if len(set(names)) < len(names):
            raise DataError(path, f"two columns of {key} have the same name")


def _output(path: Path, names: list[str], label: str | None) -> int:
    """Return the index of the output that is the label."""
    if label is None and len(names) == 1:
        return 0
    if label is None:
        raise DataError(path, f"there are {len(names)} outputs; set data.label to one of {shortened(names)}")
    if label not in names:
        raise DataError(
            path, f"there is no output {label!r} (set data.label); its outputs: {shortened(names)}"
        )
    return names.index(label)


# ---- inputs that stand for both values ---------------------------------------------------------------------
def _expanded(
    path: Path, inputs: NDArray[np.uint8], labels: NDArray[np.uint8], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return (M, F) values 0 and 1 and (M,) labels; ``rows`` are row numbers in the file, counted from 0."""
    free = inputs == ord("-")
    n_free = free.sum(axis=1)
    if len(n_free) and n_free.max() > _MOST_FREE:
        widest = int(n_free.argmax())
        problem = (
            f"has {n_free[widest]} inputs with -, at most {_MOST_FREE} are supported; write out its rows"
        )
        raise DataError(path, problem, row=int(rows[widest]) + 1)
    if (1 << n_free).sum() > _MOST_ROWS:
        raise DataError(
            path, f"inputs with - expand to {(1 << n_free).sum()} rows, at most {_MOST_ROWS} are supported"
        )
    again = np.repeat(np.arange(len(inputs)), 1 << n_free)
    values = (inputs[again] == ord("1")).astype(np.float64)
    first = np.cumsum(1 << n_free) - (1 << n_free)
    for n in np.flatnonzero(n_free):
        places, count = np.flatnonzero(free[n]), 1 << int(n_free[n])
        bits = np.arange(count)[:, None] >> np.arange(len(places)) & 1
        values[first[n] : first[n] + count, places] = bits
    return values, labels[again]


def _read(config: DataConfig) -> RawTable:
    return read_pla(user_file(config), config)


SOURCE = DataSource("pla", "pla:PATH", _read, has_file=True)
