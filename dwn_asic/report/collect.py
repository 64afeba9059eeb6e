"""The reports as files: tables and figures of one flow, and the index over many flows."""

from __future__ import annotations

from collections.abc import Sequence

from dwn_asic.errors import DwnAsicError
from dwn_asic.metrics import SCORES
from dwn_asic.report.figure import accuracy_area_png, accuracy_area_svg
from dwn_asic.report.result import Result
from dwn_asic.report.table import (
    comparison_csv,
    comparison_markdown,
    escape,
    meaning_notes,
    setup_notes,
    summary_markdown,
)

__all__ = ["collect", "flow_pages"]

_TABLE, _CSV, _SVG, _PNG = "comparison.md", "comparison.csv", "accuracy_area.svg", "accuracy_area.png"
_ALT = "test {} against area, core alone and in total"


def flow_pages(result: Result) -> dict[str, bytes]:
    """Return one flow's ``comparison.md``, ``comparison.csv`` and ``accuracy_area.svg`` and ``.png``.

    Equal results return equal bytes.
    """
    return {**_pages(result), _PNG: accuracy_area_png(result)}


def collect(results: Sequence[Result], links: Sequence[str] = ()) -> dict[str, bytes]:
    """Return the reports that are committed: a page for each flow, and ``README.md``, the index over all.

    Flows stand in the order of their names, whatever the order of ``results``.

    Parameters
    ----------
    results
        One result for each flow.
    links
        Lines of Markdown to other reports, for the index.

    Returns
    -------
    dict
        Path below the reports' folder -> content. The index comes last, so that it never leads to a page that
        is not there yet.

    Raises
    ------
    DwnAsicError
        Two results are of flows that share a folder: their names are equal or differ only in case.
    """
    ordered = sorted(results, key=lambda result: result.flow)
    _check_names(ordered)
    pages = {
        f"{result.flow}/{name}": content for result in ordered for name, content in _pages(result).items()
    }
    return {**pages, "README.md": _index(ordered, links).encode()}


def _check_names(results: Sequence[Result]) -> None:
    seen: dict[str, str] = {}
    for name in (result.flow for result in results):
        folder = name.lower()  # some file systems don't tell case apart
        if folder in seen:
            raise DwnAsicError(f"two results for one report folder: flows {seen[folder]} and {name}")
        seen[folder] = name


def _pages(result: Result) -> dict[str, bytes]:
    """Return a flow's pages without the PNG."""
    page = f"# {escape(result.flow)}\n\n![{_alt(result)}]({_SVG})\n\n{comparison_markdown(result)}"
    return {
        _SVG: accuracy_area_svg(result),
        _CSV: comparison_csv(result).encode(),
        _TABLE: page.encode(),
    }


def _alt(result: Result) -> str:
    return f"{result.flow}: {_ALT.format(SCORES[result.metric])}"


def _index(results: Sequence[Result], links: Sequence[str]) -> str:
    """Return a summary of all flows, what its columns mean, then each flow's figure and setup."""
    more = "".join(f"{link}\n" for link in links)
    if not results:
        return f"# Reports\n\n{more}"
    notes = "".join(f"- {note}\n" for note in meaning_notes(results))
    summary = summary_markdown(results, f"{{flow}}/{_TABLE}")
    head = (
        "# Reports\n\n"
        "`dwn-asic collect` writes these reports from each flow's `result.json`. A flow's own page also has "
        "the accuracies on training and validation rows, and for cells the areas in um2.\n\n"
    )
    return f"{head}{more}\n{summary}\n{notes}" + "".join(map(_section, results))


def _section(result: Result) -> str:
    name = result.flow
    notes = "".join(f"- {note}\n" for note in setup_notes(result))
    return (
        f"\n## {escape(name)}\n\n"
        f"[Table]({name}/{_TABLE}), [CSV]({name}/{_CSV})\n\n"
        f"![{_alt(result)}]({name}/{_SVG})\n\n{notes}"
    )
