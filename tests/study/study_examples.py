"""Small made-up studies, in memory and on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import JsonValue
from report_examples import circuit, result, software

from dwn_asic.report.result import FrontPoint, MethodResult, Netlist, Result
from dwn_asic.study.runs import Run, Study

Front = Sequence[tuple[float, float, float]]
"""Points (total area, validation accuracy, test accuracy); half of each area is the core."""


def shrunk(front: Front, chosen: int = -1) -> MethodResult:
    total, _, test = front[chosen]
    points = tuple(
        FrontPoint(core=t / 2, total=t, train=v, val=v, expected=v, test=a, accuracy=a) for t, v, a in front
    )
    one = circuit("dwn-shrunk", "dwn", test, total / 2, total / 2, kind="shrunk", label="DWN, shrunk")
    return one.model_copy(update={"front": points})


def baseline(
    name: str, method: str, total: float, val: float, test: float, **details: object
) -> MethodResult:
    one = circuit(name, method, test, total / 2, total / 2, label=name.replace("-", " "))
    return one.model_copy(update={"metrics": {**one.metrics, "accuracy__val": val}, "details": details})


def methods(seed: int, gain: float = 0.0) -> tuple[MethodResult, ...]:
    """Return ours at 10, 20 and 40 NAND2, trees of 12 and 100, and a Tiny Classifier of 120."""
    off = 0.001 * seed
    front = [
        (0.0, 0.60, 0.60 + off),
        (10.0, 0.80, 0.79 + gain + off),
        (20.0, 0.85, 0.84 + gain + off),
        (40.0, 0.86, 0.85 + gain + off),
    ]
    return (
        circuit("dwn", "dwn", 0.84 + off, 100.0, 100.0, label="DWN"),
        shrunk(front),
        baseline("tree-4", "decision_tree", 12.0, 0.79, 0.78 - off),
        baseline("tree-32", "decision_tree", 100.0, 0.84, 0.83 - off),
        baseline("tiny-paper-300g", "tiny_classifier", 120.0, 0.80, 0.78, gates=90, generations_of_all=8000),
        baseline("forest-3x8", "forest", 80.0, 0.83, 0.82),
        software(accuracy=0.88 + off),
    )


def measured(method: MethodResult, delay: float, energy: float) -> MethodResult:
    """Return the method with this delay (ns) and energy (pJ) of its circuit."""
    return method.model_copy(update={"metrics": {**method.metrics, **signed_off(delay, energy)}})


def signed_off(delay: float, energy: float) -> dict[str, float]:
    """Return the metrics of a delay (ns) and an energy (pJ)."""
    return {
        "timing__delay": delay,
        "energy__inference": energy,
        "energy__delay_product": delay * energy,
    }


def with_energies(seed: int, tree: float = 0.4) -> tuple[MethodResult, ...]:
    """Return the methods with netlists of the front's points, whose energy is a hundredth of their area.

    Each takes 2 ns. The Tiny Classifier takes 4 ns and 1.2 pJ, times 4 on odd seeds, tree-32 2 ns and
    this many pJ.
    """
    own, ours, *others = methods(seed)
    points = [
        point.model_copy(
            update={
                "netlist": Netlist(
                    folder=f"shrunk/front/{number}",
                    core=point.core,
                    total=point.total,
                    metrics=signed_off(2.0 if point.total else 0.0, point.total / 100.0),
                )
            }
        )
        for number, point in enumerate(ours.front)
    ]
    given = {"tiny-paper-300g": (4.0, 1.2 * 4.0 ** (seed % 2)), "tree-32": (2.0, tree)}
    return (
        own,
        ours.model_copy(update={"front": tuple(points)}),
        *(measured(each, *given[each.name]) if each.name in given else each for each in others),
    )


def without_circuit(method: MethodResult) -> MethodResult:
    """Return the method as a baseline whose circuit took too long."""
    return method.model_copy(
        update={
            "kind": "software",
            "label": f"{method.label} (no circuit in time)",
            "metrics": {k: v for k, v in method.metrics.items() if k.startswith("accuracy")},
            "details": {"no_circuit": "abc took longer than 60 s"},
        }
    )


def with_forest_circuits(seed: int, seeds: set[int]) -> tuple[MethodResult, ...]:
    """Return the methods, where the forest has a circuit on these seeds alone."""
    return tuple(
        without_circuit(method) if method.method == "forest" and seed not in seeds else method
        for method in methods(seed)
    )


def study_of(
    make: Callable[[int], tuple[MethodResult, ...]] = methods,
    flows: Sequence[str] = ("alpha", "beta", "gamma"),
    seeds: int = 3,
    folder: Path = Path("build/nine"),
    **config: JsonValue,
) -> Study:
    return Study(
        "nine",
        {
            flow: [
                run_of(made(flow, s, make(s), **config), folder / f"seed-{s}" / flow) for s in range(seeds)
            ]
            for flow in flows
        },
    )


def run_of(found: Result, folder: Path) -> Run:
    """Return a run whose files nobody has written."""
    return Run(found, folder.as_posix(), lambda _name: None)


def made(flow: str, seed: int, found: tuple[MethodResult, ...], **config: JsonValue) -> Result:
    config = {"name": flow, "seed": seed, "encoder": {"bits": 8}, **config}
    return result(flow, seed=seed, methods=found, config=config, flow_file=f"flows/nine/{flow}.yaml")


def saved(folder: Path, study: Study) -> Path:
    """Save the study's results, each with a Verilog file."""
    for run in study.runs:
        here = folder / f"seed-{run.result.seed}" / run.result.flow
        here.mkdir(parents=True)
        run.result.save(here / "result.json")
        (here / "design.v").write_text(
            f"module {run.result.flow}_top; // seed {run.result.seed}\nendmodule\n"
        )
        (here / "baselines" / "tree-4").mkdir(parents=True)
        (here / "baselines" / "tree-4" / "design.v").write_text("module tree; endmodule\n")
    return folder
