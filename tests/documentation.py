"""Run what README and docs show; `python tests/documentation.py PAGE ...` also renews the outputs.

A page is a sequence of fenced blocks. They run from top to bottom in a copy of the project's flows:

- ``console``: commands after ``$``, each followed by the output it must print;
- ``python``: statements of one module for the whole page;
- a block with ``title="FILE"``: the content of that file.

In an expected output, a line ``...`` stands for any lines, and ``...`` inside a line for any text. Times are
not compared. The comment ``<!-- trained -->`` before a block says that its numbers follow from training,
which another version of a library may change: then words are compared, and numbers only roughly.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")),
)

_BLOCK = re.compile(
    r"^(?P<mark><!-- trained -->\n)?```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_TIME = re.compile(r"\b\d+(?:\.\d+)? (?:s|ms|min|seconds)\b")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_ROUGHLY = 0.75
"""Relative difference up to which trained numbers agree: small circuits vary most."""
NOT_HERE = (
    "make auto",
    "make test",
    "make report",
    "make figures",
    "make docs",
    "make lint",
    "make examples",
    "git ",
    "pip ",
    ".ci/run",
)
"""Commands that other tests run, or that take hours; a page shows no output of theirs."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    kind
        The language after the fence.
    title
        Name of the file that it is; empty for none.
    text
        All lines between the fences.
    line
        Line of the page where it begins.
    trained
        Whether its numbers follow from training.
    """

    kind: str
    title: str
    text: str
    line: int
    trained: bool


@dataclass(frozen=True)
class Shown:
    """A command of a console block, and the output that the page shows."""

    command: str
    output: str


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(match["kind"], match["title"] or "", match["text"], line, match["mark"] is not None)


def commands(block: Block) -> Iterator[Shown]:
    """Yield the commands of a console block; a backslash at the end of a line continues one."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        match = re.match(r"((?:.*\\\n)*.*)\n?", part)
        assert match is not None
        yield Shown(match[1], part[match.end() :])


def sandbox(folder: Path) -> Path:
    """Prepare a copy of the project in which commands run, with this interpreter as its environment."""
    for name in ("flows", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    environment = folder / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        if not path.name.startswith(".ready"):
            (environment / path.name).symlink_to(path)
    for stamp in (".ready-run", ".ready-dev", ".ready-search"):
        (environment / stamp).write_text(f"{folder}\n")
    return folder


def run(command: str, folder: Path) -> str:
    """Return what a command prints in a sandbox; raise AssertionError where it fails."""
    others = ("MAKE", "MFLAGS", "VENV", "COV_", "PDK_ROOT")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(others)}
    environment = inherited | {
        "PATH": f"{folder / '.venv' / 'bin'}{os.pathsep}{inherited['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "110",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    fails = command.endswith("# fails")
    assert fails == (done.returncode != 0), f"$ {command}\nended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def differences(shown: str, printed: str, *, trained: bool) -> str:
    """Return the first line of an expected output that was not printed; empty if all were."""
    lines = printed.splitlines()
    at, skipping = 0, False
    for line in shown.splitlines():
        if line.strip() == "...":
            skipping = True
            continue
        ahead = range(at, len(lines) if skipping else min(at + 1, len(lines)))
        found = next((i for i in ahead if _agree(line, lines[i], trained=trained)), None)
        if found is None:
            near = lines[at] if at < len(lines) else "the end"
            return f"expected: {line}\nprinted:  {near}"
        at, skipping = found + 1, False
    return "" if skipping or at == len(lines) else f"expected: the end\nprinted:  {lines[at]}"


def _agree(shown: str, printed: str, *, trained: bool) -> bool:
    shown, printed = (_TIME.sub("# s", line.rstrip()) for line in (shown, printed))
    if trained:
        numbers = [[float(each) for each in _NUMBER.findall(line)] for line in (shown, printed)]
        shown, printed = (re.sub(r"[ |]+", " ", _NUMBER.sub("#", line)).strip() for line in (shown, printed))
        near = all(abs(a - b) <= _ROUGHLY * max(abs(a), abs(b), 20.0) for a, b in zip(*numbers, strict=False))
    else:
        near = True
    pattern = ".*".join(re.escape(part) for part in shown.split("..."))
    return near and re.fullmatch(pattern, printed) is not None


def run_page(text: str, folder: Path) -> Iterator[tuple[Block, Shown, str]]:
    """Run a page's blocks in a sandbox; yield every command with what it printed."""
    module = ""
    for block in blocks(text):
        if block.title:
            file = folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        elif block.kind == "python":
            module += block.text
            (folder / "page.py").write_text(module)
            run("python page.py", folder)
        elif block.kind == "console":
            for shown in commands(block):
                if not shown.command.startswith(NOT_HERE):
                    yield block, shown, run(shown.command, folder)


def renewed(text: str, folder: Path) -> str:
    """Return the page with the outputs that its commands print now; shortened ones stay as they are."""
    for _, shown, printed in run_page(text, folder):
        if "..." not in shown.output:
            old, new = (f"$ {shown.command}\n{output}" for output in (shown.output, printed))
            text = text.replace(old, "\n".join(line.rstrip() for line in new.splitlines()) + "\n", 1)
    return text


if __name__ == "__main__":
    import tempfile

    for name in sys.argv[1:] or PAGES:
        page = ROOT / name
        with tempfile.TemporaryDirectory() as made:
            page.write_text(renewed(page.read_text(), sandbox(Path(made).resolve())))
