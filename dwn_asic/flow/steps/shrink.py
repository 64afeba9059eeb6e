"""The steps that find smaller circuits: a front, and its circuit that matches a baseline's accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dwn_asic.flow.artifacts import (
    DATASET,
    FRONT,
    FRONT_GRAPHS,
    GRAPH,
    MATCH,
    NETWORK,
    PREDICTIONS,
    PROOF,
    FrontRow,
    MatchRecord,
)
from dwn_asic.flow.step import Step, Workspace
from dwn_asic.flow.steps.shared import (
    SHRUNK,
    TargetSettings,
    Tolerated,
    match_folder,
    target_environment,
    versions,
)
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig

__all__ = ["ALL", "ShrinkSettings", "choose_step", "match_step", "shrink_step"]


ALL = "front"
"""Folder of the whole front where ``max_area`` or ``min_score`` choose from it, so that other limits do not
anneal again."""


@dataclass(frozen=True)
class ShrinkSettings:
    """The settings of shrinking.

    Attributes
    ----------
    starts
        Name and folder of each circuit to start from. The circuits of the front carry the names, unless there
        is only one start, without a name.
    network
        Whether the folder of the first start has a LUT network.
    """

    starts: tuple[tuple[str, str], ...]
    network: bool
    target: TargetSettings
    shrink: ShrinkConfig
    limits: MinimizeConfig
    seed: int


def _shrink(settings: ShrinkSettings, space: Workspace) -> None:
    from dwn_asic.optimize.lossy.shrink import shrink

    dataset = space.get(DATASET)
    folders = [folder for _, folder in settings.starts]
    front = shrink(
        [space.get(GRAPH.at(folder)) for folder in folders],
        dataset,
        settings.target.open().cost,
        settings.shrink,
        settings.seed,
        limits=settings.limits,
        network=space.get(NETWORK.at(folders[0])) if settings.network else None,
        names=[name for name, _ in settings.starts],
        checkpoints=space.checkpoints,
        progress=lambda done, total: space.reporter.progress("shrinking", done, total),
    )
    rows = [
        FrontRow(
            f"front/{number:02d}.json",
            each.core,
            each.encoder,
            each.total,
            each.train,
            each.val,
            each.expected,
            each.test,
            each.accuracy,
            number == front.choice,
            each.levels,
            each.start,
            dataset.objective.key,
        )
        for number, each in enumerate(front.circuits)
    ]
    chosen = front.chosen.graph
    space.put(FRONT, rows)
    space.put(FRONT_GRAPHS, tuple(each.graph for each in front.circuits))
    space.put(GRAPH, chosen)
    space.put(PREDICTIONS, chosen.predict(dataset.codes))


def shrink_step(
    folder: str,
    target: TargetSettings,
    shrink: ShrinkConfig,
    limits: MinimizeConfig,
    seed: int,
    *,
    network: bool = False,
    starts: Mapping[str, str] | None = None,
    tolerates: Tolerated = (),
    into: str = SHRUNK,
) -> Step[ShrinkSettings]:
    """Return the step that shrinks circuits to a front, in a subfolder of ``folder``, and chooses from it.

    Parameters
    ----------
    folder
        Folder of the circuit that is shrunk.
    target, shrink, limits, seed
        Target whose costs count, options of shrinking and of exact minimization, and the seed.
    network
        Whether the folder of the first start has a LUT network, from which a popcount head is refitted.
    starts
        Name and folder of each circuit from which the search starts; by default the circuit itself.
    tolerates
        Errors that end this step, but not the run.
    into
        Name of the subfolder.
    """
    named = tuple((starts or {"": folder}).items())
    inputs = (
        DATASET,
        *(GRAPH.at(place) for _, place in named),
        *((NETWORK.at(named[0][1]),) if network else ()),
    )
    return Step(
        "shrink",
        f"{folder}/{into}" if folder else into,
        ShrinkSettings(named, network, target.costs, shrink, limits, seed),
        _shrink,
        inputs,
        (FRONT, FRONT_GRAPHS, GRAPH, PREDICTIONS),
        environment=target_environment,
        tolerates=tolerates,
    )


@dataclass(frozen=True)
class ChooseSettings:
    """The settings of a choice from a front: the section with its limits."""

    shrink: ShrinkConfig


def _choose(settings: ChooseSettings, space: Workspace) -> None:
    """Choose the circuit of a finished front that the limits ask for."""
    from dwn_asic.optimize.lossy.front import chosen_within

    rows, graphs = space.get(FRONT.at(ALL)), space.get(FRONT_GRAPHS.at(ALL))
    place = chosen_within(rows, settings.shrink)
    space.put(FRONT, [replace(row, chosen=number == place) for number, row in enumerate(rows)])
    space.put(FRONT_GRAPHS, graphs)
    space.put(GRAPH, graphs[place])
    space.put(PREDICTIONS, graphs[place].predict(space.get(DATASET).codes))


def choose_step(shrink: ShrinkConfig) -> Step[ChooseSettings]:
    """Return the step that chooses from the front in :data:`ALL` by ``max_area`` and ``min_score``."""
    return Step(
        "choose",
        SHRUNK,
        ChooseSettings(shrink),
        _choose,
        (DATASET, FRONT.at(ALL), FRONT_GRAPHS.at(ALL)),
        (FRONT, FRONT_GRAPHS, GRAPH, PREDICTIONS),
        environment=_match_environment,
    )


@dataclass(frozen=True)
class MatchSettings:
    """The settings of matching: the name of the baseline, and the folder of its circuit."""

    baseline: str
    folder: str


def _match(settings: MatchSettings, space: Workspace) -> None:
    """Choose the circuit that matches a baseline, by validation score and by the areas of the front.

    Tables that compare areas at equal scores make the same choice.
    """
    from dwn_asic.report.choice import by_area, front_of, smallest_reaching

    dataset = space.get(DATASET)
    wanted = dataset.score("val", space.get(PREDICTIONS.at(settings.folder)))
    circuits = front_of([row.point() for row in space.get(FRONT.at(SHRUNK))])
    chosen, _ = smallest_reaching(sorted(circuits, key=by_area), wanted)
    place = next(i for i, each in enumerate(circuits) if each is chosen)
    graph = space.get(FRONT_GRAPHS.at(SHRUNK))[place]
    space.put(GRAPH, graph)
    space.put(PREDICTIONS, graph.predict(dataset.codes))
    space.put(MATCH, MatchRecord(settings.baseline, place))


def _match_environment(_settings: object) -> Mapping[str, str]:
    return versions("numpy")


def match_step(baseline: str, folder: str) -> Step[MatchSettings]:
    """Return the step that chooses the smallest circuit of the front at the accuracy of a baseline.

    The circuit of the baseline is in ``folder``.
    """
    return Step(
        "match",
        match_folder(baseline),
        MatchSettings(baseline, folder),
        _match,
        # Reading its verification makes sure that the baseline has a circuit.
        (
            DATASET,
            FRONT.at(SHRUNK),
            FRONT_GRAPHS.at(SHRUNK),
            PREDICTIONS.at(folder),
            PROOF.at(folder),
        ),
        (MATCH, GRAPH, PREDICTIONS),
        environment=_match_environment,
    )
