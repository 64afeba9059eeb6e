"""The last step of a flow: it collects all metrics in one result and draws tables and figures."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dwn_asic import __version__
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.flow.artifacts import (
    DATASET,
    FITTED,
    FRONT,
    IMPLEMENTATION,
    MATCH,
    MINIMIZED,
    PREDICTIONS,
    PROOF,
    RESULT,
    page_artifact,
)
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.step import Artifact, Step, Workspace
from dwn_asic.flow.steps.datasheet import circuit_label
from dwn_asic.flow.steps.shared import SHRUNK, TargetSettings, match_folder, versions
from dwn_asic.targets.registry import target_kind

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.report.result import FrontPoint, MethodResult

__all__ = ["ResultSettings", "Row", "result_step"]

PAGES = ("comparison.md", "comparison.csv", "accuracy_area.svg", "accuracy_area.png")
_SUFFIX = f"-{SHRUNK}"


@dataclass(frozen=True)
class Row:
    """A method of the flow.

    Attributes
    ----------
    folder
        Folder in which the method was fitted.
    software
        Whether the method is software only, without a circuit.
    shrunk
        Whether its circuit was shrunk, in a subfolder.
    """

    folder: str
    software: bool
    shrunk: bool


@dataclass(frozen=True)
class ResultSettings:
    """The settings of the result: the whole flow, since the result records it, and its methods."""

    config: FlowConfig
    file: str
    target: TargetSettings
    rows: tuple[Row, ...]


def _result(settings: ResultSettings, space: Workspace) -> None:
    from dwn_asic.report.collect import flow_pages
    from dwn_asic.report.result import PdkResult, Result, SplitSizes
    from dwn_asic.tools import tool_versions

    dataset, config, technology = space.get(DATASET), settings.config, settings.target.open().technology
    split = dataset.split
    methods = tuple(each for row in settings.rows for each in _of_row(row, settings, space))
    result = Result(
        flow=config.name,
        flow_file=settings.file,
        source=dataset.table.source,
        seed=config.seed,
        split=SplitSizes(train=len(split.train), val=len(split.val), test=len(split.test)),
        n_features=len(dataset.table.feature_names),
        n_classes=dataset.table.n_classes,
        class_names=dataset.table.class_names,
        input_bits=_input_bits(config, dataset),
        pdk=PdkResult(
            name=technology.name,
            library=technology.library,
            corner=technology.corner,
            origin=technology.origin,
        ),
        tools={
            "dwn-asic": __version__,
            **{t: v for t, v in tool_versions().items() if t in {"yosys", "abc"}},
        },
        config=config.model_dump(mode="json"),
        methods=methods,
        run=_run_metadata(space.seconds),
    )
    space.put(RESULT, result)
    for name, content in flow_pages(result).items():
        space.put(page_artifact(name), content)
    space.reporter.message(f"report: {', '.join(PAGES[::2])}")


def _input_bits(config: FlowConfig, dataset: Dataset) -> int:
    """Return the maximum width of a code in bits: the option of the flow, or what a trained model needs."""
    if isinstance(config.model, ImportConfig):
        return int(dataset.quantizer.bits.max())
    return config.encoder.input_bits


def _of_row(row: Row, settings: ResultSettings, space: Workspace) -> Iterator[MethodResult]:
    """Yield the results of a method: its exact circuit or scores alone, and its shrunk circuit, if any."""
    from dwn_asic.report.result import NO_CIRCUIT, MethodResult

    fitted = space.get(FITTED.at(row.folder))
    own: dict[str, Any] = {
        "name": fitted.name,
        "label": fitted.label,
        "method": fitted.kind,
        "metric": space.get(DATASET).objective.key,
    }
    details: dict[str, Any] = dict(fitted.details)
    why = None if row.software else space.failure(PROOF.at(row.folder))
    if row.software or why is not None:
        if why is not None:
            own["label"] += NO_CIRCUIT
            details["no_circuit"] = why
        metrics = _scores(row.folder, space)
        yield MethodResult(**own, kind="software", metrics=metrics, details=details)
    else:
        metrics = _circuit_metrics(row.folder, space)
        merged = space.get(MINIMIZED.at(row.folder)).merged
        exact = {**own, "label": circuit_label(fitted.label, shrunk=False, merged=merged)}
        yield MethodResult(**exact, kind="exact", proof="proved", metrics=metrics, details=details)
    folder = _inside(row.folder)
    if row.shrunk and space.failure(PROOF.at(folder)) is None:
        merged = space.get(MINIMIZED.at(folder)).merged
        yield MethodResult(
            **{
                **own,
                "name": f"{fitted.name}{_SUFFIX}",
                "label": circuit_label(fitted.label, shrunk=True, merged=merged),
            },
            kind="shrunk",
            proof="proved",
            metrics=_circuit_metrics(folder, space),
            front=_front(row, folder, settings, space),
            details=details,
        )


def _inside(folder: str) -> str:
    return f"{folder}/{SHRUNK}" if folder else SHRUNK


def _scores(folder: str, space: Workspace) -> dict[str, float]:
    from dwn_asic.data.scores import scores

    return scores(space.get(DATASET), space.get(PREDICTIONS.at(folder)))


def _circuit_metrics(folder: str, space: Workspace) -> dict[str, float]:
    """Return all metrics of a verified circuit."""
    built, minimized = space.get(IMPLEMENTATION.at(folder)), space.get(MINIMIZED.at(folder))
    return {**built.metrics, **minimized.metrics, **_scores(folder, space)}


def _front(row: Row, folder: str, settings: ResultSettings, space: Workspace) -> tuple[FrontPoint, ...]:
    from dwn_asic.report.result import Netlist

    size = target_kind(settings.target.kind).size
    netlists: dict[int, Netlist] = {}
    for baseline in settings.config.match if not row.folder else ():
        place = match_folder(baseline)
        if size is not None and space.failure(PROOF.at(place)) is None:
            measured = space.get(IMPLEMENTATION.at(place)).metrics
            found = Netlist(
                folder=place, core=measured[size.core], total=measured[size.total], metrics=measured
            )
            netlists.setdefault(space.get(MATCH.at(place)).place, found)
    rows = space.get(FRONT.at(folder))
    return tuple(row.point(netlists.get(number)) for number, row in enumerate(rows))


def _run_metadata(seconds: Mapping[str, float]) -> dict[str, str | float]:
    """Return time, machine and duration of the run.

    The seconds of all baselines are added up, and so are those of all steps of the network's shrunk circuit.
    """
    groups: dict[str, float] = {}
    for title, spent in seconds.items():
        group = {"baselines": "baseline", SHRUNK: "shrink"}.get(title.split("/")[0], title)
        groups[f"seconds_{group}"] = groups.get(f"seconds_{group}", 0.0) + spent
    return {
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **groups,
    }


def result_step(settings: ResultSettings) -> Step[ResultSettings]:
    """Return the step that collects all metrics in ``result.json`` and draws tables and figures from it."""
    certain: list[Artifact[Any]] = [DATASET]
    uncertain: list[Artifact[Any]] = []
    for row in settings.rows:
        certain += [FITTED.at(row.folder), PREDICTIONS.at(row.folder)]
        if not row.software:
            uncertain += _circuit(row.folder)
        if row.shrunk:
            folder = _inside(row.folder)
            uncertain += [*_circuit(folder), PREDICTIONS.at(folder), FRONT.at(folder)]
    for baseline in settings.config.match:
        folder = match_folder(baseline)
        uncertain += [*_circuit(folder), MATCH.at(folder)]
    return Step(
        "report",
        "",
        settings,
        _result,
        tuple(certain),
        (RESULT, *map(page_artifact, PAGES)),
        optional=tuple(uncertain),
        environment=_environment,
    )


def _circuit(folder: str) -> list[Artifact[Any]]:
    return [MINIMIZED.at(folder), IMPLEMENTATION.at(folder), PROOF.at(folder)]


def _environment(settings: ResultSettings) -> Mapping[str, str]:
    return {**versions("matplotlib"), **settings.target.environment}
