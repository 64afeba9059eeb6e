"""`python tests/language.py [PATH ...]`: check the English of documentation, docstrings and messages.

A finding is one line ``file:line: what is wrong``. Three checks:

- words of our word list, each with what to say instead;
- docstrings: a function's begins with an imperative verb (add yours to language.yaml); everything else, tests
  too, has a phrase or sentence that can be understood alone, which no preposition or conjunction begins;
- spelling, by codespell.

language.yaml also lists samples of bad English, and words that stand in the data of a test on purpose.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PROSE = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs",
    "pdk_configs",
    "examples",
    "flows",
    "Makefile",
)
CODE = ("dwn_asic", "benchmarks", "tests")

_LISTS = yaml.safe_load((ROOT / "tests" / "language.yaml").read_text())
WORDS: dict[str, str] = _LISTS["words"]
OPENERS = frozenset(_LISTS["openers"].split())
VERBS = frozenset(_LISTS["verbs"].split())
IGNORED = ",".join(_LISTS["ignore"].split())
SAMPLES = frozenset(ROOT / name for name in _LISTS["samples"].split())
PLANTED: dict[Path, list[str]] = {ROOT / name: words.split() for name, words in _LISTS["planted"].items()}


@dataclass(frozen=True)
class Text:
    """A piece of prose and where it begins."""

    path: Path
    line: int
    text: str


def findings(paths: Iterable[Path]) -> Iterator[str]:
    """Yield one line for each finding in the files and folders."""
    for path in paths:
        for file in _files(path):
            texts = list(_python_texts(file)) if file.suffix == ".py" else [Text(file, 1, file.read_text())]
            for text in texts:
                yield from _words(text)
            if file.suffix == ".py":
                yield from _docstrings(file)
    yield from _spelling(paths)


def _files(path: Path) -> Iterator[Path]:
    """Yield the file, or the folder's files of prose and code."""
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if (
            file.suffix in {".py", ".md", ".yaml", ".yml", ".j2", ".ipynb"}
            and "__pycache__" not in file.parts
        ):
            yield file


def _python_texts(file: Path) -> Iterator[Text]:
    """Yield comments and string literals, docstrings among them."""
    source = file.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Text(file, node.lineno, node.value)
    for number, line in enumerate(source.splitlines(), 1):
        if match := re.search(r"(?:^|\s)#\s(.*)", line):
            yield Text(file, number, match[1])


def _words(text: Text) -> Iterator[str]:
    """Yield the words of our list outside of code, which stands between backticks."""
    prose = re.sub(r"`[^`\n]*`", lambda code: " " * len(code[0]), text.text)
    for pattern, instead in WORDS.items():
        for match in re.finditer(rf"\b(?:{pattern})\b", prose, re.IGNORECASE):
            if _is_on_purpose(text.path, match[0]):
                continue
            line = text.line + prose.count("\n", 0, match.start())
            yield f"{_place(text.path)}:{line}: {match[0]!r}: say {instead!r}"


def _docstrings(file: Path) -> Iterator[str]:
    """Yield what is wrong with the docstrings of a module."""
    for node in ast.walk(ast.parse(file.read_text())):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for before, statement in zip([None, *body], body, strict=False):
            match statement:
                case ast.Expr(value=ast.Constant(value=str(docstring))):
                    pass
                case _:
                    continue
            if before is None:
                wrong = _form(docstring, verb=_does_something(node))
            elif isinstance(before, ast.AnnAssign | ast.Assign):
                wrong = _form(docstring, verb=False)
            else:
                continue
            yield from (f"{_place(file)}:{statement.lineno}: {each}" for each in wrong)


def _does_something(node: ast.AST) -> bool:
    """Return whether it is a function, but neither a property nor a test: those state what is the case."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("test_"):
        return False
    return not any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def _form(docstring: str, *, verb: bool) -> Iterator[str]:
    """Yield what is wrong with the first sentence of a docstring."""
    summary = docstring.strip().split("\n\n")[0]
    words = re.findall(r"[^\s]+", summary)
    first = re.sub(r"\W", "", words[0]).lower() if words else ""
    start = " ".join(words[:5])
    if len(words) < 3:
        yield f"{summary!r} is too short to be understood alone"
    elif first in OPENERS:
        yield f"{start!r} ... begins a fragment"
    elif verb and first not in VERBS:
        yield f"{start!r} ... begins with no imperative verb (tests/language.yaml lists them)"


def _spelling(paths: Iterable[Path]) -> Iterator[str]:
    """Yield what codespell finds."""
    names = [str(path) for path in paths]
    options = ["--skip=*.csv,*.svg,*.ipynb,*.npz", f"--ignore-words-list={IGNORED}"]
    command = [sys.executable, "-m", "codespell_lib", *options, *names]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in filter(None, found.stdout.splitlines()):
        match = re.match(r"(.*):\d+: (\S+) ==>", line)
        if match is None or not _is_on_purpose(Path(match[1]), match[2]):
            yield line


def _is_on_purpose(path: Path, word: str) -> bool:
    return path in SAMPLES or word.lower() in PLANTED.get(path, ())


def _place(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def main(arguments: list[str]) -> int:
    """Print the findings in the paths, by default in the whole project."""
    paths = [Path(name).resolve() for name in arguments] or [ROOT / name for name in (*PROSE, *CODE)]
    found = list(findings([path for path in paths if path.exists()]))
    print(*found, f"{len(found)} findings in English", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
