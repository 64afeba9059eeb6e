"""Every method on every data set, and every run behind it."""

from __future__ import annotations

from collections.abc import Sequence

from dwn_asic.metrics import TEST, Shown, Size
from dwn_asic.report.result import MethodResult
from dwn_asic.report.table import following_notes
from dwn_asic.study.runs import Study, over_runs
from dwn_asic.study.tables import Cell, Drawing, Table, mean_spread, number, text

__all__ = ["method_table", "run_table"]


def method_table(study: Study, figures: Sequence[Drawing] = ()) -> Table:
    """Return means and spreads over seeds of every method on every data set, below these figures."""
    rows: list[list[Cell]] = []
    methods: dict[int, tuple[str, str]] = {}
    columns = _columns(study.size)
    for flow, runs in study.sets.items():
        for name in dict.fromkeys(name for run in runs for name in run.methods):
            found = study.of(flow, name)
            method = over_runs(found)
            methods[len(rows)] = (flow, name)
            rows.append(
                [
                    text(flow),
                    text(method.label),
                    text(method.kind),
                    mean_spread([100.0 * m.val for m in found], 2),
                    mean_spread([100.0 * m.test for m in found], 2),
                    *(
                        mean_spread([m.metrics[c.metric] for m in found if c.metric in m.metrics], c.decimals)
                        for c in columns
                    ),
                    _circuits(found),
                    number(len(found), 0),
                ]
            )
    return Table(
        "methods",
        "All methods",
        (
            _units(study),
            (
                "All circuits read the same feature codes, go through the same minimization and "
                "implementation, and are proved. The column `circuits` says on how many seeds a circuit was "
                f"finished in time: sizes are over these seeds, {study.scores} over all."
            ),
            *following_notes(study.methods.values()),
        ),
        (
            "data set",
            "method",
            "kind",
            "validation (%)" if study.score == "accuracy" else f"{study.score} validation (%)",
            study.test,
            *(column.heading for column in columns),
            "circuits",
            "seeds",
        ),
        rows,
        methods,
        figures=figures,
    )


def _columns(size: Size | None) -> list[Shown]:
    """Return the columns of sizes, and the other column that the target has beside them."""
    if size is None:
        return []
    *parts, total = size.columns
    more = Shown(size.more.heading.split()[0], size.more.metric, size.more.decimals)
    return [*parts, Shown(f"total ({size.unit})", total.metric, total.decimals), more]


def _units(study: Study) -> str:
    """Return the note on units and on what the seeds change."""
    sizes = "" if study.size is None else f", {study.size.noun}s in {study.size.words}"
    mapped = " The area is that of the mapped cells, before placement." if sizes.startswith(", area") else ""
    scores = study.scores[0].upper() + study.scores[1:]
    return (
        f"{scores} are in percent{sizes}: {study.averaging}.{mapped} A seed sets the split, the training "
        "and every other random choice."
    )


def _circuits(found: Sequence[MethodResult]) -> Cell:
    """Count the runs that have a circuit; a dash stands for a method that is software by design."""
    count = sum(method.kind != "software" for method in found)
    if not count and not any("no_circuit" in method.details for method in found):
        return number(None, 0)
    return Cell(f"{count} of {len(found)}", count)


def run_table(study: Study) -> Table:
    """Return one row for each method and run, with what it takes to make it again."""
    rows: list[list[Cell]] = []
    columns = _columns(study.size)[:-1]
    for run in study.runs:
        result = run.result
        for method in result.methods:
            metrics = method.metrics
            rows.append(
                [
                    text(result.flow),
                    number(result.seed, 0),
                    text(method.name),
                    text(method.kind),
                    number(method.val, 4),
                    number(method.test, 4),
                    *([number(metrics[TEST], 4)] if study.score != "accuracy" else []),
                    *(number(metrics.get(column.metric), 2) for column in columns),
                    text(method.proof),
                    text(result.flow_file),
                    text(run.file),
                    text(f"{result.pdk.library} {result.pdk.corner}".rstrip()),
                    text(run.tools),
                ]
            )
    return Table(
        "runs",
        "All runs",
        ("`dwn-asic run FLOW --seed SEED` measures a row again.",),
        (
            "data set",
            "seed",
            "method",
            "kind",
            f"validation {study.score}",
            f"test {study.score}",
            *(["test accuracy"] if study.score != "accuracy" else []),
            *(column.heading for column in columns),
            "proof",
            "flow",
            "result",
            "library",
            "tools",
        ),
        rows,
    )
