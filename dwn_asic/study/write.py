"""The reports of flows and studies as files, and the page over everything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from dwn_asic.methods.dwn_variant import METHOD as VARIANT
from dwn_asic.metrics import SCORES
from dwn_asic.report.choice import OUR_FAMILY, OURS, families
from dwn_asic.report.collect import collect
from dwn_asic.report.figure import accuracy_area_svg
from dwn_asic.study.ablation import ablation_table
from dwn_asic.study.energy import energy_tables
from dwn_asic.study.equal_accuracy import equal_accuracy_table
from dwn_asic.study.figure import set_figure
from dwn_asic.study.front_tables import domination_table, equal_area_table
from dwn_asic.study.logic_contest import PROTOCOL as LOGIC_CONTEST
from dwn_asic.study.overview import method_table, run_table
from dwn_asic.study.page import Section, page
from dwn_asic.study.printed import PROTOCOL as PRINTED
from dwn_asic.study.protocol import Protocol
from dwn_asic.study.ranks import rank_table
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Drawing, Table
from dwn_asic.study.tiny_classifier import PROTOCOL as TINY_CLASSIFIER

__all__ = ["ELSEWHERE", "PROTOCOLS", "report_files", "study_files", "tables"]

PROTOCOLS: tuple[Protocol, ...] = (LOGIC_CONTEST, PRINTED, TINY_CLASSIFIER)
"""Known protocols; the first that a study follows chooses its tables."""
_PAGE = "index.html"
_PAGE_ABOUT = (
    "all tables and figures on one page, to sort and to filter; each row unfolds to its flow file and its "
    "Verilog (download the page to open it)"
)
_CAPTION = "{flow}: test {score} against area, core alone and in total."
_LONG = 18
"""Rows for each data set from which on a table has a Markdown file of its own."""
ELSEWHERE = {
    "figures.csv": "the project's measured figures, each with its target and the command that measures it",
    "decision_trees.md": "our shrunk circuits beside decision trees of the same validation accuracy",
    "pdks.md": "the same networks on every PDK: area, delay and energy",
    "held_out/README.md": "the same tables for held-out data sets",
    "balanced/README.md": "the same data sets, and two with a rare class, in balanced accuracy",
    "iwls2020/README.md": "the benchmarks of the IWLS 2020 logic contest, counted in AND nodes",
    "printed/README.md": "data sets of printed circuits, beside the published ones",
    "classes/README.md": "data sets of seven to 26 classes, beside trees, forests and boosted stumps",
}
"""Reports that other commands write into the folder, with a description of each."""


def tables(study: Study) -> list[Table]:
    """Return all tables that a study's methods allow, the most important first."""
    found = _against_ours(study)
    if any(method.method == VARIANT.kind for method in study.methods.values()):
        found.append(ablation_table(study))
    figures = [
        Drawing(
            f"{flow}.svg", _CAPTION.format(flow=flow, score=study.score), partial(set_figure, study, flow)
        )
        for flow in (study.sets if _draws_sets(study) else ())
    ]
    return [*found, method_table(study, figures)]


def _draws_sets(study: Study) -> bool:
    protocol = _protocol(study.having(OURS))
    return protocol is None or protocol.draws_sets


def _protocol(study: Study) -> Protocol | None:
    """Return the protocol that a study follows, if any."""
    return next((each for each in PROTOCOLS if study.sets and each.follows(study)), None)


def _against_ours(study: Study) -> list[Table]:
    """Return comparisons with our shrunk circuit, on the data sets on which every run has one."""
    whole = study.having(OURS)
    protocol = _protocol(whole)
    found = _general(whole) if protocol is None else protocol.tables(whole)
    if absent := [flow for flow in study.sets if flow not in whole.sets]:
        note = f"Without {', '.join(absent)}: there, some run has no shrunk circuit of ours."
        found = [replace(table, notes=(*table.notes, note)) for table in found]
    return found


def _general(study: Study) -> list[Table]:
    """Return comparisons for a study that follows no protocol but has baselines of several sizes."""
    sized = [
        key
        for key, family in families().items()
        if key != OUR_FAMILY and any(family.holds(method) for method in study.methods.values())
    ]
    if not sized:
        return []
    above = [domination_table(study, family) for family in sized]
    equal = [equal_area_table(study), equal_accuracy_table(study)]
    return [rank_table(study), *above, *equal, *energy_tables(study)]


def report_files(
    flows: Sequence[Run], studies: Sequence[Study], present: Collection[str] = ()
) -> dict[str, bytes]:
    """Return the reports of single flows, of each study, and the page.

    Parameters
    ----------
    flows
        Single runs; may be empty.
    studies
        Studies; each gets a folder of its own name.
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
        own, section = _of_study(study)
        files |= {f"{study.name}/{name}": content for name, content in own.items()}
        sections.append(section)
    ordered = sorted(flows, key=lambda run: run.result.flow)
    for place, size in enumerate(dict.fromkeys(run.result.size for run in ordered)):
        alike = [run for run in ordered if run.result.size == size]
        single = Study(f"flows{place or ''}", {run.result.flow: [run] for run in alike})
        figures = [
            Drawing(
                f"{flow}/accuracy_area.svg",
                _CAPTION.format(flow=flow, score=SCORES[runs[0].result.metric]),
                partial(accuracy_area_svg, runs[0].result),
            )
            for flow, runs in single.sets.items()
        ]
        found = [method_table(single, figures)]
        about = "Each flow ran once, with the seed of its flow file."
        sections.append(Section("Single flows", about, single, found, _images(found)))
    files[_PAGE] = page(sections).encode()
    return files | collect([run.result for run in flows], _links(studies, {*present, *files}))


def study_files(study: Study) -> dict[str, bytes]:
    """Return the reports of one study for a folder of its own: tables, figures and the page.

    Returns
    -------
    dict
        Path below the study's folder -> content.
    """
    files, section = _of_study(study)
    files["README.md"] += f"\n[{_PAGE}]({_PAGE}): {_PAGE_ABOUT}\n".encode()
    return {_PAGE: page([section]).encode(), **files}


def _about(study: Study) -> str:
    return f"Data sets: {', '.join(study.sets)}. Each was run with {study.seed_words}."


def _images(found: Sequence[Table]) -> dict[str, bytes]:
    return {each.file: each.svg() for table in found for each in table.figures}


def _links(studies: Sequence[Study], present: Collection[str]) -> list[str]:
    """Return links to what is written, and to other reports that are in the folder."""
    targets = {
        f"{study.name}/README.md": f"tables and figures of {len(study.sets)} data sets, {study.seed_words}"
        for study in studies
    }
    targets[_PAGE] = _PAGE_ABOUT
    for target, about in ELSEWHERE.items():
        if target in present:
            targets.setdefault(target, about)
    return [
        f"- [{target.removesuffix('/README.md')}]({target}): {about}" for target, about in targets.items()
    ]


def _of_study(study: Study) -> tuple[dict[str, bytes], Section]:
    """Return the files of a study and its section of the page.

    The files are a README with the short tables, all tables as CSV, and long ones as Markdown of their own.
    """
    found = tables(study)
    images = _images(found)
    parts = [f"# {study.name}\n\n{_about(study)} [runs.csv](runs.csv) lists the runs behind every number.\n"]
    contents: dict[str, bytes] = {"runs.csv": run_table(study).csv().encode()}
    for table in found:
        contents[f"{table.name}.csv"] = table.csv().encode()
        if len(table.rows) <= _LONG * len(study.sets):
            parts.append(table.markdown())
        else:
            contents[f"{table.name}.md"] = replace(table, figures=()).markdown().removeprefix("#").encode()
            parts.append(f"{table.head()}[Table]({table.name}.md), [CSV]({table.name}.csv)\n")
    contents["README.md"] = "\n".join(parts).encode()
    return {**contents, **images}, Section(f"Study {study.name}", _about(study), study, found, images)
