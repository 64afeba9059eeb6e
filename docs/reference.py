"""Reference pages, generated from the code whenever the documentation is built (a hook of mkdocs).

Keys of flow files come from the configuration models, commands from the declaration of the command line,
metrics from the modules that measure them. Nothing is written into the checkout.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dwn_asic.cli import app
from dwn_asic.flow.config import FlowConfig
from dwn_asic.methods.base import MethodConfig
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.registry import methods
from dwn_asic.metrics import Metric
from dwn_asic.report.metrics import metrics
from dwn_asic.targets.asic.pdk_config import PdkConfig
from dwn_asic.targets.registry import target_kinds

_REPORTS = Path(__file__).resolve().parent.parent / "reports"
_SHOWN = "*.svg", "*.csv", "index.html"
"""Files of the reports that pages may link to."""

Section = tuple[str, type[BaseModel]]
"""The place of a model in a file (``training.efd``), and the model."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and the reports that pages link to."""
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    for pattern in _SHOWN:
        for path in _REPORTS.rglob(pattern):
            place = path.relative_to(_REPORTS.parent).as_posix()
            files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn links to the reports beside this folder into links to the site's copy of them."""
    up = "../" * page.file.src_uri.count("/")
    return markdown.replace(f"]({up}../reports/", f"]({up}reports/")


def on_page_content(html: str, **_: object) -> str:
    """Drop the roles of reStructuredText in docstrings (``:class:``), which Markdown shows as they are."""
    return re.sub(r":(?:attr|class|data|exc|func|meth|mod):(?=<code)", "", html)


def pages() -> dict[str, str]:
    """Return the Markdown of every generated page, by its name."""
    return {
        "flow-file": flow_file_page(),
        "methods": methods_page(),
        "pdk-file": pdk_page(),
        "commands": commands_page(),
        "metrics": metrics_page(),
    }


def _page(title: str, introduction: str, lines: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", inspect.cleandoc(introduction), "", *lines, ""])


# ---- configuration models
def flow_file_page() -> str:
    """Return the page of all keys of a flow file."""
    sections = list(_sections("", FlowConfig))
    sections += [(f"synthesis (target: {name})", kind.config) for name, kind in target_kinds().items()]
    introduction = """
        A flow file (`flows/*.yaml`) describes one experiment. An unknown key or a value of another type is an
        error that names the file, the key and the allowed values. `extends: other.yaml` takes every key from
        another file first; the keys of the extending file replace them.
        """
    return _page("Flow file", introduction, _all_sections(sections))


def methods_page() -> str:
    """Return the page of all methods that ``baselines`` may list, with their keys."""
    introduction = """
        An entry of `baselines` names a method by `kind`. Every method takes the same splits and codes as the
        network. Each circuit goes through the same minimization, synthesis and proof.
        """
    lines = []
    for kind, method in methods().items():
        if kind != OWN.kind:
            source = inspect.getdoc(inspect.getmodule(method.config)) or ""
            lines += [f"## `{kind}`", "", source.partition("\n\n")[0], "", *_table(method.config, "", [])]
    return _page("Methods", introduction, lines)


def pdk_page() -> str:
    """Return the page of all keys of a PDK file."""
    introduction = """
        A PDK file (`pdk_configs/*.yaml`) names a standard-cell library, its corner, and the cells to use.
        """
    return _page("PDK file", introduction, _all_sections(list(_sections("", PdkConfig))))


def _sections(path: str, model: type[BaseModel]) -> Iterator[Section]:
    """Yield the model and those inside of it, outermost first."""
    yield path, model
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        inner = f"{path}.{name}".lstrip(".")
        for number, found in enumerate(_models(field.annotation)):
            if found.model_fields:
                of_list = "[]" if "tuple" in str(field.annotation) else ""
                other = f" (with {next(iter(found.model_fields))})" if number else ""
                yield from _sections(inner + of_list + other, found)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models in a type, except for those that only stand for others (a method's, a target's)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation.__subclasses__() == [] or annotation.__name__.endswith("FlowConfig"):
            yield annotation
        return
    for inner in get_args(annotation):
        yield from _models(inner)


def _all_sections(sections: list[Section]) -> Iterator[str]:
    """Yield the lines of all sections of a file, in order."""
    for path, model in sections:
        yield from _section(path, model, sections)


def _section(path: str, model: type[BaseModel], sections: list[Section]) -> Iterator[str]:
    """Yield the lines of one section of a file."""
    if path:
        named = path if " " in path else f"`{path}`"
        yield from (f"## {named} {{#{_anchor(path, model)}}}", "")
        yield from (inspect.getdoc(model) or "", "")
    yield from _table(model, path, sections)


def _table(model: type[BaseModel], path: str, sections: list[Section]) -> list[str]:
    """Return a table of the keys of a model, with links to the sections inside."""
    schema = model.model_json_schema()
    texts = _descriptions(model)
    lines = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if field.exclude or (name == "kind" and issubclass(model, MethodConfig)):
            continue
        links = [
            f"[{inner}](#{_anchor(inner, found)})"
            for inner, found in sections
            if re.sub(r"\[\]| \(.*", "", inner) == f"{path}.{name}".lstrip(".")
        ]
        if model is FlowConfig and name == "baselines":
            links = ["list of [methods](methods.md)"]
        value = ", ".join(links) or _type(schema["properties"].get(name, {}), schema.get("$defs", {}))
        text = " ".join(texts.get(name, "").split())
        cells = (f"`{name}`", value, _default(field), text.replace("``", "`"))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, ""]


def _anchor(path: str, model: type[BaseModel]) -> str:
    """Return the address of a section within its page."""
    return re.sub(r"[^a-z0-9]+", "-", f"{path} {model.__name__}".lower())


def _type(schema: Mapping[str, Any], inner: Mapping[str, Any]) -> str:
    """Return in words what values a JSON schema allows."""
    if "$ref" in schema:
        return _type(inner[schema["$ref"].rpartition("/")[2]], inner)
    if "anyOf" in schema:
        options = [_type(each, inner) for each in schema["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(options))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items") or {"anyOf": schema.get("prefixItems", [])}
        return f"list of: {_type(items, inner)}"
    if kind in {"integer", "number"}:
        bounds = {
            "minimum": "at least",
            "exclusiveMinimum": "above",
            "maximum": "at most",
            "exclusiveMaximum": "below",
        }
        return ", ".join(
            [kind, *(f"{words} {schema[key]:g}" for key, words in bounds.items() if key in schema)]
        )
    names = {"string": "text", "boolean": "`true`, `false`", "object": "mapping"}
    return names.get(str(kind), "any")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, BaseModel) or default == {}:
        return "see there" if default else "none"
    if default is None:
        return "none"
    return f"`{json.dumps(default, default=str)}`"


def _descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return what stands below each field of a model and of the models that it extends."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if not issubclass(each, BaseModel) or each is BaseModel:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0]
        assert isinstance(body, ast.ClassDef)
        for before, after in zip(body.body, body.body[1:], strict=False):
            match before, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = text
                case _:
                    pass
    return found


# ---- command line
def commands_page() -> str:
    """Return the page of all commands with their arguments and options."""
    root = typer.main.get_command(app)
    lines = []
    for name, command in _commands("dwn-asic", root):
        text = inspect.cleandoc(command.help or "")
        lines += [f"## `{name}`", "", text, "", "```text", *_usage(name, command), "```", ""]
    return _page("Commands", f"`dwn-asic`: {root.help}", lines)


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield the commands that do something, each with its full name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for inner, found in command.commands.items():
        yield from _commands(f"{name} {inner}", found)


def _usage(name: str, command: Any) -> list[str]:
    """Return the command's own help, without the line of its general help option."""
    with typer.Context(command, info_name=name, terminal_width=100, max_content_width=100) as context:
        text = command.get_help(context)
    start = text.index("Usage:")
    return [line.rstrip() for line in text[start:].splitlines()]


# ---- metrics
def metrics_page() -> str:
    """Return the page of all metrics that a result may hold."""
    introduction = """
        Keys of `metrics` in `result.json`, and columns of `comparison.csv`. Names follow METRICS2.1, as
        OpenROAD and LibreLane write them.
        """
    lines = ["| metric | unit | better | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{each.name}` | {each.unit or 'share'} | {_direction(each)} | {each.description} |"
        for each in metrics().values()
    ]
    return _page("Metrics", introduction, lines)


def _direction(metric: Metric) -> str:
    return {True: "higher", False: "lower", None: "-"}[metric.higher_is_better]
