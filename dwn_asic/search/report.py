"""The report of a search: the proved circuits of its front as a table and as a figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.metrics import SCORES, ScoreKey, Shown, Size
from dwn_asic.report.figure import render_svg
from dwn_asic.search.pareto import Candidate, pareto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

__all__ = ["Proved", "front_csv", "front_figure", "front_markdown"]

_BLUE, _FAINT, _INK = "#0072B2", "#BBBBBB", "#222222"


@dataclass(frozen=True)
class Proved:
    """A circuit of the front that was implemented and proved.

    Attributes
    ----------
    name
        Name of its flow, whose flow file and build folder are beside the table.
    candidate
        The circuit as the search measured it.
    metrics
        All metrics of the implementation, and its scores on training, validation and test rows.
    settings
        Values of its trial on the axes of the space, for people.
    """

    name: str
    candidate: Candidate
    metrics: Mapping[str, float]
    settings: str


def _columns(size: Size | None, score: ScoreKey) -> list[Shown]:
    parts = [Shown(f"{SCORES[score]} {part}", f"{score}__{part}", 4) for part in ("val", "test")]
    sizes = [] if size is None else [*size.columns, *size.beside]
    return [*parts, *sizes]


def _rows(proved: Sequence[Proved], columns: Sequence[Shown]) -> Iterator[list[str]]:
    for each in proved:
        values = [(column, each.metrics.get(column.metric)) for column in columns]
        cells = ["-" if value is None else f"{value:.{column.decimals}f}" for column, value in values]
        yield [each.name, *cells, str(each.candidate.trial), each.settings]


def _headings(columns: Sequence[Shown]) -> list[str]:
    return ["circuit", *(column.heading for column in columns), "trial", "values"]


def front_csv(proved: Sequence[Proved], size: Size | None, score: ScoreKey) -> str:
    """Return the table as CSV, a line for each circuit, by ascending area.

    Parameters
    ----------
    proved
        Circuits.
    size
        Unit and metrics of sizes on the target; None if it counts none.
    score
        Key of the score that the search maximized.
    """
    columns = _columns(size, score)
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_headings(columns))
    table.writerows(_rows(proved, columns))
    return text.getvalue()


def front_markdown(proved: Sequence[Proved], size: Size | None, score: ScoreKey, trials: int) -> str:
    """Return the table as Markdown with a note; see :func:`front_csv`."""
    columns = _columns(size, score)
    right = [" ---: " for _ in columns]
    notes = (
        f"- Circuits of {trials} trials that no other is as good as in every objective, evenly spread over",
        "the areas. Validation rows chose them, and each is proved to compute what its",
        "model computes. Test rows were used once, for this table.",
        "\n- `NAME.yaml` is the flow file of a circuit, and `NAME/` its build folder. The last column holds",
        "the values of the trial.",
    )
    lines = [
        f"| {' | '.join(_headings(columns))} |",
        f"|{'|'.join([' :--- ', *right, ' ---: ', ' :--- '])}|",
        *(f"| {' | '.join(row)} |" for row in _rows(proved, columns)),
        "",
        " ".join(notes).replace(" \n", "\n"),
    ]
    return "\n".join(lines) + "\n"


def front_figure(
    candidates: Sequence[Candidate], proved: Sequence[Proved], size: Size | None, score: ScoreKey
) -> bytes:
    """Return all circuits of the trials, the front and the proved circuits as SVG.

    Parameters
    ----------
    candidates
        Circuits of all trials.
    proved, size, score
        As in :func:`front_csv`.
    """
    return render_svg(lambda: _draw(candidates, proved, size, score))


def _draw(
    candidates: Sequence[Candidate], proved: Sequence[Proved], size: Size | None, score: ScoreKey
) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.8), facecolor="white")
    figure.subplots_adjust(left=0.1, right=0.98, top=0.93, bottom=0.13)
    axes = figure.subplots()
    front = [each for each in pareto(candidates) if not each.further or each.chosen]
    axes.scatter(
        [each.area for each in candidates],
        [each.score for each in candidates],
        s=8,
        color=_FAINT,
        label="circuits of all trials",
    )
    axes.step(
        [each.area for each in front],
        [each.score for each in front],
        where="post",
        color=_BLUE,
        linewidth=1.2,
        label="front",
    )
    axes.scatter(
        [each.candidate.area for each in proved],
        [each.candidate.score for each in proved],
        s=48,
        facecolors="none",
        edgecolors=_BLUE,
        linewidths=1.6,
        label="proved",
        zorder=3,
    )
    axes.set_xscale("symlog", linthresh=10.0, linscale=0.5)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("area" if size is None else size.axis, color=_INK)
    axes.set_ylabel(f"validation {SCORES[score]}", color=_INK)
    axes.legend(loc="lower right", frameon=False)
    return figure
