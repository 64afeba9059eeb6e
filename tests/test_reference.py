"""The reference holds every key of a flow file, command, option and metric, each with its meaning."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from dwn_asic.cli import app
from dwn_asic.flow.config import FlowConfig
from dwn_asic.methods.registry import methods
from dwn_asic.report.metrics import metrics
from dwn_asic.targets.registry import target_kinds

pytest.importorskip("mkdocs")

from reference import pages

ROOT = Path(__file__).resolve().parents[1]
PAGES = pages()
_ROW = re.compile(r"^\| `([^`]+)` \|.*\| ([^|]*) \|$", re.MULTILINE)


def keys_of(model: type) -> Iterator[str]:
    """Yield all keys that a model's JSON schema names, in the model or in those inside it."""
    schema: dict[str, Any] = model.model_json_schema(mode="serialization")  # type: ignore[attr-defined]
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


def test_every_key_of_a_flow_file_is_there_with_its_meaning() -> None:
    rows = _ROW.findall(PAGES["flow-file"])
    keys = {
        key for model in (FlowConfig, *(k.config for k in target_kinds().values())) for key in keys_of(model)
    }
    assert keys == {key for key, _ in rows}
    assert [key for key, meaning in rows if not meaning.strip()] == []


def test_every_method_and_its_keys_are_there_with_their_meaning() -> None:
    for kind, method in methods().items():
        if kind == "dwn":
            continue
        section = PAGES["methods"].partition(f"## `{kind}`\n")[2].partition("\n## ")[0]
        rows = dict(_ROW.findall(section))
        assert rows.keys() == method.config.model_fields.keys() - {"kind"}, kind
        assert [f"{kind}.{key}" for key, meaning in rows.items() if not meaning.strip()] == []


def test_every_command_and_option_is_there_with_its_help() -> None:
    counted = 0
    todo = [("dwn-asic", typer.main.get_command(app))]
    while todo:
        name, command = todo.pop()
        inner = getattr(command, "commands", None)
        if inner is not None:
            todo += [(f"{name} {key}", value) for key, value in inner.items()]
            continue
        section = PAGES["commands"].partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        assert command.help
        assert command.help.split()[0] in section
        for parameter in command.params:
            counted += 1
            assert any(each in section for each in (*parameter.opts, parameter.name)), (name, parameter.name)
            assert parameter.help, (name, parameter.name)
    assert counted >= 40


def test_every_metric_is_there() -> None:
    assert {name for name, _ in _ROW.findall(PAGES["metrics"])} == set(metrics())


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    dead = [
        f"{page.relative_to(tmp_path)}: {link}"
        for page in tmp_path.rglob("*.html")
        if "reports" not in page.parts and page.name != "404.html"
        for link in re.findall(r'(?:href|src)="([^"#?]+)[^"]*"', page.read_text())
        if not re.match(r"\w+:", link) and not (page.parent / link).exists()
    ]
    assert dead == []
