"""Topic ``uneven``: circuits for tables with a rare class, by accuracy and by balanced accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.figures.proposal_rate import proposal_rate
from benchmarks.figures.table import Row, named, row
from dwn_asic import api
from dwn_asic.data.dataset import Dataset
from dwn_asic.optimize.lossy.anneal.scored_rows import ScoredRows

SETS = ("blood", "kc1")
OBJECTIVES = ("accuracy", "balanced_accuracy")
SEEDS = (0, 1, 2)
TRAINING = {"epochs": 40, "restarts": 8, "batch_size": 256}


def circuits(name: str) -> Iterator[Row]:
    """Measure the chosen circuit by each objective: its area, and both scores on test rows."""
    for objective in OBJECTIVES:
        found = np.array([_chosen(name, objective, seed) for seed in SEEDS]).mean(axis=0)
        words = objective.replace("_", " ")
        what = f"{name}, 24-4-1 network, 12 chains of 400,000, optimized for {words}, mean over seeds 0 to 2"
        id_ = f"uneven.{name}_{objective}"
        yield row(f"{id_}_area", f"{what}: total area of the chosen circuit", found[0], "NAND2")
        yield row(f"{id_}_plain", f"{what}: test accuracy", found[1])
        yield row(f"{id_}_balanced", f"{what}: balanced accuracy on test rows", found[2])


def _chosen(name: str, objective: str, seed: int) -> tuple[float, float, float]:
    rows = _rows(f"{name}.csv.gz", seed=seed).with_objective(objective)
    network = api.fit(rows, seed=seed, model={"pyramid": (6, 6, 4)}, training=TRAINING)
    chosen = api.shrink(network, rows, seed=seed, proposals=400_000, jobs=1).chosen
    balanced = rows.with_objective("balanced_accuracy").score("test", chosen.graph.predict(rows.codes))
    return chosen.total, chosen.accuracy, balanced


def _rows(file: str, **options: object) -> Dataset:
    return api.read_data(f"csv:../shared/data/{file}", **options)  # type: ignore[arg-type]


def speed() -> Iterator[Row]:
    """Measure proposals per second where a settled chain has about 25 gates, by each objective."""
    rows = _rows("letter.csv.gz", one_against_rest="A")
    # Prices at which both chains settle at about the same size, which decides the time of a proposal.
    plain, plain_gates = _rate(rows, "accuracy", 600.0)
    balanced, gates = _rate(rows, "balanced_accuracy", 100.0)
    what = f"letter A against the rest: proposals per second in balanced accuracy ({gates} gates)"
    yield row("uneven.proposals", what, balanced / 1e6, "M/s")
    what += f" over those in accuracy ({plain_gates} gates)"
    yield row("uneven.proposals_ratio", what, balanced / plain, "", ">= 0.95")


def _rate(rows: Dataset, objective: str, price: float) -> tuple[float, int]:
    """Return proposals per second at the end of a chain, and its gates, given the price of a point."""
    rows = rows.with_objective(objective)
    graph = api.fit(rows, "decision_tree", leaves=32).graph
    assert graph is not None
    codes, labels = rows.part("train")
    costs = rows.objective.total_costs(labels, rows.table.n_classes)
    scored = ScoredRows.arranged(codes, labels, costs)
    return proposal_rate(graph, scored, price, settling=2_000_000, slices=30)


_named = partial(named, "uneven")

MEASUREMENTS = {
    id_: measure
    for name in SETS
    for id_, measure in _named(
        partial(circuits, name),
        *(f"{name}_{objective}_{end}" for objective in OBJECTIVES for end in ("area", "plain", "balanced")),
    ).items()
} | _named(speed, "proposals", "proposals_ratio")
