"""The stage ``match``: our smallest circuits at the accuracy of named rivals, to proved netlists."""

from __future__ import annotations

import shutil

from dwn_asic.errors import ToolTimeoutError
from dwn_asic.files import read_json, staged, write_json
from dwn_asic.flow.circuits import SHRUNK, summary, to_netlist
from dwn_asic.flow.context import Flow, Reporter

__all__ = ["run_match"]


def run_match(flow: Flow, reporter: Reporter) -> None:
    """Write ``shrunk/front/matched.json`` and a folder for each circuit that matches a rival.

    The choice is the one that tables at equal accuracy make: by validation rows, on the front's own areas.
    """
    from dwn_asic import circuit
    from dwn_asic.boolean.graph import BooleanGraph

    folder = flow.folder / SHRUNK / "front"
    folder.mkdir(parents=True, exist_ok=True)
    matched = {}
    for place, rivals in sorted(_places(flow).items()):
        name, target = f"{place:02d}", folder / f"{place:02d}"
        model = BooleanGraph.load(folder / f"{name}.json")
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        circuit.save_model(target, model, model.predict(flow.dataset.codes))
        try:
            found = to_netlist(flow, target)
        except ToolTimeoutError as error:
            reporter.message(f"match: no netlist for {', '.join(rivals)}: {error}")
            continue
        matched[name] = {"rivals": rivals, "metrics": found}
        reporter.message(f"match {', '.join(rivals)}: {summary(found)}")
    for stale in folder.iterdir():
        if stale.is_dir() and stale.name not in matched:
            shutil.rmtree(stale)
    if not flow.config.match:
        reporter.message("match: not asked for")
    with staged(folder, "match") as scratch:
        write_json(scratch / "matched.json", matched)


def _places(flow: Flow) -> dict[int, list[str]]:
    """Place on the front -> the rivals that it matches."""
    from dwn_asic import circuit
    from dwn_asic.metrics import TOTAL, VAL
    from dwn_asic.report.choice import by_area, front_of, smallest_reaching
    from dwn_asic.report.result import FrontPoint

    found: dict[int, list[str]] = {}
    if not flow.config.match:
        return found
    points = tuple(FrontPoint(**point) for point in circuit.load_front(flow.folder / SHRUNK))
    circuits = front_of(points)
    for record in read_json(flow.folder / "baselines" / "summary.json"):
        if record["name"] in flow.config.match and TOTAL in record["metrics"]:
            chosen, _ = smallest_reaching(sorted(circuits, key=by_area), record["metrics"][VAL])
            place = next(i for i, each in enumerate(circuits) if each is chosen)
            found.setdefault(place, []).append(record["name"])
    return found
