"""The stage ``baseline``: rivals one after another, each finished before the next."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dwn_asic import __version__
from dwn_asic.errors import ToolTimeoutError
from dwn_asic.files import digest, read_json, staged, write_json
from dwn_asic.pipeline.circuits import shrink_circuit, shrunk_names, summary, to_netlist
from dwn_asic.pipeline.flow import Flow, Reporter

if TYPE_CHECKING:
    from dwn_asic.baselines.interface import RivalPlan

__all__ = ["run_baseline"]


def run_baseline(flow: Flow, reporter: Reporter) -> float:
    """Fit the flow's rivals; gives the seconds that went into those found done."""
    from dwn_asic.baselines.registry import plan

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


def _run_rival(flow: Flow, rival: RivalPlan, folder: Path, reporter: Reporter) -> float:
    """Fit one rival and take its graph through the very same steps as the DWN's.

    One that is up to date is left alone; then the result is the seconds it took, else 0.
    """
    from dwn_asic import circuit
    from dwn_asic.synth.metrics import METRICS

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
    record = folder / "method.json"
    if record.exists() and (known := read_json(record)[0]).get("key") == key:
        reporter.message(f"baseline {rival.name}: up to date")
        return float(known["seconds"])
    start = time.perf_counter()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    fitted = rival.fit(flow.dataset, config.seed, None)
    found: dict[str, float] = {f"accuracy__{part}": value for part, value in fitted.accuracy.items()}
    graph, details = fitted.graph, dict(fitted.details)
    if graph is not None:
        circuit.save_model(folder, graph, graph.predict(flow.dataset.codes))
        try:
            found = to_netlist(flow, folder)
        except ToolTimeoutError as error:
            # A rival too large for the flow's limits must not cost the comparison; its accuracy still counts.
            graph, details["no_circuit"] = None, str(error)
            reporter.message(f"baseline {rival.name}: no circuit, only its accuracy: {error}")
    content: dict[str, Any] = {
        "key": key,
        "name": fitted.name,
        "label": fitted.label if "no_circuit" not in details else f"{fitted.label} (no circuit in time)",
        "method": fitted.method,
        "kind": "software" if graph is None else "exact",
        "metrics": {name: found[name] for name in METRICS if name in found},
        "details": details,
    }
    contents = [content]
    reporter.message(f"baseline {rival.name}: {summary(found)}")
    if graph is not None and shrink is not None:
        found = shrink_circuit(flow, shrink, folder, reporter)
        metrics = {name: found[name] for name in METRICS if name in found}
        contents.append({**content, **shrunk_names(fitted.name, fitted.label), "metrics": metrics})
        reporter.message(f"baseline {rival.name}, shrunk: {summary(found)}")
    content["seconds"] = time.perf_counter() - start
    with staged(folder, "method") as scratch:
        write_json(scratch / "method.json", contents)
    return 0.0
