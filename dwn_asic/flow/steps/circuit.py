"""The steps for every circuit: exact minimization, implementation, and verification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dwn_asic.flow.artifacts import (
    CORE,
    DATASET,
    ENCODER,
    GRAPH,
    IMPLEMENTATION,
    LOG,
    MINIMIZED,
    NETWORK,
    PREDICTIONS,
    PROOF,
    ImplementationRecord,
    MinimizedPart,
    MinimizedRecord,
    binary_artifact,
    check_records,
    text_artifact,
)
from dwn_asic.flow.step import Artifact, Step, Workspace
from dwn_asic.flow.steps.shared import (
    SHRUNK,
    TargetSettings,
    Tolerated,
    measured_environment,
    summary,
    target_environment,
    who,
)
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.targets.registry import target_kind
from dwn_asic.verilog.config import HardwareConfig

if TYPE_CHECKING:
    from dwn_asic.optimize.exact.minimize import Minimized
    from dwn_asic.targets.base import Depth

__all__ = ["circuit_steps"]


@dataclass(frozen=True)
class MinimizeSettings:
    """The settings of exact minimization."""

    target: TargetSettings
    minimize: MinimizeConfig


def _minimize(settings: MinimizeSettings, space: Workspace) -> None:
    from dwn_asic.boolean.graph import CodeBit
    from dwn_asic.boolean.measure import measure
    from dwn_asic.optimize.exact.minimize import minimize_parts
    from dwn_asic.optimize.exact.whole import merge_parts

    graph, config = space.get(GRAPH), settings.minimize
    cost = settings.target.open().cost
    core, encoder = minimize_parts(
        graph, cost, effort=config.effort, timeout_s=config.timeout_s, budget_s=config.budget_s
    )
    if config.merge:
        core, encoder = merge_parts(
            graph,
            (core, encoder),
            cost,
            effort=config.effort,
            timeout_s=config.timeout_s,
            budget_s=config.budget_s,
        )
    record = MinimizedRecord(
        _part(core, len(graph.luts)),
        _part(encoder, 0),
        measure(core.graph),
        merged=any(isinstance(node, CodeBit) for _, node in core.graph.inputs),
    )
    space.put(CORE, core.graph)
    space.put(ENCODER, encoder.graph)
    space.put(MINIMIZED, record)
    if not space.folder:
        space.reporter.message(
            f"minimize: {record.core.luts_before} LUTs -> {record.core.and_count} AND nodes; "
            f"core about {_shown_cost(settings.target, record.core.cost / cost.unit)}; proved equal"
        )


def _shown_cost(target: TargetSettings, units: float) -> str:
    size = target_kind(target.kind).size
    return f"{units:.1f} units" if size is None else f"{units:.{size.decimals}f} {size.words}"


def _part(found: Minimized, luts_before: int) -> MinimizedPart:
    from dwn_asic.boolean.aig import and_count

    tried = [(candidate.script, candidate.area) for candidate in found.candidates]
    return MinimizedPart(found.area, and_count(found.graph), luts_before, found.proof_seconds, tried)


@dataclass(frozen=True)
class ImplementSettings:
    """The settings of implementation: prefix of module names, and target."""

    name: str
    target: TargetSettings


def _implement(settings: ImplementSettings, space: Workspace) -> None:
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.targets.base import Vectors

    dataset, circuit = space.get(DATASET), Circuit(space.get(ENCODER), space.get(CORE))
    rows = dataset.split.test
    vectors = (
        Vectors(dataset.codes[rows], space.get(PREDICTIONS)[rows]) if len(rows) else Vectors.drawn(circuit)
    )
    built = settings.target.open().implement(circuit, settings.name, vectors)
    for name, text in built.files.items():
        space.put(text_artifact(name), text)
    for name, content in built.binaries.items():
        space.put(binary_artifact(name), content)
    space.put(LOG, built.log)
    space.put(IMPLEMENTATION, ImplementationRecord(built.name, dict(built.metrics), built.summary))
    if not space.folder:
        space.reporter.message(f"implement: {built.summary}")


@dataclass(frozen=True)
class VerifySettings:
    """The settings of verification.

    Attributes
    ----------
    target
        Target that the circuit was built for.
    depth
        How deep to go beyond the required checks.
    network
        Whether the model is a LUT network in the folder of the circuit.
    shrunk
        Whether the circuit was shrunk, so that its graph is a model of its own.
    """

    target: TargetSettings
    depth: Depth = "basic"
    network: bool = False
    shrunk: bool = False


def _verify(settings: VerifySettings, space: Workspace) -> None:
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.data.scores import scores
    from dwn_asic.targets.base import Implementation, Specification
    from dwn_asic.targets.prove import prove

    record, dataset = space.get(IMPLEMENTATION), space.get(DATASET)
    kind = target_kind(settings.target.kind)
    built = Implementation(
        record.name,
        {name: space.get(text_artifact(name)) for name in kind.files},
        record.metrics,
        record.summary,
        binaries={name: space.get(binary_artifact(name)) for name in kind.binaries},
    )
    circuit = Circuit(space.get(ENCODER), space.get(CORE))
    wanted = Specification(
        space.get(GRAPH),
        circuit,
        dataset.codes,
        space.get(PREDICTIONS),
        space.get(NETWORK) if settings.network else None,
        settings.shrunk,
    )
    proof = prove(settings.target.open(), built, wanted, settings.depth)
    space.put(PROOF, check_records(proof))
    if space.folder:
        found = {**record.metrics, **scores(dataset, wanted.predictions)}
        score = dataset.objective.key
        space.reporter.message(f"{who(space.folder)}: {summary(found, score, kind.size)}")
        return
    for check in proof.checks:
        space.reporter.message(f"verify: {check.summary}")


def circuit_steps(
    folder: str, name: str, target: TargetSettings, minimize: MinimizeConfig, tolerates: Tolerated = ()
) -> list[Step[MinimizeSettings] | Step[ImplementSettings] | Step[VerifySettings]]:
    """Return the steps from the graph and the predictions in a folder to a proved implementation there.

    Parameters
    ----------
    folder
        Folder of the circuit inside the run's folder.
    name
        Prefix of the module names.
    target, minimize
        Target to build for, and options of exact minimization.
    tolerates
        Errors that end these steps, but not the run.
    """
    kind = target_kind(target.kind)
    files: tuple[Artifact[Any], ...] = (
        *map(text_artifact, kind.files),
        *map(binary_artifact, kind.binaries),
    )
    # The circuits of the network that the run is about are checked more deeply than those of baselines.
    own, exact = folder in {"", SHRUNK}, not folder
    verification = VerifySettings(target, "usual" if own else "basic", exact, own and not exact)
    network = (NETWORK,) if exact else ()
    return [
        Step(
            "minimize",
            folder,
            MinimizeSettings(replace(target.costs, hardware=HardwareConfig()), minimize),
            _minimize,
            (GRAPH,),
            (CORE, ENCODER, MINIMIZED),
            environment=target_environment,
            tolerates=tolerates,
        ),
        Step(
            "implement",
            folder,
            ImplementSettings(name, target),
            _implement,
            (CORE, ENCODER, DATASET, PREDICTIONS),
            (*files, LOG, IMPLEMENTATION),
            environment=measured_environment,
            tolerates=tolerates,
        ),
        Step(
            "verify",
            folder,
            verification,
            _verify,
            (GRAPH, CORE, ENCODER, DATASET, PREDICTIONS, IMPLEMENTATION, *network, *files),
            (PROOF,),
            environment=target_environment,
            tolerates=tolerates,
        ),
    ]
