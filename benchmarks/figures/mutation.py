"""Topic ``signoff``: mutation testing of our own checks, with faults in every form of small circuits."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np

from benchmarks.figures.table import Row, named, row
from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.pdk import list_pdks, load_pdk

sys.path += ["tests"]  # the faults that a test shares with this topic

_FAULTS = 150
"""Number of faults per PDK."""


def faults() -> Iterator[Row]:
    """Measure how many faults that change something are found, and how many others pass."""
    from mutation.case import Case, iris_case, random_case
    from mutation.judge import judged, mutants

    changed, unchanged, stages = Counter[bool](), Counter[bool](), Counter[str]()
    pdks = [*_pdks()]
    for pdk in pdks:
        cases: list[Case] = [
            random_case(seed, pdk, registers, minimized=minimized)
            for seed, (registers, minimized) in enumerate(
                [
                    ("none", False),
                    ("none", True),
                    ("inputs", True),
                    ("outputs", False),
                    ("both", True),
                    ("both", False),
                ],
                1,
            )
        ]
        cases += [iris_case(pdk, "none", 4), iris_case(pdk, "both", 8)]
        for verdict in map(judged, mutants(cases, _FAULTS, np.random.default_rng(0))):
            if not verdict.right:
                print(f"wrong verdict: {verdict}", file=sys.stderr)
            (changed if verdict.mutant.changed else unchanged)[verdict.right] += 1
            stages[verdict.mutant.stage] += 1
    where = ", ".join(f"{count} in {stage}" for stage, count in stages.items())
    what = f"random faults of eight small circuits on {', '.join(pdks)}"
    yield row(
        "signoff.mutation_faults", f"{what} ({where})", changed.total() + unchanged.total(), "", ">= 500"
    )
    text = f"of the {changed.total()} {what} that change function, timing or meaning"
    yield row(
        "signoff.mutation_caught",
        f"{text}: share found by the check of the form that has the fault",
        100.0 * changed[True] / changed.total(),
        "%",
        ">= 100",
    )
    text = f"of the {unchanged.total()} {what} that change nothing"
    yield row(
        "signoff.mutation_passed",
        f"{text}: share that passes",
        100.0 * unchanged[True] / unchanged.total(),
        "%",
        ">= 100",
    )


def _pdks() -> Iterator[str]:
    """Yield the PDKs that are at hand."""
    for name in list_pdks():
        try:
            load_pdk(name)
        except PdkError:
            continue
        yield name


MEASUREMENTS = named("signoff", faults, "mutation_faults", "mutation_caught", "mutation_passed")
