"""The stage ``report``: what the others measured, as one result file with its table and picture."""

from __future__ import annotations

import platform
import time
from typing import TYPE_CHECKING, Any

from dwn_asic import __version__
from dwn_asic.files import read_json, staged
from dwn_asic.flow.circuits import SHRUNK, exact_name, shrunk_names
from dwn_asic.flow.context import Flow, Reporter

if TYPE_CHECKING:
    from dwn_asic.report.result import MethodResult

__all__ = ["run_report"]


def run_report(flow: Flow, reporter: Reporter) -> None:
    """Write ``result.json`` and what is drawn from it; raises where a metric is unknown or not a number."""
    from dwn_asic.report.collect import write_flow_report
    from dwn_asic.report.result import PdkResult, Result, SplitSizes
    from dwn_asic.tools import tool_versions

    dataset, config, pdk = flow.dataset, flow.config, flow.pdk
    split = dataset.split
    result = Result(
        flow=flow.name,
        flow_file=flow.file.as_posix(),
        source=config.data.source,
        seed=config.seed,
        split=SplitSizes(train=len(split.train), val=len(split.val), test=len(split.test)),
        n_features=len(dataset.table.feature_names),
        n_classes=dataset.table.n_classes,
        class_names=dataset.table.class_names,
        input_bits=config.encoder.input_bits,
        pdk=PdkResult(
            name=config.synthesis.pdk,
            library=pdk.library.name,
            corner=pdk.library.corner,
            # Names, not paths: reports say the same on every machine.
            origin=", ".join(path.name for path in pdk.liberty) or pdk.origin,
        ),
        tools={
            "dwn-asic": __version__,
            **{t: v for t, v in tool_versions().items() if t in {"yosys", "abc"}},
        },
        config=config.model_dump(mode="json"),
        methods=(*_dwn_results(flow), *_rival_results(flow)),
        run=_run_metadata(flow),
    )
    with staged(flow.folder, "report") as scratch:
        write_flow_report(result, scratch)
        result.save(scratch / "result.json")
    reporter.message(f"report: {flow.folder / 'comparison.md'}, {flow.folder / 'accuracy_area.svg'}")


def _dwn_label(flow: Flow) -> str:
    from dwn_asic.methods.dwn import network_label

    return network_label(flow.config.model, flow.dataset.table.n_classes)


def _dwn_results(flow: Flow) -> list[MethodResult]:
    """The exact circuit and, where there is one, the shrunk."""
    from dwn_asic import circuit
    from dwn_asic.metrics import METRICS
    from dwn_asic.report.result import MethodResult

    name, label = "dwn", _dwn_label(flow)
    exact = circuit.metrics(flow.folder, flow.name, flow.dataset, flow.pdk.library)
    rows: list[tuple[dict[str, Any], dict[str, float]]] = [
        ({"name": name, "label": label, "kind": "exact"}, exact)
    ]
    shrunk = read_json(flow.folder / SHRUNK / "method.json")
    if shrunk is not None:
        front = circuit.load_front(flow.folder / SHRUNK)
        rows.append(({**shrunk_names(name, label), "front": front}, shrunk))
    return [
        MethodResult.model_validate(
            {
                **names,
                "method": "dwn",
                "proof": "proved",
                "metrics": {metric: found[metric] for metric in METRICS if metric in found},
                "details": {"head": flow.config.model.head, "minimize_effort": flow.config.minimize.effort},
            }
        )
        for names, found in rows
    ]


def _rival_results(flow: Flow) -> list[MethodResult]:
    from dwn_asic import circuit
    from dwn_asic.report.result import MethodResult

    results, folder = [], flow.folder / "baselines"
    for content in read_json(folder / "summary.json"):
        for bookkeeping in ("key", "seconds"):
            content.pop(bookkeeping, None)
        if content["kind"] == SHRUNK:
            content["front"] = circuit.load_front(folder / exact_name(content["name"]) / SHRUNK)
        proof = "-" if content["kind"] == "software" else "proved"
        results.append(MethodResult(proof=proof, **content))
    return results


def _run_metadata(flow: Flow) -> dict[str, str | float]:
    seconds = {
        f"seconds_{path.stem}": read_json(path)["seconds"]
        for path in sorted((flow.folder / ".manifest").glob("*.json"))
    }
    finished = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "finished": finished,
        "python": platform.python_version(),
        "machine": platform.machine(),
        **seconds,
    }
