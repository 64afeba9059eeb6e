"""Steps that make smaller circuits: a front, and our circuit at a baseline's accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.flow.artifacts import (
    DATASET,
    FRONT,
    FRONT_GRAPHS,
    GRAPH,
    MATCH,
    NETWORK,
    PREDICTIONS,
    VERIFIED,
    FrontRow,
    MatchRecord,
)
from dwn_asic.flow.engine import Step, Workspace
from dwn_asic.flow.steps.shared import (
    SHRUNK,
    TargetSettings,
    Tolerated,
    match_folder,
    target_environment,
    versions,
)
from dwn_asic.metrics import VAL
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig

if TYPE_CHECKING:
    pass

__all__ = ["ShrinkSettings", "match_step", "shrink_step"]


@dataclass(frozen=True)
class ShrinkSettings:
    """What shrink is given."""

    start: str
    network: bool
    target: TargetSettings
    shrink: ShrinkConfig
    limits: MinimizeConfig
    seed: int


def _shrink(settings: ShrinkSettings, space: Workspace) -> None:
    from dwn_asic.optimize.lossy.shrink import shrink

    dataset = space.get(DATASET)
    front = shrink(
        [space.get(GRAPH.at(settings.start))],
        dataset,
        settings.target.open().cost,
        settings.shrink,
        settings.seed,
        limits=settings.limits,
        network=space.get(NETWORK.at(settings.start)) if settings.network else None,
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
            number == front.choice,
        )
        for number, each in enumerate(front.circuits)
    ]
    chosen = front.chosen.graph
    space.put(FRONT, rows)
    space.put(FRONT_GRAPHS, tuple(each.graph for each in front.circuits))
    space.put(GRAPH, chosen)
    space.put(PREDICTIONS, chosen.predict(dataset.codes))


def shrink_step(
    start: str,
    target: TargetSettings,
    shrink: ShrinkConfig,
    limits: MinimizeConfig,
    seed: int,
    *,
    network: bool = False,
    tolerates: Tolerated = (),
) -> Step[ShrinkSettings]:
    """Shrink the circuit of a folder to a front and a choice in a folder inside it.

    Parameters
    ----------
    start
        Folder of the circuit.
    target, shrink, limits, seed
        Options.
    network
        Whether the LUT network is there too, which a popcount is refitted from.
    tolerates
        As in :func:`circuit_steps`.
    """
    inputs = (DATASET, GRAPH.at(start), *((NETWORK.at(start),) if network else ()))
    return Step(
        "shrink",
        f"{start}/{SHRUNK}" if start else SHRUNK,
        ShrinkSettings(start, network, target.costs, shrink, limits, seed),
        _shrink,
        inputs,
        (FRONT, FRONT_GRAPHS, GRAPH, PREDICTIONS),
        environment=target_environment,
        tolerates=tolerates,
    )


@dataclass(frozen=True)
class MatchSettings:
    """Which baseline is matched, and where its circuit is."""

    baseline: str
    folder: str


def _match(settings: MatchSettings, space: Workspace) -> None:
    """The choice that tables at equal accuracy make: by validation rows, on the front's own areas."""
    from dwn_asic.data.accuracy import accuracies
    from dwn_asic.report.choice import by_area, front_of, smallest_reaching

    dataset = space.get(DATASET)
    wanted = accuracies(dataset, space.get(PREDICTIONS.at(settings.folder)))[VAL]
    circuits = front_of([row.point() for row in space.get(FRONT.at(SHRUNK))])
    chosen, _ = smallest_reaching(sorted(circuits, key=by_area), wanted)
    place = next(i for i, each in enumerate(circuits) if each is chosen)
    graph = space.get(FRONT_GRAPHS.at(SHRUNK))[place]
    space.put(GRAPH, graph)
    space.put(PREDICTIONS, graph.predict(dataset.codes))
    space.put(MATCH, MatchRecord(settings.baseline, place))


def match_step(baseline: str, folder: str) -> Step[MatchSettings]:
    """Our smallest circuit at the accuracy of a baseline, which has its own circuit in ``folder``."""
    return Step(
        "match",
        match_folder(baseline),
        MatchSettings(baseline, folder),
        _match,
        # The baseline has a circuit, or there is nothing to match.
        (
            DATASET,
            FRONT.at(SHRUNK),
            FRONT_GRAPHS.at(SHRUNK),
            PREDICTIONS.at(folder),
            VERIFIED.at(folder),
        ),
        (MATCH, GRAPH, PREDICTIONS),
        environment=lambda _: versions("numpy"),
    )
