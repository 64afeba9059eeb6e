"""The comparison table of a result as Markdown, as CSV and for the terminal, from the same columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dwn_asic.data.table import PARTS
from dwn_asic.methods.registry import methods
from dwn_asic.metrics import SCORES, ScoreKey, Shown, Size, area_decimals
from dwn_asic.report.metrics import metrics
from dwn_asic.report.result import MethodResult, Result

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "comparison_csv",
    "comparison_markdown",
    "escape",
    "following_notes",
    "meaning_notes",
    "setup_notes",
    "sorted_methods",
    "summary_markdown",
    "terminal_table",
]

_NOTHING = "-"


def _full(result: Result) -> list[Shown]:
    """Return all columns of a flow's own table, accuracy on test rows among them."""
    scores, size = _scores(result.metric), result.size
    accuracy = [] if result.metric == "accuracy" else _scores("accuracy", ("test",))
    return [
        *scores,
        *accuracy,
        *([] if size is None else [*size.details, *size.columns, size.more, *size.beside]),
    ]


def _scores(metric: ScoreKey, parts: Sequence[str] = PARTS) -> list[Shown]:
    """Return the columns of the objective's score in each part."""
    return [Shown(f"{SCORES[metric]} {part}", f"{metric}__{part}", 4) for part in parts]


def _short(size: Size | None, metric: ScoreKey) -> list[Shown]:
    """Return the columns of the table over several flows."""
    return [*_scores(metric, ("test",)), *([] if size is None else [*size.columns, size.more, *size.beside])]


def sorted_methods(result: Result) -> list[MethodResult]:
    """Return DWN first, then the baselines by method, each by total area; rows without an area come last."""
    places = {kind: place for place, kind in enumerate(methods())}

    def order(method: MethodResult) -> tuple[int, bool, float, str]:
        area = method.total
        return places[method.method], area is None, area or 0.0, method.name

    return sorted(result.methods, key=order)


def comparison_markdown(result: Result) -> str:
    """Return the table and, below it, how it was measured."""
    columns = _full(result)
    rows = [[escape(cell) for cell in row] for row in _rows(result, columns)]
    notes = [*setup_notes(result), *meaning_notes([result]), *following_notes(result.methods)]
    return f"{_markdown(_headings(columns), rows)}\n" + "".join(f"- {note}\n" for note in notes)


def comparison_csv(result: Result) -> str:
    """Return the table with the same headings and cells, lines ending in a newline."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    columns = _full(result)
    writer.writerow(_headings(columns))
    writer.writerows(_rows(result, columns))
    return text.getvalue()


def summary_markdown(results: Sequence[Result], page: str) -> str:
    """Return tables with one row for each flow and method, one table for each way to count sizes.

    Parameters
    ----------
    results
        Results in the order of the rows.
    page
        Target of the link on a flow's name, relative to the table; ``{flow}`` in it stands for the name.
    """
    tables = []
    for kind in dict.fromkeys((result.size, result.metric) for result in results):
        rows = [
            [f"[{result.flow}]({page.format(flow=result.flow)})", *map(escape, row)]
            for result in results
            if (result.size, result.metric) == kind
            for row in _rows(result, _short(*kind))
        ]
        tables.append(_markdown(["flow", *_headings(_short(*kind))], rows))
    return "\n".join(tables)


def terminal_table(result: Result) -> Table:
    """Return a table for a terminal of 80 columns: sizes, for cells in NAND2 and in um2 below them."""
    from rich.table import Table
    from rich.text import Text

    size = result.size
    technology = f"{result.pdk.names.replace(', ', ' ')}, seed {result.seed}"
    table = Table(
        title=Text(f"{result.flow}: {result.source}"),
        caption=Text(technology if size is None else f"{_explained(size)}\n{technology}"),
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("method", overflow="fold", min_width=8)
    table.add_column("kind", no_wrap=True, min_width=8)
    scores = _scores(result.metric)
    for number in scores:
        heading = _SHORT_NAMES[result.metric] + "\n" + number.heading.rpartition(" ")[2]
        table.add_column(heading, justify="right", no_wrap=True, min_width=6)
    if size is not None:
        units = "\n".join([size.unit, *size.detail[:1]])
        for part in ("core", "encoder", "total"):
            table.add_column(f"{part}\n{units}", justify="right", no_wrap=True, min_width=7)
        table.add_column(size.more.heading.split()[0], justify="right", no_wrap=True, min_width=5)
    table.add_column("proved", overflow="fold", min_width=6)
    for method in sorted_methods(result):
        sizes = [] if size is None else [*_stacked(method, size), _cell(method, size.more)]
        table.add_row(*map(Text, [method.label, method.kind, *_cells(method, scores), *sizes, method.proof]))
    return table


def _explained(size: Size) -> str:
    second = f", below it in {size.detail[0]}" if size.detail else ""
    return f"total = {size.parts}; {size.noun} in {size.unit}{second}"


def _stacked(method: MethodResult, size: Size) -> list[str]:
    """Return core, encoder and total, each with the value in the second unit, if there is one, below it."""
    first, second = _cells(method, size.columns), _cells(method, size.details)
    if _NOTHING in second or not second:
        return first
    return [f"{one}\n{other}" for one, other in zip(first, second, strict=True)]


def setup_notes(result: Result) -> Iterator[str]:
    """Yield sentences of Markdown on data, split, PDK and tools of this flow."""
    split, pdk = result.split, result.pdk
    classes = ", ".join(escape(name) for name in result.class_names)
    yield (
        f"Data: {escape(result.source)}, {result.n_features} features quantized to {result.input_bits} bits "
        f"at most, {result.n_classes} classes ({classes}). "
        f"Split: {split.train} training, {split.val} validation, {split.test} test rows; seed {result.seed}."
    )
    if pdk.corner:
        yield (
            f"PDK: {escape(pdk.name)}, library {escape(pdk.library)}, corner {escape(pdk.corner)}; "
            f"cells from {escape(pdk.origin)}."
        )
    else:
        yield f"Target: {escape(pdk.names)}; {escape(pdk.origin)}."
    tools = "; ".join(f"{escape(name)} {escape(version)}" for name, version in sorted(result.tools.items()))
    yield f"Tools: {tools or 'none recorded'}."


_MEANINGS: Mapping[ScoreKey, str] = {
    "accuracy": "Accuracy is the share of rows that are classified correctly.",
    "balanced_accuracy": (
        "Balanced accuracy is the mean over the classes of the share of their rows that are classified "
        "correctly."
    ),
    "macro_f1": "Macro F1 is the mean over the classes of the harmonic mean of precision and recall.",
    "f1": "F1 is the harmonic mean of precision and recall of the rarer of two classes.",
    "cost_score": (
        "The cost score is 1 less the cost of the predictions as a share of the highest possible cost, by "
        "the costs that the flow sets."
    ),
}
_SHORT_NAMES: Mapping[ScoreKey, str] = {
    "accuracy": "acc.",
    "balanced_accuracy": "b.acc.",
    "macro_f1": "F1",
    "f1": "F1",
    "cost_score": "cost s.",
}


def meaning_notes(results: Iterable[Result]) -> Iterator[str]:
    """Yield sentences of Markdown on what the columns of tables of these results mean."""
    known = [(result.metric, result.size) for result in results]
    meanings = " ".join(_MEANINGS[metric] for metric in dict.fromkeys(["accuracy", *(m for m, _ in known)]))
    yield (
        f"{meanings} Every choice was made on validation rows; test rows were used once, for the number "
        "shown."
    )
    yield from dict.fromkeys(size.meaning for _, size in known if size is not None)
    yield (
        "An `exact` circuit computes what the trained model computes, on every input. A `shrunk` circuit was "
        "made smaller under the guard of training and validation rows, and its accuracy is that of the "
        "smaller circuit. A `software` row has no circuit. `proved` means that the netlist is proved "
        "to compute the function whose accuracy the row shows."
    )


def following_notes(found: Collection[MethodResult]) -> Iterator[str]:
    """Yield sentences on methods that do not follow the objective, if it is not accuracy."""
    score = next((SCORES[method.metric] for method in found if method.metric != "accuracy"), None)
    if score is None:
        return
    used = {method.method for method in found}
    known = [method for kind, method in methods().items() if kind in used]
    for follows, how in (
        ("choice", f"is chosen by its {score} on validation rows, but not fitted for it"),
        ("none", f"is neither fitted for nor chosen by its {score}"),
    ):
        names = [method.look.name for method in known if method.objective == follows]
        if names:
            yield f"Of these methods, {', '.join(names)} {how}."


def escape(text: str) -> str:
    """Return text as one line of Markdown that shows it literally, also in a table cell."""
    line = " ".join(text.split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An underscore within a word is literal anyway, and library names are full of them.
    return re.sub(r"[\\|`*\[\]~$]|(?<!\w)_|_(?!\w)", r"\\\g<0>", line)


def _headings(numbers: Sequence[Shown]) -> list[str]:
    return ["method", "kind", *(number.heading for number in numbers), "proved"]


def _rows(result: Result, numbers: Sequence[Shown]) -> list[list[str]]:
    return [
        [method.label, method.kind, *_cells(method, numbers), method.proof]
        for method in sorted_methods(result)
    ]


def _cells(method: MethodResult, numbers: Sequence[Shown]) -> list[str]:
    return [_cell(method, number) for number in numbers]


def _cell(method: MethodResult, number: Shown) -> str:
    value = method.metrics.get(number.metric)
    if value is None:
        return _NOTHING
    decimals, nand2 = number.decimals, method.metrics.get("area__nand2", 1.0)
    if nand2 < 1 and metrics()[number.metric].unit == "um2":
        decimals = area_decimals(nand2)
    return f"{value:.{decimals}f}"


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Join cells that are Markdown already into a table; columns of numbers are aligned to the right."""
    text = {"flow", "method", "kind", "proved"}
    rule = [":---" if heading in text else "---:" for heading in headings]
    return "".join(f"| {' | '.join(line)} |\n" for line in (headings, rule, *rows))
