"""The reports of flows and studies as files, and the page over everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from dwn_asic.methods.dwn_variant import METHOD as VARIANT
from dwn_asic.report.choice import OUR_FAMILY, OURS, families
from dwn_asic.report.collect import collect
from dwn_asic.report.figure import accuracy_area_svg
from dwn_asic.study.ablation import ablation_table
from dwn_asic.study.equal_accuracy import equal_accuracy_table
from dwn_asic.study.figure import set_figure
from dwn_asic.study.fronts import domination_table, equal_area_table
from dwn_asic.study.overview import method_table, run_table
from dwn_asic.study.page import Section, page
from dwn_asic.study.protocol import Protocol
from dwn_asic.study.ranks import rank_table
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Table
from dwn_asic.study.tiny_classifier import PROTOCOL as TINY_CLASSIFIER

__all__ = ["ELSEWHERE", "PROTOCOLS", "report_files", "tables"]

PROTOCOLS: tuple[Protocol, ...] = (TINY_CLASSIFIER,)
"""The first that a study follows chooses its tables."""
_PAGE = "index.html"
ELSEWHERE = {
    "figures.csv": "measured figures, each with its target and the command that measures it again",
    "decision_trees.md": "shrunk circuits and decision trees of the same validation accuracy",
    "held_out/README.md": "the same tables of held-out data sets",
}
"""Reports that other commands write into the folder."""


def tables(study: Study) -> list[Table]:
    """All that its methods allow, the most important first."""
    found = _against_ours(study)
    if any(method.method == VARIANT.kind for method in study.methods.values()):
        found.append(ablation_table(study))
    return [*found, method_table(study)]


def _against_ours(study: Study) -> list[Table]:
    """Comparisons with our shrunk circuit, on the data sets on which all runs have one."""
    whole = study.having(OURS)
    protocol = next((each for each in PROTOCOLS if each.follows(whole)), None)
    found = _general(whole) if protocol is None else protocol.tables(whole)
    if absent := [flow for flow in study.sets if flow not in whole.sets]:
        note = f"Without {', '.join(absent)}, where some run has no shrunk circuit of ours."
        found = [replace(table, notes=(*table.notes, note)) for table in found]
    return found


def _general(study: Study) -> list[Table]:
    """Of a study that follows no protocol, if it has baselines of several sizes."""
    sized = [
        key
        for key, family in families().items()
        if key != OUR_FAMILY and any(family.holds(method) for method in study.methods.values())
    ]
    if not sized:
        return []
    above = [domination_table(study, family) for family in sized]
    return [rank_table(study), *above, equal_area_table(study), equal_accuracy_table(study)]


def report_files(
    flows: Sequence[Run], studies: Sequence[Study], present: Collection[str] = ()
) -> dict[str, bytes]:
    """Reports of single flows, of each study, and the page.

    Parameters
    ----------
    flows
        Single runs; may be none.
    studies
        Each has a folder of its own name.
    present
        Files that other commands wrote into the folder of the reports.

    Returns
    -------
    dict
        Path below the reports' folder -> content; the index comes last.
    """
    files: dict[str, bytes] = {}
    sections = []
    for study in studies:
        found = tables(study)
        figures = {flow: set_figure(study, flow) for flow in study.sets}
        files |= {f"{study.name}/{name}": c for name, c in _of_study(study, found, figures).items()}
        captions = [(f"{flow}: test accuracy against area", svg) for flow, svg in figures.items()]
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
    files[_PAGE] = page(sections).encode()
    return files | collect([run.result for run in flows], _links(studies, {*present, *files}))


def _links(studies: Sequence[Study], present: Collection[str]) -> list[str]:
    """To what is written, and to other reports that are in the folder."""
    targets = {
        f"{study.name}/README.md": f"{len(study.sets)} data sets, {len(study.seeds)} seeds"
        for study in studies
    }
    targets[_PAGE] = (
        "all tables on one page, sortable, each row with its flow and its Verilog (download it first)"
    )
    for target, about in ELSEWHERE.items():
        if target in present:
            targets.setdefault(target, about)
    return [
        f"- [{target.removesuffix('/README.md')}]({target}): {about}" for target, about in targets.items()
    ]


def _of_study(study: Study, found: Sequence[Table], figures: Mapping[str, bytes]) -> dict[str, bytes]:
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
    for flow, svg in figures.items():
        contents[f"{flow}.svg"] = svg
        parts.append(f"![{flow}: test accuracy against area]({flow}.svg)\n")
    contents["README.md"] = "\n".join(parts).encode()
    return contents
