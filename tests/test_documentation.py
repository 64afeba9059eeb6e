"""README and docs: their commands print what they show, links lead somewhere, the reference is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documentation import NOT_HERE, PAGES, ROOT, Block, blocks, commands, differences, run_page, sandbox

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_its_commands_print(name: str, tmp_path: Path) -> None:
    for block, shown, printed in run_page((ROOT / name).read_text(), sandbox(tmp_path)):
        wrong = differences(shown.output, printed, trained=block.trained)
        assert not wrong, f"{name}:{block.line}: $ {shown.command}\n{wrong}"


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_are_not_run_show_no_output(name: str) -> None:
    for block in blocks((ROOT / name).read_text()):
        if block.kind == "console":
            assert not [s for s in commands(block) if s.command.startswith(NOT_HERE) and s.output.strip()]


@pytest.mark.parametrize("name", PAGES)
def test_links_to_files_lead_somewhere(name: str) -> None:
    page = ROOT / name
    targets = [
        target for target in _LINK.findall(page.read_text()) if not target.startswith(("http", "mailto"))
    ]
    generated = {"flow-file", "methods", "pdk-file", "commands", "metrics"}
    dead = [
        target
        for target in targets
        if not (page.parent / target).exists()
        and not (Path(target).parent.name == "reference" and Path(target).stem in generated)
    ]
    assert dead == []


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 900


@pytest.mark.parametrize(
    ("shown", "printed", "trained", "same"),
    [
        ("a 1\nb 2\n", "a 1\nb 2\n", False, True),
        ("a 1\nb 2\n", "a 1\nb 3\n", False, False),
        ("a 1\n...\nd\n", "a 1\nb\nc\nd\n", False, True),
        ("a 1\n", "a 1\nb\n", False, False),
        ("a 1\nb\n", "a 1\n", False, False),
        ("took 1.5 s\n", "took 33 s\n", False, True),
        ("size ... um2\n", "size 3 um2\n", False, True),
        ("area 100.0\n", "area 120.0\n", True, True),
        ("area 100.0\n", "area 500.0\n", True, False),
        ("area 100.0\n", "size 100.0\n", True, False),
    ],
)
def test_outputs_are_compared(shown: str, printed: str, *, trained: bool, same: bool) -> None:
    assert (differences(shown, printed, trained=trained) == "") == same


def test_blocks_of_a_page() -> None:
    file = '```yaml title="a.yaml"\nkey: 1\n```\n'
    text = "<!-- trained -->\n```console\n$ one \\\n    two\nout\n$ three\n```\n"
    first, second = blocks(text + file)
    assert first == Block("console", "", "$ one \\\n    two\nout\n$ three\n", 1, trained=True)
    assert [(shown.command, shown.output) for shown in commands(first)] == [
        ("one \\\n    two", "out\n"), ("three", "")
    ]  # fmt: skip
    assert (second.title, second.text) == ("a.yaml", "key: 1\n")
