"""Topic ``signoff``: manufacturing tests of the netlists of two flows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.figures.table import Row, named, row
from dwn_asic.api import manufacturing_test
from dwn_asic.flow import Reporter, open_flow, run_flow
from dwn_asic.flow.finished import load

FLOWS = ("phoneme", "digits")
_NAMES = ("coverage", "coverage_of_all", "aborted", "patterns", "seconds")


def patterns(flow: str, kind: str) -> Iterator[Row]:
    """Measure what the patterns of a netlist detect, and their number; runs the flow if necessary."""
    opened = open_flow(Path("flows") / f"{flow}.yaml", Path("build"))
    run_flow(opened, Reporter())
    run = load(opened.folder)
    circuit = run if kind == "exact" else run.shrunk
    assert circuit is not None
    implementation, minimized = circuit.implementation, circuit.circuit
    start = time.perf_counter()
    test = manufacturing_test(implementation, minimized, run.flow.target.open(), dataset=run.dataset)
    seconds = time.perf_counter() - start
    coverage, name = test.detected.coverage, f"signoff.testgen_{flow}_{kind}"
    what = f"{flow}, {kind} netlist of {test.n_cells} cells, {coverage.total} stuck-at faults"
    yield row(
        f"{name}_coverage",
        f"{what}: share detected of those not proved untestable",
        100.0 * coverage.of_testable,
        "%",
        ">= 100",
    )
    text = f"{what}: share detected of all ({coverage.untestable} proved untestable)"
    yield row(f"{name}_coverage_of_all", text, 100.0 * coverage.of_all, "%")
    yield row(f"{name}_aborted", f"{what}: faults without a result", coverage.aborted, "", "<= 0")
    yield row(f"{name}_patterns", f"{what}: patterns", len(test.codes))
    yield row(f"{name}_seconds", f"{what}: time to make the patterns, one thread", seconds, "s")


MEASUREMENTS = {
    id_: measure
    for flow in FLOWS
    for kind in ("shrunk", "exact")
    for id_, measure in named(
        "signoff", partial(patterns, flow, kind), *(f"testgen_{flow}_{kind}_{name}" for name in _NAMES)
    ).items()
}
