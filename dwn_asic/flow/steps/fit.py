"""The steps that fit a method: the network of the flow, or a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.flow.artifacts import (
    DATASET,
    FITTED,
    GRAPH,
    NETWORK,
    PREDICTIONS,
    FittedRecord,
)
from dwn_asic.flow.step import Step, Workspace
from dwn_asic.flow.steps.shared import summary, versions, who
from dwn_asic.methods.base import Classifier, Plan
from dwn_asic.methods.registry import method

if TYPE_CHECKING:
    pass

__all__ = ["FitSettings", "fit_step", "train_step"]


@dataclass(frozen=True)
class FitSettings:
    """The settings of fitting: the plan of a method with its options, and the seed."""

    plan: Plan
    seed: int


def _fit(settings: FitSettings, space: Workspace) -> None:
    from dwn_asic.data.scores import scores

    dataset, plan = space.get(DATASET), settings.plan
    fitted = plan.fit(dataset, settings.seed, lambda line: space.reporter.progress(plan.name, 0, 1, line))
    _put(fitted, space)
    if fitted.graph is None:
        found = scores(dataset, fitted.predictions)
        space.reporter.message(f"{who(space.folder)}: {summary(found, dataset.objective.key)}")


def _train(settings: FitSettings, space: Workspace) -> None:
    """Fit the network of the flow, and store its LUTs in addition to its graph."""
    last = [""]

    def progress(line: str) -> None:
        last[0] = line
        space.reporter.progress("training", 0, 1, line)

    fitted = settings.plan.fit(space.get(DATASET), settings.seed, progress)
    assert fitted.network is not None
    space.put(NETWORK, fitted.network)
    _put(fitted, space)
    space.reporter.message(f"train: {last[0]}")


def _put(fitted: Classifier, space: Workspace) -> None:
    """Store the outputs of a fitted method; a software method has no graph."""
    if fitted.graph is not None:
        space.put(GRAPH, fitted.graph)
    space.put(PREDICTIONS, fitted.predictions)
    space.put(FITTED, FittedRecord(fitted.name, fitted.label, fitted.kind, dict(fitted.details)))


def _method_environment(settings: FitSettings) -> Mapping[str, str]:
    return versions("numpy", *method(settings.plan.kind).packages)


def fit_step(folder: str, plan: Plan, seed: int) -> Step[FitSettings]:
    """Return the step that fits a baseline; a software method makes no graph."""
    graph = () if method(plan.kind).software else (GRAPH,)
    outputs = (*graph, PREDICTIONS, FITTED)
    settings = FitSettings(plan, seed)
    return Step("fit", folder, settings, _fit, (DATASET,), outputs, environment=_method_environment)


def train_step(plan: Plan, seed: int) -> Step[FitSettings]:
    """Return the step that trains the network of the flow."""
    outputs = (NETWORK, GRAPH, PREDICTIONS, FITTED)
    settings = FitSettings(plan, seed)
    return Step("train", "", settings, _train, (DATASET,), outputs, environment=_method_environment)
