"""The network with one thing changed: what that does to accuracy and area, exact and shrunk."""

from __future__ import annotations

import numpy as np

from dwn_asic.report.result import MethodResult
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import (
    Cell,
    Table,
    area_ratio,
    geometric_mean,
    mean_spread,
    number,
    ratio,
    standard_error,
    text,
)
from dwn_asic.synth.metrics import CORE, TEST, TOTAL

__all__ = ["ablation_table"]


def ablation_table(study: Study) -> Table:
    """The flow's network first, then each variant with its difference from it."""
    rows: list[list[Cell]] = []
    methods: dict[int, tuple[str, str]] = {}
    variants = [name for name, m in study.methods.items() if m.method == "dwn_variant" and m.kind == "exact"]
    for flow in study.sets:
        base = study.of(flow, "dwn")
        for name in ("dwn", *variants):
            exact, shrunk = study.of(flow, name), study.of(flow, f"{name}-shrunk")
            if len(exact) != len(base):
                continue
            methods[len(rows)] = (flow, name)
            points = 100.0 * (_values(exact, TEST) - _values(base, TEST))
            shrunk_base = study.of(flow, "dwn-shrunk")
            rows.append(
                [
                    text(flow),
                    text(exact[0].label),
                    mean_spread(100.0 * _values(exact, TEST), 2),
                    mean_spread(_values(exact, CORE), 1),
                    mean_spread(_values(exact, TOTAL), 1),
                    number(None if name == "dwn" else float(points.mean()), 2),
                    number(None if name == "dwn" else standard_error(points), 2),
                    ratio(_times(exact, base)),
                    mean_spread(100.0 * _values(shrunk, TEST), 2),
                    mean_spread(_values(shrunk, TOTAL), 1),
                    ratio(_times(shrunk, shrunk_base) if len(shrunk) == len(shrunk_base) else None),
                ]
            )
    return Table(
        "ablation",
        "Ablations: one thing changed at a time",
        (
            (
                "The first row of a data set is the flow's network; below it, each network differs in what "
                "its name says. Test accuracy in percent, areas in NAND2-equivalents, mean ± standard "
                f"deviation over seeds {study.seed_list}; gain: points of test accuracy "
                "over the first row, paired by seed, and its standard error; area: total over the first "
                "row's, geometric mean."
            ),
            (
                "Shrunk: each network through the same annealing; its choice is the smallest within a "
                "point of its front's best in validation, so that accuracy and area move together."
            ),
        ),
        (
            "data set",
            "network",
            "exact test",
            "exact core",
            "exact total",
            "gain",
            "standard error",
            "area",
            "shrunk test",
            "shrunk total",
            "shrunk area",
        ),
        rows,
        methods,
    )


def _values(methods: list[MethodResult], metric: str) -> np.ndarray:
    return np.array([float(method.metrics[metric]) for method in methods])


def _times(methods: list[MethodResult], base: list[MethodResult]) -> float:
    """Area over that of the first row."""
    pairs = zip(_values(methods, TOTAL), _values(base, TOTAL), strict=True)
    return geometric_mean(area_ratio(area, other) for area, other in pairs)
