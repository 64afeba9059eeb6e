"""Files of a repository that describe or test the design, from the templates in ``repository``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from dwn_asic.boolean.ports import feature_port
from dwn_asic.targets.asic.tinytapeout.protocol import STROBE, VALID, Field, Protocol

if TYPE_CHECKING:
    from jinja2 import Environment

    from dwn_asic.targets.asic.tinytapeout.facts import ChipFacts, Rows
    from dwn_asic.targets.asic.tinytapeout.tiles import Tile

__all__ = ["SHUTTLE", "documents"]

SHUTTLE = "ttsky26a"
"""Version of the actions of Tiny Tapeout that the workflows use."""
_PACKAGE = "dwn_asic.targets.asic.tinytapeout"
_TEMPLATES = {
    "info.yaml": "info.yaml.j2",
    "README.md": "README.md.j2",
    ".gitignore": "gitignore",
    "LICENSE": "LICENSE",
    "docs/info.md": "docs/info.md.j2",
    "src/config.json": "src/config.json.j2",
    "firmware/classifier.py": "firmware/classifier.py.j2",
    "firmware/demo.py": "firmware/demo.py.j2",
    "test/Makefile": "test/Makefile.j2",
    "test/README.md": "test/README.md.j2",
    "test/requirements.txt": "test/requirements.txt",
    "test/tb.v": "test/tb.v.j2",
    "test/test.py": "test/test.py.j2",
    ".github/workflows/docs.yaml": "github/workflows/docs.yaml.j2",
    ".github/workflows/gds.yaml": "github/workflows/gds.yaml.j2",
    ".github/workflows/test.yaml": "github/workflows/test.yaml.j2",
}
"""Each file, and the template that it is rendered from; a file without the suffix ``.j2`` is copied."""
_ROWS_OF_DEMO = 10
_FEATURES_OF_DEMO = 100
"""Maximum numbers of rows, and of values in all rows, that the code of the demo board holds."""


def documents(
    top: str,
    author: str,
    facts: ChipFacts,
    protocol: Protocol,
    rows: Rows,
    tile: Tile,
    clock_ns: int,
    figures: Sequence[tuple[str, str]],
) -> dict[str, str]:
    """Return path and text of each file of a repository but the Verilog of design and netlist.

    Parameters
    ----------
    top
        Name of the top module.
    author
        Name of the author.
    facts
        What the documentation says.
    protocol
        How codes are loaded.
    rows
        Rows that the tests apply, at least one.
    tile
        Size of the design.
    clock_ns
        Clock period in ns.
    figures
        Name and value of each number of the design, which stand before those of ``facts``.
    """
    shown = min(len(rows.values), max(1, _FEATURES_OF_DEMO // max(1, len(facts.features))), _ROWS_OF_DEMO)
    place = {feature.index: number for number, feature in enumerate(facts.features)}
    classes = ", ".join(facts.class_names)
    context: dict[str, Any] = {
        "top": top,
        "author": author,
        "title": f"Classifier {facts.name}",
        "description": _one_line(
            f"{len(facts.features)} features to one of {len(facts.class_names)} classes ({classes})"
        ),
        "facts": facts,
        "protocol": protocol,
        "fields": [(place[field.feature], field) for field in protocol.fields],
        "tile": tile,
        "clock_ns": clock_ns,
        "clock_hz": round(1e9 / clock_ns),
        "shuttle": SHUTTLE,
        "pinout": list(_pinout(facts, protocol)),
        "figures": [*figures, *facts.figures],
        "missing": any(feature.missing is not None for feature in facts.features),
        "categories": [(f.name, text, code) for f in facts.features for text, code in f.categories],
        "loading": list(_loading(facts, protocol)),
        "example": _example(facts, protocol, rows),
        "rows": [
            (values, int(label))
            for values, label in zip(rows.values[:shown], rows.expected[:shown], strict=True)
        ],
        "has_rows": bool(rows.values),
        "n_vectors": len(rows.codes),
    }
    texts = {path: _rendered(template, context) for path, template in _TEMPLATES.items()}
    texts["test/vectors.csv"] = _vectors_csv(facts, rows)
    if rows.values:
        texts["test/rows.csv"] = _rows_csv(facts, rows)
    return texts


# ---- templates ---------------------------------------------------------------------------------------------
def _rendered(template: str, context: Mapping[str, Any]) -> str:
    if template.endswith(".j2"):
        return _environment().get_template(template).render(context)
    return (files(_PACKAGE) / "repository" / template).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(_PACKAGE, "repository"),
        autoescape=False,  # noqa: S701 - none of the files is HTML; the filters below escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        cell=_cell,
        quoted=lambda text: json.dumps(_one_line(str(text)), ensure_ascii=False),
        number=lambda value: f"{value:.12g}",
        literal=repr,
        dict=dict,
        tuple_literal=lambda values: repr(tuple(values)),
    )
    return environment


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(value: object) -> str:
    """Return a text for a cell of a Markdown table."""
    text = _one_line(str(value))
    for character in "\\`*_[]<>|":
        text = text.replace(character, f"\\{character}")
    return text


# ---- pins --------------------------------------------------------------------------------------------------
def _pins(port: str, low: int, width: int) -> str:
    return f"{port}[{low}]" if width == 1 else f"{port}[{low + width - 1}:{low}]"


def _meaning(name: str, field: Field) -> str:
    last = field.low + field.width - 1
    return f"{name}, bit {last}" if field.width == 1 else f"{name}, bits {last} to {field.low}"


def _names(facts: ChipFacts) -> dict[int, str]:
    return {feature.index: feature.name for feature in facts.features}


def _loading(facts: ChipFacts, protocol: Protocol) -> Iterator[tuple[object, ...]]:
    """Yield for each field its pins and its bits; in the serial mode its address first."""
    names = _names(facts)
    for field in protocol.fields:
        port = ("ui_in", "uio_in")[field.byte] if protocol.parallel else "ui_in"
        entry = _pins(port, field.offset, field.width), _meaning(names[field.feature], field)
        yield entry if protocol.parallel else (field.byte, *entry)


def _pinout(facts: ChipFacts, protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Yield each pin of info.yaml and its meaning, which is empty for an unused pin."""
    names = _names(facts)
    inputs: dict[str, str] = {}
    if protocol.parallel:
        for field in protocol.fields:
            for bit in range(field.width):
                pin = f"{('ui', 'uio')[field.byte]}[{field.offset + bit}]"
                inputs[pin] = f"{names[field.feature]} bit {field.low + bit}"
    else:
        inputs = {f"ui[{bit}]": f"byte bit {bit}" for bit in range(8)}
        inputs |= {f"uio[{bit}]": f"address bit {bit}" for bit in range(protocol.address_bits)}
        inputs[f"uio[{STROBE}]"] = "write"
    outputs = {f"uo[{bit}]": f"class bit {bit}" for bit in range(protocol.class_bits)}
    outputs[f"uo[{VALID}]"] = "valid"
    for port in ("ui", "uo", "uio"):
        for bit in range(8):
            pin = f"{port}[{bit}]"
            yield pin, {**inputs, **outputs}.get(pin, "")


# ---- rows --------------------------------------------------------------------------------------------------
def _example(facts: ChipFacts, protocol: Protocol, rows: Rows) -> dict[str, object]:
    """Return the first row as the documentation tells it."""
    codes, answer = rows.codes[0], int(rows.expected[0])
    packed = protocol.bytes_of(rows.codes[:1])[0].tolist()
    parts = []
    for number, feature in enumerate(facts.features):
        code = f"code {int(codes[feature.index])}"
        value = rows.values[0][number] if rows.values else None
        shown = value if isinstance(value, str) else None if value is None else f"{value:.6g}"
        parts.append(f"{feature.name} {code}" if shown is None else f"{feature.name} = {shown} has {code}")
    places = ("ui_in", "uio_in") if protocol.parallel else range(protocol.n_bytes)
    index = f"{1 << VALID | answer:#04x}"
    known = answer < len(facts.class_names)
    name = _cell(facts.class_names[answer]) if known else "no class"
    return {
        "told": f"{_cell('; '.join(parts))}." if parts else "the class is constant.",
        "bytes": [(f"`{place}`" if protocol.parallel else place, f"{byte:#04x}")
                  for place, byte in zip(places, packed, strict=False)],
        "answer": f"{index}: valid, index {answer}, {name}",
    }  # fmt: skip


def _vectors_csv(facts: ChipFacts, rows: Rows) -> str:
    """Return a CSV file of codes and class indices."""
    header = [feature_port(feature.index, feature.name) for feature in facts.features]
    used = [feature.index for feature in facts.features]
    codes = rows.codes[:, used].tolist()
    return _csv(
        [*header, "class_index"],
        [[*row, label] for row, label in zip(codes, rows.expected.tolist(), strict=True)],
    )


def _rows_csv(facts: ChipFacts, rows: Rows) -> str:
    """Return a CSV file of values and class indices."""
    labels = rows.expected[: len(rows.values)].tolist()
    lines = [[*map(_text, values), label] for values, label in zip(rows.values, labels, strict=True)]
    return _csv([*(feature.name for feature in facts.features), "class_index"], lines)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else repr(value)


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
