"""The check of the project's English finds what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest
from language import findings

CLEAN = '''"""Rows of a table, and what is counted on them."""

ROWS = 3
"""Number of rows of the example."""


def count() -> int:
    """Return the number of rows.

    Where there are none, zero.
    """
    return ROWS
'''

PROPERTY = """class Rows:
    'Rows of a table.'

    @property
    def last(self) -> int:
        'Index of the last row.'
"""


def found(folder: Path, text: str, name: str = "module.py") -> list[str]:
    """Findings in a file of this text, without its place."""
    file = folder / name
    file.write_text(text)
    return [line.removeprefix(f"{file}:") for line in findings([file])]


def test_plain_english_passes(tmp_path: Path) -> None:
    assert found(tmp_path, CLEAN) == []


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("Return the number of rows.", "Of the rows.", "8: 'Of the rows.' ... begins a fragment"),
        ("Return the number of rows.", "Number of all rows.", "8: 'Number of all rows.' ... begins with no"),
        ("Number of rows of the example.", "Rows.", "4: 'Rows.' is too short"),
        (
            "Number of rows of the example.",
            "Of the example alone.",
            "4: 'Of the example alone.' ... begins a",
        ),
        ("Where there are none", "Where the rivals are none", "10: 'rivals': say 'baseline'"),
        ("return ROWS", "return ROWS  # the picture of it", "12: 'picture': say 'figure'"),
    ],
)
def test_each_fault_is_found_on_its_line(tmp_path: Path, before: str, after: str, finding: str) -> None:
    [line] = found(tmp_path, CLEAN.replace(before, after))
    assert line.startswith(finding)


def test_a_property_has_a_noun_phrase(tmp_path: Path) -> None:
    assert found(tmp_path, PROPERTY) == []


def test_prose_is_searched_for_words_and_spelling(tmp_path: Path) -> None:
    lines = found(tmp_path, "# Title\n\nRivals cost area.\n\nIt recieves rows.\n", "page.md")
    assert lines[0] == "3: 'Rivals': say 'baseline'"
    assert "recieves ==> receives" in lines[1]
