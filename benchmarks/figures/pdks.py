"""Circuits of one trained network on every PDK: the time of the chain, and the report ``reports/pdks.md``.

``python -m benchmarks.figures.pdks`` writes the report for the nine data sets. Each network is trained once;
the steps after training run for each PDK with its cells and prices, without baselines. Runs are kept in
``build/pdks``, and a second call only does what is missing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from benchmarks.figures.nine import FLOWS, SETS
from benchmarks.figures.table import Row, named, row
from dwn_asic.errors import ConfigError, DwnAsicError, PdkError
from dwn_asic.flow import Flow, Reporter, run_flow
from dwn_asic.flow.artifacts import PREDICTIONS, RESULT
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.metrics import TEST, TOTAL
from dwn_asic.report.choice import EXACT, OURS
from dwn_asic.study.tables import Cell, Table, geometric_mean, mean_spread, ratio, text
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.targets.asic.pdk import list_pdks, load_pdk
from dwn_asic.targets.asic.signoff.metrics import DELAY, EDP, ENERGY, ESTIMATED

BUILD = Path("build/pdks")
PHONEME = Path("flows/phoneme.yaml")
AREA, COUNT = "design__instance__area", "design__instance__count"
CIRCUITS = {OURS: "shrunk", EXACT: "exact"}
COMPARED = {"area (NAND2)": TOTAL, "area (um2)": AREA, "delay": DELAY, "energy": ENERGY, "EDP": EDP}
TRAINING = {"data", "train"}
"""Titles of the steps that every PDK shares."""


@dataclass(frozen=True)
class Found:
    """The circuits of one data set and seed on one PDK.

    Attributes
    ----------
    circuits
        Metrics of each circuit, by the name of its method.
    origin
        Library, corner, and the files that it was read from.
    seconds
        Time of all steps after training in seconds, one step after the other.
    """

    circuits: Mapping[str, Mapping[str, float]]
    origin: str
    seconds: float


def available() -> tuple[str, ...]:
    """Return the PDKs that can be used, the default one first; standard error says why others cannot."""
    usable = []
    for name in sorted(list_pdks(), key=lambda name: (name != SynthesisConfig().pdk, name)):
        try:
            load_pdk(name)
        except PdkError as error:
            sys.stderr.write(f"left out: {error}\n")
        else:
            usable.append(name)
    return tuple(usable)


def chain(file: Path, pdk: str, seed: int, build: Path = BUILD, proposals: int | None = None) -> Found:
    """Run all steps after training for a PDK, with the network that every PDK shares.

    Parameters
    ----------
    file
        Flow file, whose baselines are left out.
    pdk
        Name of the PDK.
    seed
        Seed of the flow.
    build
        Folder of all runs.
    proposals
        Proposals of the annealing per chain; None for those of the flow file.
    """
    config = _config(load_flow(file, seed), pdk, proposals)
    kind = file.parent.name
    shared = Flow(config, build / "trained" / f"{kind}-{config.name}-{seed}", file)
    run_flow(shared, Reporter(), targets=[PREDICTIONS.name])
    flow = Flow(config, build / pdk / f"{kind}-{config.name}-{seed}", file)
    if not flow.folder.exists():
        partial = flow.folder.with_name(f"{flow.folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(shared.folder, partial)
        partial.rename(flow.folder)
    run_flow(flow, Reporter())
    result = flow.read(RESULT)
    found = {method.name: method.metrics for method in result.methods if method.name in CIRCUITS}
    spent = sum(seconds for title, seconds in flow.engine.seconds().items() if title not in TRAINING)
    return Found(found, f"{result.pdk.library} {result.pdk.corner}, {result.pdk.origin}", spent)


def _config(config: FlowConfig, pdk: str, proposals: int | None) -> FlowConfig:
    """Return the flow for a PDK without its baselines."""
    if config.shrink is None:
        raise ConfigError(config.name, "shrink", "is missing", "a flow that shrinks its network")
    wanted = {} if proposals is None else {"proposals": proposals}
    return config.model_copy(
        update={
            "baselines": (),
            "match": (),
            "synthesis": config.synthesis.model_copy(update={"pdk": pdk}),
            "shrink": config.shrink.model_copy(update={"baselines": False, **wanted}),
        }
    )


# ---- report ------------------------------------------------------------------------------------------------
Runs = Mapping[str, Mapping[str, Sequence[Found]]]
"""Data set -> PDK -> one run for each seed."""


def summary_table(runs: Runs) -> Table:
    """Return the geometric means over data sets of every PDK, divided by those of the first one."""
    pdks = list(dict.fromkeys(pdk for found in runs.values() for pdk in found))
    rows: list[list[Cell]] = []
    left_out: set[str] = set()
    for name, circuit in CIRCUITS.items():
        gates = [
            flow
            for flow, found in runs.items()
            if all(metrics[ENERGY] for each in found.values() for metrics in _of(each, name))
        ]
        left_out |= runs.keys() - set(gates)
        for pdk in pdks:
            values = (_mean(runs, gates, pdk, name, metric) for metric in COMPARED.values())
            firsts = (_mean(runs, gates, pdks[0], name, metric) for metric in COMPARED.values())
            origin = next(iter(runs.values()))[pdk][0].origin
            ratios = [ratio(value / first) for value, first in zip(values, firsts, strict=True)]
            rows.append([text(circuit), text(pdk), text(origin), *ratios])
    absent = f" Without {', '.join(sorted(left_out))}, where a circuit needs no gate." if left_out else ""
    note = (
        f"Divided by the values of {pdks[0]}: geometric means over seeds, then over data sets. EDP is the "
        f"energy-delay product.{absent}"
    )
    return Table("pdks_summary", "Means", (note,), ("circuit", "PDK", "library", *COMPARED), rows)


def _of(found: Sequence[Found], name: str) -> list[Mapping[str, float]]:
    return [each.circuits[name] for each in found]


def _mean(runs: Runs, sets: Sequence[str], pdk: str, name: str, metric: str) -> float:
    each = (geometric_mean(m[metric] for m in _of(runs[flow][pdk], name)) for flow in sets)
    return geometric_mean(each)


def every_table(runs: Runs) -> Table:
    """Return each data set's circuits on each PDK."""
    rows: list[list[Cell]] = []
    for flow, by_pdk in runs.items():
        for name, circuit in CIRCUITS.items():
            for pdk, found in by_pdk.items():
                metrics = _of(found, name)
                estimated = {bool(m[ESTIMATED]) for m in metrics}
                rows.append(
                    [
                        text(flow),
                        text(circuit),
                        text(pdk),
                        mean_spread([100.0 * m[TEST] for m in metrics], 2),
                        mean_spread([m[TOTAL] for m in metrics], 1),
                        mean_spread([m[AREA] for m in metrics], 2),
                        mean_spread([m[COUNT] for m in metrics], 0),
                        mean_spread([m[DELAY] for m in metrics], 3),
                        mean_spread([m[ENERGY] for m in metrics], 4),
                        text("fit" if estimated == {True} else "tables"),
                        mean_spread([each.seconds for each in found], 1),
                    ]
                )
    return Table(
        "pdks",
        "Circuits",
        (
            (
                "Areas are of the whole mapped circuit with its encoder, in NAND2-equivalents of the PDK's "
                "own library and in um2. Every netlist is proved equal to its circuit."
            ),
            (
                "Delay and energy per inference come from the Liberty tables of an installed PDK, or from "
                "the fits to them that the package brings. Wires have no capacitance, unless the library has "
                "a default wire-load model."
            ),
            (
                "Seconds: all steps after training, for both circuits: shrink, minimize, implement with "
                "timing and power, verify, data sheets, result and figures."
            ),
        ),
        (
            "data set",
            "circuit",
            "PDK",
            "test (%)",
            "total (NAND2)",
            "total (um2)",
            "cells",
            "delay (ns)",
            "energy (pJ)",
            "timing",
            "seconds",
        ),
        rows,
    )


def report(runs: Runs, seeds: Sequence[int], proposals: int | None) -> str:
    """Return the report as Markdown."""
    many = "the flow's number of" if proposals is None else f"{proposals}"
    intro = (
        f"{len(runs)} data sets, seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}. One network is "
        "trained for each; its exact and its shrunk circuit are then made for every PDK with the prices and "
        f"cells of that PDK, by annealing with {many} proposals per chain. [pdks.csv](pdks.csv) has the same "
        "rows."
    )
    tables = (summary_table(runs), every_table(runs))
    return "\n".join(
        ["# The same networks on every PDK\n", f"{intro}\n", *(each.markdown() for each in tables)]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chain for data sets, PDKs and seeds, and write the report."""
    parser = argparse.ArgumentParser(prog="make report-pdks", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, metavar="SET", help=", ".join(SETS))
    parser.add_argument(
        "--pdks", nargs="+", default=None, metavar="PDK", help="default: all that can be used"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="SEED")
    parser.add_argument("--proposals", type=int, default=None, help="per chain; default: those of the flow")
    parser.add_argument("--build", type=Path, default=BUILD)
    parser.add_argument("--out", type=Path, default=Path("reports"))
    given = parser.parse_args(arguments)
    try:
        runs = _runs(given.sets, given.pdks or available(), given.seeds, given.build, given.proposals)
    except DwnAsicError as error:
        sys.stderr.write(f"make report-pdks: {error}\n")
        return 1
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "pdks.md").write_text(report(runs, given.seeds, given.proposals), encoding="utf-8")
    (given.out / "pdks.csv").write_text(every_table(runs).csv(), encoding="utf-8")
    return 0


def _runs(
    sets: Sequence[str], pdks: Sequence[str], seeds: Sequence[int], build: Path, proposals: int | None
) -> Runs:
    """Run the chains of all data sets, PDKs and seeds."""
    runs: dict[str, dict[str, list[Found]]] = {}
    for flow, pdk, seed in product(sets, pdks, seeds):
        found = chain(FLOWS / f"{flow}.yaml", pdk, seed, build, proposals)
        runs.setdefault(flow, {}).setdefault(pdk, []).append(found)
        print(f"{flow}, {pdk}, seed {seed}: {found.seconds:.1f} s", flush=True)
    return runs


# ---- figures -----------------------------------------------------------------------------------------------
@cache
def _usable() -> tuple[str, ...]:
    return available()


def seconds() -> Iterator[Row]:
    """Measure the time of all steps after training for the default flow, on every PDK that can be used."""
    for pdk in _usable():
        found = chain(PHONEME, pdk, 0)
        what = (
            f"{pdk} ({found.origin}), phoneme: shrink, minimize, implement, sign off, verify and describe "
            "the exact and the shrunk circuit, after training"
        )
        yield row(f"signoff.chain_seconds_{pdk}", what, found.seconds, "s", "<= 60")


MEASUREMENTS = named("signoff", seconds, *(f"chain_seconds_{pdk}" for pdk in list_pdks()))

if __name__ == "__main__":
    sys.exit(main())
