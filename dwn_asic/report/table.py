"""The comparison table of a result as Markdown, as CSV and for the terminal, from the same columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.methods.registry import methods
from dwn_asic.metrics import CORE, ENCODER, TEST, TOTAL, TRAIN, VAL
from dwn_asic.report.result import MethodResult, Result

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "comparison_csv",
    "comparison_markdown",
    "escape",
    "meaning_notes",
    "setup_notes",
    "sorted_methods",
    "summary_markdown",
    "terminal_table",
]

_NOTHING = "-"
_PARTS = "core + encoder + registers"


@dataclass(frozen=True)
class _Number:
    """A column of a metric."""

    heading: str
    metric: str
    decimals: int

    def cell(self, method: MethodResult) -> str:
        value = method.metrics.get(self.metric)
        return _NOTHING if value is None else f"{value:.{self.decimals}f}"


_TRAIN = _Number("accuracy train", TRAIN, 4)
_VAL = _Number("accuracy val", VAL, 4)
_TEST = _Number("accuracy test", TEST, 4)
_UM2 = (
    _Number("core (um2)", "area__core", 1),
    _Number("encoder (um2)", "area__encoder", 1),
    _Number(f"total = {_PARTS} (um2)", "design__instance__area", 1),
)
_NAND2 = (
    _Number("core (NAND2)", CORE, 1),
    _Number("encoder (NAND2)", ENCODER, 1),
    _Number(f"total = {_PARTS} (NAND2)", TOTAL, 1),
)
_CELLS = _Number("cells in total", "design__instance__count", 0)
_FULL = (_TRAIN, _VAL, _TEST, *_UM2, *_NAND2, _CELLS)
_SHORT = (_TEST, *_NAND2, _CELLS)


def sorted_methods(result: Result) -> list[MethodResult]:
    """Return DWN first, then the baselines by method, each by total area; rows without an area come last."""
    places = {kind: place for place, kind in enumerate(methods())}

    def order(method: MethodResult) -> tuple[int, bool, float, str]:
        area = method.metrics.get(TOTAL)
        return places[method.method], area is None, area or 0.0, method.name

    return sorted(result.methods, key=order)


def comparison_markdown(result: Result) -> str:
    """Return the table and, below it, how it was measured."""
    rows = [[escape(cell) for cell in row] for row in _rows(result, _FULL)]
    notes = [*setup_notes(result), *meaning_notes()]
    return f"{_markdown(_headings(_FULL), rows)}\n" + "".join(f"- {note}\n" for note in notes)


def comparison_csv(result: Result) -> str:
    """Return the table with the same headings and cells, lines ending in a newline."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_headings(_FULL))
    writer.writerows(_rows(result, _FULL))
    return text.getvalue()


def summary_markdown(results: Sequence[Result], page: str) -> str:
    """Return a table with one row for each flow and method.

    Parameters
    ----------
    results
        Results in the order of the rows.
    page
        Target of the link on a flow's name, relative to the table; ``{flow}`` in it stands for the name.
    """
    rows = [
        [f"[{result.flow}]({page.format(flow=result.flow)})", *map(escape, row)]
        for result in results
        for row in _rows(result, _SHORT)
    ]
    return _markdown(["flow", *_headings(_SHORT)], rows)


def terminal_table(result: Result) -> Table:
    """Return a table for a terminal of 80 columns: areas in NAND2-equivalents, and in um2 below them."""
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(f"{result.flow}: {result.source}"),
        caption=Text(
            f"total = {_PARTS}; area in NAND2, below it in um2\n"
            f"{result.pdk.name} {result.pdk.library} {result.pdk.corner}, seed {result.seed}"
        ),
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("method", overflow="fold", min_width=8)
    table.add_column("kind", no_wrap=True, min_width=8)
    for number in (_TRAIN, _VAL, _TEST):
        heading = number.heading.replace("accuracy ", "acc.\n")
        table.add_column(heading, justify="right", no_wrap=True, min_width=6)
    for part in ("core", "encoder", "total"):
        table.add_column(f"{part}\nNAND2\num2", justify="right", no_wrap=True, min_width=7)
    table.add_column("cells", justify="right", no_wrap=True, min_width=5)
    table.add_column("proved", overflow="fold", min_width=6)
    for method in sorted_methods(result):
        stacked = [
            f"{nand2}\n{um2}" if um2 != _NOTHING else nand2
            for nand2, um2 in zip(_cells(method, _NAND2), _cells(method, _UM2), strict=True)
        ]
        accuracies = _cells(method, (_TRAIN, _VAL, _TEST))
        row = [method.label, method.kind, *accuracies, *stacked, _CELLS.cell(method), method.proof]
        table.add_row(*map(Text, row))
    return table


def setup_notes(result: Result) -> Iterator[str]:
    """Yield sentences of Markdown on data, split, PDK and tools of this flow."""
    split, pdk = result.split, result.pdk
    classes = ", ".join(escape(name) for name in result.class_names)
    yield (
        f"Data: {escape(result.source)}, {result.n_features} features quantized to {result.input_bits} bits "
        f"at most, {result.n_classes} classes ({classes}). "
        f"Split: {split.train} training, {split.val} validation, {split.test} test rows; seed {result.seed}."
    )
    yield (
        f"PDK: {escape(pdk.name)}, library {escape(pdk.library)}, corner {escape(pdk.corner)}; "
        f"cells from {escape(pdk.origin)}."
    )
    tools = "; ".join(f"{escape(name)} {escape(version)}" for name, version in sorted(result.tools.items()))
    yield f"Tools: {tools or 'none recorded'}."


def meaning_notes() -> Iterator[str]:
    """Yield sentences of Markdown on what the columns of every table mean."""
    yield (
        "Accuracy is the share of rows that are classified correctly. Every choice was made on validation "
        "rows; test rows were used once, for the number shown."
    )
    yield (
        "Area is the sum of the mapped cells' areas, before placement. The encoder holds the comparators "
        "that turn feature codes into thermometer bits; the core is the logic from those bits to the "
        f"class; the total is {_PARTS}, where the flow asks for registers. Columns in NAND2 show the area "
        "divided by that of the library's NAND2 cell (NAND2-equivalents)."
    )
    yield (
        "An `exact` circuit computes what the trained model computes, on every input. A `shrunk` circuit was "
        "made smaller under the guard of training and validation rows, and its accuracy is that of the "
        "smaller circuit. A `software` row has no circuit. `proved` means that the mapped netlist is proved "
        "to compute the function whose accuracy the row shows."
    )


def escape(text: str) -> str:
    """Return text as one line of Markdown that shows it literally, also in a table cell."""
    line = " ".join(text.split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An underscore within a word is literal anyway, and library names are full of them.
    return re.sub(r"[\\|`*\[\]~$]|(?<!\w)_|_(?!\w)", r"\\\g<0>", line)


def _headings(numbers: Sequence[_Number]) -> list[str]:
    return ["method", "kind", *(number.heading for number in numbers), "proved"]


def _rows(result: Result, numbers: Sequence[_Number]) -> list[list[str]]:
    return [
        [method.label, method.kind, *_cells(method, numbers), method.proof]
        for method in sorted_methods(result)
    ]


def _cells(method: MethodResult, numbers: Sequence[_Number]) -> list[str]:
    return [number.cell(method) for number in numbers]


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Join cells that are Markdown already into a table; columns of numbers are aligned to the right."""
    text = {"flow", "method", "kind", "proved"}
    rule = [":---" if heading in text else "---:" for heading in headings]
    return "".join(f"| {' | '.join(line)} |\n" for line in (headings, rule, *rows))
