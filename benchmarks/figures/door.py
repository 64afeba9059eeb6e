"""Topic ``door``: how well a newcomer is received, by README, documentation, page and data sheet."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.figures.table import Row, row

sys.path += ["tests", "docs"]  # the checks that tests and documentation share with this topic


def readme() -> Iterator[Row]:
    """Count the words of README."""
    words = len(Path("README.md").read_text(encoding="utf-8").split())
    yield row("door.readme_words", "words of README.md, code and tables included", words, "words", "<= 900")


def commands() -> Iterator[Row]:
    """Count the commands of README and docs, and those that print something else than is shown."""
    from documentation import NOT_HERE, PAGES, blocks
    from documentation import commands as shown

    found = [
        command
        for page in PAGES
        for block in blocks(Path(page).read_text(encoding="utf-8"))
        if block.kind == "console"
        for command in shown(block)
        if not command.command.startswith(NOT_HERE)
    ]
    yield row("door.commands", "commands of README and docs that a test runs", len(found), "commands")
    failing = _failing("tests/test_documentation.py", "shows_what")
    what = "pages of README and docs with a command that fails or prints something else than is shown"
    yield row("door.pages_failing", what, failing, "pages", "<= 0")


def reference() -> Iterator[Row]:
    """Count what the generated reference lacks."""
    failing = _failing("tests/test_reference.py", "is_there or are_there")
    what = "kinds of keys, commands, options or metrics with one missing in the generated reference"
    yield row("door.reference_missing", what, failing, "kinds", "<= 0")
    what = "failing checks of the built documentation: warnings of mkdocs --strict, dead links"
    failing = _failing("tests/test_reference.py tests/test_documentation.py", "without_a_warning or links")
    yield row("door.docs_warnings", what, failing, "checks", "<= 0")


def english() -> Iterator[Row]:
    """Count the findings of the language check."""
    done = subprocess.run([sys.executable, "tests/language.py"], capture_output=True, text=True, check=False)
    found = re.search(r"^(\d+) findings", done.stdout, re.MULTILINE)
    assert found is not None, done.stderr
    what = "findings of tests/language.py in documentation, docstrings and messages"
    yield row("door.language_findings", what, int(found[1]), "findings", "<= 0")


def page() -> Iterator[Row]:
    """Count the widths at which the page of the reports scrolls sideways, in headless Chromium."""
    failing = _failing("tests/study/test_study_reports.py", "never_scrolls_sideways")
    what = "of the widths 1280 and 390 pixels, those at which the page of the reports scrolls sideways"
    yield row("door.page_scrolls", what, failing, "widths", "<= 0")


def sheet() -> Iterator[Row]:
    """Count the circuits whose data sheet takes some raw row to another class than the model does."""
    failing = _failing("tests/flow/test_datasheet_in_a_flow.py", "raw_rows_to_the_models_classes")
    what = (
        "exact and shrunk circuits of phoneme, digits, iris_csv and a table with categories whose data "
        "sheet, read from its own tables, takes some test row to another class than the model predicts"
    )
    yield row("door.sheet_differing", what, failing, "circuits", "<= 0")


@cache
def _failing(files: str, expression: str) -> int:
    """Return how many tests of the files that an expression chooses fail; at least one must be run."""
    command = [sys.executable, "-m", "pytest", "-q", "--benchmark-disable", *files.split(), "-k", expression]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}
    assert counts.get("passed", 0) + counts.get("failed", 0) > 0, done.stdout
    assert "skipped" not in done.stdout.rpartition("\n")[0].rpartition("\n")[2], done.stdout
    return counts.get("failed", 0) + counts.get("error", 0)


MEASUREMENTS = {
    "door.readme_words": readme,
    "door.commands": commands,
    "door.pages_failing": commands,
    "door.reference_missing": reference,
    "door.docs_warnings": reference,
    "door.language_findings": english,
    "door.page_scrolls": page,
    "door.sheet_differing": sheet,
}
"""Id of each figure -> the function that measures it."""
