"""Every method on every data set, and every run behind it."""

from __future__ import annotations

from collections.abc import Sequence

from dwn_asic.metrics import CELLS, CORE, ENCODER, TEST, TOTAL, VAL
from dwn_asic.report.result import MethodResult
from dwn_asic.study.runs import Study, over_runs
from dwn_asic.study.tables import Cell, Drawing, Table, mean_spread, number, text

__all__ = ["method_table", "run_table"]


def method_table(study: Study, figures: Sequence[Drawing] = ()) -> Table:
    """Return means and spreads over seeds of every method on every data set, below these figures."""
    rows: list[list[Cell]] = []
    methods: dict[int, tuple[str, str]] = {}
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
                    *(mean_spread([100.0 * m.metrics[key] for m in found], 2) for key in (VAL, TEST)),
                    *(
                        mean_spread([m.metrics[key] for m in found if key in m.metrics], decimals)
                        for key, decimals in ((CORE, 1), (ENCODER, 1), (TOTAL, 1), (CELLS, 0))
                    ),
                    _circuits(found),
                    number(len(found), 0),
                ]
            )
    return Table(
        "methods",
        "All methods",
        (
            (
                f"Accuracies are in percent, areas in NAND2-equivalents: {study.averaging}. The area is that "
                "of the mapped cells, before placement. A seed sets the split, the training and every other "
                "random choice."
            ),
            (
                "All circuits read the same feature codes, go through the same minimization and "
                "synthesis, and are proved. The column `circuits` says on how many seeds a circuit was "
                "finished in time: areas are over these seeds, accuracies over all."
            ),
        ),
        (
            "data set",
            "method",
            "kind",
            "validation (%)",
            "test (%)",
            "core (NAND2)",
            "encoder (NAND2)",
            "total (NAND2)",
            "cells",
            "circuits",
            "seeds",
        ),
        rows,
        methods,
        figures=figures,
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
                    number(metrics[VAL], 4),
                    number(metrics[TEST], 4),
                    *(number(metrics.get(key), 2) for key in (CORE, ENCODER, TOTAL)),
                    text(method.proof),
                    text(result.flow_file),
                    text(run.file),
                    text(f"{result.pdk.library} {result.pdk.corner}"),
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
            "validation accuracy",
            "test accuracy",
            "core (NAND2)",
            "encoder (NAND2)",
            "total (NAND2)",
            "proof",
            "flow",
            "result",
            "library",
            "tools",
        ),
        rows,
    )
