"""Write the reports of studies, and the page over everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dwn_asic.report.choice import OURS
from dwn_asic.report.collect import collect
from dwn_asic.report.picture import accuracy_area_svg
from dwn_asic.report.result import write_atomically
from dwn_asic.study.ablation import ablation_table
from dwn_asic.study.fronts import domination_table, equal_area_table
from dwn_asic.study.headline import (
    HEADLINE_RIVALS,
    equal_accuracy_table,
    generations_table,
    headline_table,
)
from dwn_asic.study.overview import method_table, run_table
from dwn_asic.study.page import Section, page
from dwn_asic.study.picture import set_picture
from dwn_asic.study.ranks import rank_table
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Table

__all__ = ["tables", "write_reports"]

_PAGE = "index.html"
_ELSEWHERE = {
    "figures.csv": "measured figures, each with its target and the command that measures it again",
    "rival.md": "shrunk circuits and decision trees of the same validation accuracy",
    "unseen/README.md": "the same tables of data sets that nothing was tried on",
}
"""Reports that other commands write into the folder."""


def tables(study: Study) -> list[Table]:
    """All that its methods allow, the most important first."""
    found = _against_ours(study)
    if any(method.method == "dwn_variant" for method in study.methods.values()):
        found.append(ablation_table(study))
    return [*found, method_table(study)]


def _against_ours(study: Study) -> list[Table]:
    """Comparisons with our shrunk circuit, on the data sets on which all runs have one."""
    whole = study.having(OURS)
    known = whole.methods
    found = []
    if tiny := [rival for rival in HEADLINE_RIVALS if rival in known]:
        found += [headline_table(whole, tiny[0]), generations_table(whole, tiny)]
    if any(method.method == "decision_tree" for method in known.values()):
        found += [
            rank_table(whole),
            domination_table(whole),
            equal_area_table(whole),
            equal_accuracy_table(whole),
        ]
    if absent := [flow for flow in study.sets if flow not in whole.sets]:
        note = f"Without {', '.join(absent)}, where some run has no shrunk circuit of ours."
        found = [replace(table, notes=(*table.notes, note)) for table in found]
    return found


def write_reports(flows: Sequence[Run], studies: Sequence[Study], folder: Path) -> tuple[Path, ...]:
    """Reports of single flows, of each study, and the page.

    Parameters
    ----------
    flows
        Single runs; may be none.
    studies
        Each gets a folder of its own name.
    folder
        Usually ``reports``.

    Returns
    -------
    tuple of Path
        The files.
    """
    written: list[Path] = []
    sections = []
    for study in studies:
        found = tables(study)
        pictures = {flow: set_picture(study, flow) for flow in study.sets}
        written += _write_study(study, found, pictures, folder / study.name)
        captions = [(f"{flow}: test accuracy against area", svg) for flow, svg in pictures.items()]
        sections.append(Section(f"{study.name}: {len(study.sets)} data sets", study, found, captions))
    if flows:
        single = Study(
            "flows", {run.result.flow: [run] for run in sorted(flows, key=lambda run: run.result.flow)}
        )
        captions = [
            (f"{flow}: test accuracy against area", accuracy_area_svg(runs[0].result))
            for flow, runs in single.sets.items()
        ]
        sections.append(Section("single flows", single, [method_table(single)], captions))
    page_file = folder / _PAGE
    write_atomically(page_file, page(sections).encode())
    return (*written, page_file, *collect([run.result for run in flows], folder, _links(studies, folder)))


def _links(studies: Sequence[Study], folder: Path) -> list[str]:
    """To what was written, and to other reports that are in the folder."""
    targets = {
        f"{study.name}/README.md": f"{len(study.sets)} data sets, {len(study.seeds)} seeds"
        for study in studies
    }
    targets[_PAGE] = (
        "all tables on one page, sortable, each row with its flow and its Verilog (download it first)"
    )
    for target, about in _ELSEWHERE.items():
        if (folder / target).exists():
            targets.setdefault(target, about)
    return [
        f"- [{target.removesuffix('/README.md')}]({target}): {about}" for target, about in targets.items()
    ]


def _write_study(
    study: Study, found: Sequence[Table], pictures: dict[str, bytes], folder: Path
) -> list[Path]:
    """A README with the tables that fit on a page, all as CSV, the long ones as Markdown of their own."""
    parts = [
        f"# {study.name}\n\nSeeds {study.seed_list}; every number is of these runs: [runs.csv](runs.csv).\n"
    ]
    contents: dict[str, bytes] = {"runs.csv": run_table(study).csv().encode()}
    for table in found:
        contents[f"{table.name}.csv"] = table.csv().encode()
        if len(table.rows) <= 2 * len(study.sets) * 9:
            parts.append(table.markdown())
        else:
            contents[f"{table.name}.md"] = table.markdown().removeprefix("#").encode()
            parts.append(f"## {table.title}\n\n[Table]({table.name}.md), [CSV]({table.name}.csv)\n")
    for flow, svg in pictures.items():
        contents[f"{flow}.svg"] = svg
        parts.append(f"![{flow}: test accuracy against area]({flow}.svg)\n")
    contents["README.md"] = "\n".join(parts).encode()
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return [folder / name for name in contents]
