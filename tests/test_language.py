"""The check of the project's English finds what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest
from language import PLANTED, SAMPLES, findings

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

TEST = """def test_counting() -> None:
    'Rows are counted once.'
"""


def found(folder: Path, text: str, name: str = "module.py") -> list[str]:
    """Return the findings in a file of this text, without its path."""
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


def test_a_test_states_what_holds(tmp_path: Path) -> None:
    assert found(tmp_path, TEST) == []
    [line] = found(tmp_path, TEST.replace("Rows are", "Of rows that are"))
    assert line.startswith("2: 'Of rows that are counted' ... begins a fragment")
    [line] = found(tmp_path, TEST.replace("test_", ""))
    assert "begins with no imperative verb" in line


def test_faults_on_purpose_are_accepted_in_their_files_alone(tmp_path: Path) -> None:
    assert list(findings([*SAMPLES, *PLANTED])) == []
    for file, words in PLANTED.items():
        for word in words:
            assert word in file.read_text().lower()
            assert len(found(tmp_path, f"A {word} of rows.\n", "page.md")) == 1


def test_a_word_of_verilog_is_no_typo(tmp_path: Path) -> None:
    assert found(tmp_path, "The port is an inout.\n", "page.md") == []


def test_prose_is_searched_for_words_and_spelling(tmp_path: Path) -> None:
    lines = found(tmp_path, "# Title\n\nRivals cost area.\n\nIt recieves rows.\n", "page.md")
    assert lines[0] == "3: 'Rivals': say 'baseline'"
    assert "recieves ==> receives" in lines[1]
