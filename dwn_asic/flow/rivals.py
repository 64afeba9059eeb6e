"""The stage ``baseline``: rivals one after another, each finished before the next.

``exact.json`` in a rival's folder holds the row of its exact circuit, once that is proved; ``method.json``
that and the row of the shrunk one, if there is to be one. A run that was killed goes on after either.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dwn_asic import __version__
from dwn_asic.errors import ToolTimeoutError
from dwn_asic.files import digest, read_json, staged, write_json
from dwn_asic.flow.circuits import shrink_circuit, shrunk_names, summary, to_netlist
from dwn_asic.flow.context import Flow, Reporter

if TYPE_CHECKING:
    from dwn_asic.methods.base import Plan

__all__ = ["run_baseline"]


def run_baseline(flow: Flow, reporter: Reporter) -> float:
    """Fit the flow's rivals; gives the seconds that went into those found done."""
    from dwn_asic.methods.registry import plan

    folder = flow.folder / "baselines"
    folder.mkdir(exist_ok=True)
    plans = plan(flow.config.baselines)
    wanted = {rival.name for rival in plans}
    for stale in folder.iterdir():
        if stale.is_dir() and stale.name not in wanted:
            shutil.rmtree(stale)
    earlier = 0.0
    for number, rival in enumerate(plans):
        reporter.progress("baselines", number, len(plans), rival.name)
        earlier += _run_rival(flow, rival, folder / rival.name, reporter)
    with staged(folder, "summary") as scratch:
        records = [found for rival in plans for found in read_json(folder / rival.name / "method.json")]
        write_json(scratch / "summary.json", records)
    return earlier


def _run_rival(flow: Flow, rival: Plan, folder: Path, reporter: Reporter) -> float:
    """Fit one rival and take its graph through the very same steps as the DWN's.

    What is up to date is left alone, the whole rival or its exact circuit; gives the seconds that it took.
    """
    from dwn_asic.metrics import METRICS

    config = flow.config
    shrink = config.shrink if config.shrink is not None and config.shrink.rivals else None
    key = digest(
        {
            "shrink": None if shrink is None else shrink.model_dump(mode="json"),
            "version": __version__,
            "plan": repr(rival),
            "seed": config.seed,
            "flow": {
                k: config.model_dump(mode="json")[k] for k in ("name", "minimize", "hardware", "synthesis")
            },
        },
        [flow.folder / "dataset.npz"],
    )
    if (known := _known(folder / "method.json", key)) is not None:
        reporter.message(f"baseline {rival.name}: up to date")
        return float(known[0]["seconds"])
    start, earlier = time.perf_counter(), 0.0
    if (known := _known(folder / "exact.json", key)) is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        content = {"key": key, **_fit(flow, rival, folder, reporter)}
        content["seconds"] = time.perf_counter() - start
        _write(folder / "exact.json", [content])
    else:
        (content,) = known
        earlier = float(content["seconds"])
        reporter.message(f"baseline {rival.name}: exact circuit up to date")
    contents = [content]
    if content["kind"] == "exact" and shrink is not None:
        found = shrink_circuit(flow, shrink, folder, reporter)
        metrics = {name: found[name] for name in METRICS if name in found}
        names = shrunk_names(content["name"], content["label"])
        contents.append({**content, **names, "metrics": metrics})
        reporter.message(f"baseline {rival.name}, shrunk: {summary(found)}")
    content["seconds"] = earlier + time.perf_counter() - start
    _write(folder / "method.json", contents)
    return earlier


def _fit(flow: Flow, rival: Plan, folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Fit a rival, take its graph to a proved netlist in ``folder``, and give the row of that."""
    from dwn_asic import circuit
    from dwn_asic.metrics import METRICS
    from dwn_asic.report.result import NO_CIRCUIT

    fitted = rival.fit(flow.dataset, flow.config.seed, None)
    accuracy = fitted.accuracy(flow.dataset)
    found: dict[str, float] = {f"accuracy__{part}": value for part, value in accuracy.items()}
    graph, details = fitted.graph, dict(fitted.details)
    if graph is not None:
        circuit.save_model(folder, graph, graph.predict(flow.dataset.codes))
        try:
            found = to_netlist(flow, folder)
        except ToolTimeoutError as error:
            # A rival too large for the flow's limits must not cost the comparison; its accuracy still counts.
            graph, details["no_circuit"] = None, str(error)
            reporter.message(f"baseline {rival.name}: no circuit, only its accuracy: {error}")
    reporter.message(f"baseline {rival.name}: {summary(found)}")
    return {
        "name": fitted.name,
        "label": fitted.label + (NO_CIRCUIT if "no_circuit" in details else ""),
        "method": fitted.kind,
        "kind": "software" if graph is None else "exact",
        "metrics": {name: found[name] for name in METRICS if name in found},
        "details": details,
    }


def _known(record: Path, key: str) -> list[dict[str, Any]] | None:
    """The rows of a record, if they were made from what ``key`` stands for."""
    if not record.exists():
        return None
    rows: list[dict[str, Any]] = read_json(record)
    return rows if rows[0].get("key") == key else None


def _write(record: Path, rows: list[dict[str, Any]]) -> None:
    with staged(record.parent, record.stem) as scratch:
        write_json(scratch / record.name, rows)
