"""The steps of a flow: what each is given, which files it reads and makes, and which function does its work.

Every step's settings are exactly what its function is given, so that nothing else of the flow file, and no
more of it, decides whether the step is up to date.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from dwn_asic import __version__
from dwn_asic.configuration import Strict
from dwn_asic.data.config import DataConfig
from dwn_asic.errors import ToolTimeoutError
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.files import content_digest
from dwn_asic.flow.artifacts import (
    CORE,
    DATASET,
    ENCODER,
    FITTED,
    FRONT,
    FRONT_GRAPHS,
    GRAPH,
    IMPLEMENTATION,
    LOG,
    MATCH,
    MINIMIZED,
    NETWORK,
    PREDICTIONS,
    VERIFIED,
    FittedRecord,
    FrontRow,
    ImplementationRecord,
    MatchRecord,
    MinimizedPart,
    MinimizedRecord,
    VerifiedCheck,
    text_artifact,
)
from dwn_asic.flow.engine import Step, Workspace
from dwn_asic.methods.base import Plan
from dwn_asic.methods.registry import method
from dwn_asic.metrics import CORE as CORE_AREA
from dwn_asic.metrics import TEST, TOTAL, VAL
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.targets.registry import target_kind
from dwn_asic.verilog.config import HardwareConfig

if TYPE_CHECKING:
    from dwn_asic.optimize.exact.minimize import Minimized
    from dwn_asic.targets.base import Target

__all__ = [
    "SHRUNK",
    "TargetSettings",
    "circuit_steps",
    "data_step",
    "fit_step",
    "import_step",
    "match_folder",
    "match_step",
    "shrink_step",
    "train_step",
    "versions",
]

SHRUNK = "shrunk"
"""Folder of the shrunk circuit, inside that of its exact one."""
_MATCHES = f"{SHRUNK}/match/"
_CODES = 4096
"""Random rows on which a trained model without data is compared with its graph."""

Tolerated = tuple[type[ToolTimeoutError], ...]


# ---- what steps read beside files --------------------------------------------------------------------------
@dataclass(frozen=True)
class TargetSettings:
    """Which target, with which options."""

    kind: str
    synthesis: Strict
    hardware: HardwareConfig

    def open(self) -> Target:
        """The target; raises as its kind says."""
        return target_kind(self.kind).open(self.synthesis, self.hardware)

    @property
    def environment(self) -> Mapping[str, str]:
        """Content of PDK files, versions of tools."""
        return target_kind(self.kind).environment(self.synthesis)

    @property
    def costs(self) -> TargetSettings:
        """Only the options that decide what circuits cost; the others have their defaults."""
        kind = target_kind(self.kind)
        options = {key: getattr(self.synthesis, key) for key in kind.cost_options}
        return replace(self, synthesis=kind.config.model_validate(options))


def versions(*packages: str) -> dict[str, str]:
    """Versions of distributions; one that is not installed says so."""
    found = {"dwn-asic": __version__}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


# ---- data --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class DataSettings:
    """The sections that decide the rows and their codes."""

    data: DataConfig
    input_bits: int
    seed: int


def _data(settings: DataSettings, space: Workspace) -> None:
    from dwn_asic.data.dataset import prepare
    from dwn_asic.encode.config import EncoderConfig

    encoder = EncoderConfig(input_bits=settings.input_bits)
    dataset = prepare(settings.data, encoder, settings.seed)
    space.put(DATASET, dataset)
    table, split = dataset.table, dataset.split
    space.reporter.message(
        f"data: {table.source}, {len(table.feature_names)} features, {table.n_classes} classes, "
        f"{len(split.train)} / {len(split.val)} / {len(split.test)} rows to train / validate / test"
    )
    for note in table.notes:
        space.reporter.message(f"data: {note}")


def _data_environment(settings: DataSettings) -> Mapping[str, str]:
    from dwn_asic.data.sources import data_file

    table = data_file(settings.data)
    content = content_digest(table) if table is not None and table.exists() else ""
    return {**versions("scikit-learn"), "table": content}


def data_step(settings: DataSettings) -> Step[DataSettings]:
    """Load the table, split it, fit the quantizer."""
    return Step("data", "", settings, _data, (), (DATASET,), environment=_data_environment)


# ---- a trained model ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ImportSettings:
    """Which model, and which rows it is for, if any."""

    model: ImportConfig
    data: DataConfig | None
    seed: int


def _import(settings: ImportSettings, space: Workspace) -> None:
    """The model's own thermometer gives the codes, of the rows too."""
    import numpy as np

    from dwn_asic.boolean.convert import to_graph
    from dwn_asic.data.dataset import Dataset, split_table
    from dwn_asic.data.table import Split, Table
    from dwn_asic.equivalence.check import check_rows
    from dwn_asic.exchange.torch_dwn import read_model

    config = settings.model
    found = split_table(settings.data, settings.seed) if settings.data is not None else None
    taken = read_model(
        config.model_path,
        thresholds=config.thresholds_path,
        n_classes=config.classes,
        n_features=config.features,
        input_bits=config.input_bits,
        values=None if found is None else found[0].values,
        feature_names=None if found is None else found[0].feature_names,
        class_names=None if found is None else found[0].class_names,
    )
    network, graph = taken.network, to_graph(taken.network)
    if found is None:
        none = np.empty(0, np.int64)
        shape = (0, len(network.feature_names))
        table = Table("no data", np.empty(shape), none, network.feature_names, network.class_names)
        found = table, Split(none, none, none)
        codes = np.random.default_rng(0).integers(0, 1 << network.quantizer.bits, (_CODES, shape[1]))
        check_rows("model == graph", network.predict(codes), graph.predict(codes), codes, graph.interface)
    dataset = Dataset(*found, network.quantizer)
    space.put(DATASET, dataset)
    space.put(NETWORK, network)
    space.put(GRAPH, graph)
    space.put(PREDICTIONS, network.predict(dataset.codes))
    sizes = "-".join(str(layer.n_luts) for layer in network.layers)
    fan_ins = ",".join(str(layer.n_inputs) for layer in network.layers)
    label = f"DWN {sizes} ({fan_ins}-input LUTs), imported"
    space.put(FITTED, FittedRecord("dwn", label, "dwn", {"head": network.head.kind, "file": config.file}))
    text = f"import: {config.file}, {label}, {len(network.feature_names)} features, codes of "
    text += f"{network.quantizer.bits.min()} to {network.quantizer.bits.max()} bits"
    space.reporter.message(text)
    if taken.rows is not None:
        space.reporter.message(
            f"import: {taken.changed} of {taken.rows} rows are decided otherwise than by the real thresholds"
        )


def _import_environment(settings: ImportSettings) -> Mapping[str, str]:
    config = settings.model
    files = {"model": config.model_path, "thresholds": config.thresholds_path}
    if settings.data is not None:
        from dwn_asic.data.sources import data_file

        files["table"] = data_file(settings.data)
    contents = {
        name: content_digest(path) for name, path in files.items() if path is not None and path.exists()
    }
    return {**versions("numpy", "torch"), **contents}


def import_step(settings: ImportSettings) -> Step[ImportSettings]:
    """Take a trained network in place of data and training."""
    outputs = (DATASET, NETWORK, GRAPH, PREDICTIONS, FITTED)
    return Step("import", "", settings, _import, (), outputs, environment=_import_environment)


# ---- methods -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class FitSettings:
    """A method with its options."""

    plan: Plan
    seed: int


def _fit(settings: FitSettings, space: Workspace) -> None:
    from dwn_asic.data.accuracy import accuracies

    dataset, plan = space.get(DATASET), settings.plan
    fitted = plan.fit(dataset, settings.seed, lambda line: space.reporter.progress(plan.name, 0, 1, line))
    if fitted.graph is not None:
        space.put(GRAPH, fitted.graph)
    space.put(PREDICTIONS, fitted.predictions)
    space.put(FITTED, FittedRecord(fitted.name, fitted.label, fitted.kind, dict(fitted.details)))
    if fitted.graph is None:
        found = accuracies(dataset, fitted.predictions)
        space.reporter.message(f"{_who(space.folder)}: {_summary(found)}")


def _train(settings: FitSettings, space: Workspace) -> None:
    """As :func:`_fit`, and the LUT network beside the graph."""
    said = [""]

    def progress(line: str) -> None:
        said[0] = line
        space.reporter.progress("training", 0, 1, line)

    fitted = settings.plan.fit(space.get(DATASET), settings.seed, progress)
    assert fitted.graph is not None
    assert fitted.network is not None
    space.put(NETWORK, fitted.network)
    space.put(GRAPH, fitted.graph)
    space.put(PREDICTIONS, fitted.predictions)
    space.put(FITTED, FittedRecord(fitted.name, fitted.label, fitted.kind, dict(fitted.details)))
    space.reporter.message(f"train: {said[0]}")


def _method_environment(settings: FitSettings) -> Mapping[str, str]:
    return versions("numpy", *method(settings.plan.kind).packages)


def fit_step(folder: str, plan: Plan, seed: int) -> Step[FitSettings]:
    """Fit a baseline; a method that is software has no graph."""
    graph = () if method(plan.kind).software else (GRAPH,)
    outputs = (*graph, PREDICTIONS, FITTED)
    settings = FitSettings(plan, seed)
    return Step("fit", folder, settings, _fit, (DATASET,), outputs, environment=_method_environment)


def train_step(plan: Plan, seed: int) -> Step[FitSettings]:
    """Fit our own network."""
    outputs = (NETWORK, GRAPH, PREDICTIONS, FITTED)
    settings = FitSettings(plan, seed)
    return Step("train", "", settings, _train, (DATASET,), outputs, environment=_method_environment)


# ---- a graph's way to a proved implementation --------------------------------------------------------------
@dataclass(frozen=True)
class MinimizeSettings:
    """What exact minimization is given."""

    target: TargetSettings
    minimize: MinimizeConfig


def _minimize(settings: MinimizeSettings, space: Workspace) -> None:
    from dwn_asic.boolean.measure import measure
    from dwn_asic.optimize.exact.minimize import minimize_parts

    graph, config = space.get(GRAPH), settings.minimize
    core, encoder = minimize_parts(
        graph,
        settings.target.open().cost,
        effort=config.effort,
        timeout_s=config.timeout_s,
        budget_s=config.budget_s,
    )
    record = MinimizedRecord(_part(core, len(graph.luts)), _part(encoder, 0), measure(core.graph))
    space.put(CORE, core.graph)
    space.put(ENCODER, encoder.graph)
    space.put(MINIMIZED, record)
    if not space.folder:
        space.reporter.message(
            f"minimize: {record.core.luts_before} LUTs -> {record.core.and_count} AND nodes; "
            f"core about {record.core.cost:.1f} um2; proved equal"
        )


def _part(found: Minimized, luts_before: int) -> MinimizedPart:
    from dwn_asic.boolean.aig import and_count

    tried = [(candidate.script, candidate.area) for candidate in found.candidates]
    return MinimizedPart(found.area, and_count(found.graph), luts_before, found.proof_seconds, tried)


@dataclass(frozen=True)
class ImplementSettings:
    """What a target is given."""

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
    space.put(LOG, built.log)
    space.put(IMPLEMENTATION, ImplementationRecord(built.name, dict(built.metrics), built.summary))
    if not space.folder:
        space.reporter.message(f"implement: {built.summary}")


@dataclass(frozen=True)
class VerifySettings:
    """What verification is given."""

    target: TargetSettings


def _verify(settings: VerifySettings, space: Workspace) -> None:
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.data.accuracy import accuracies
    from dwn_asic.targets.base import Implementation, Specification

    record, dataset = space.get(IMPLEMENTATION), space.get(DATASET)
    files = target_kind(settings.target.kind).files
    built = Implementation(
        record.name,
        {name: space.get(text_artifact(name)) for name in files},
        record.metrics,
        record.summary,
    )
    circuit = Circuit(space.get(ENCODER), space.get(CORE))
    wanted = Specification(space.get(GRAPH), circuit, dataset.codes, space.get(PREDICTIONS))
    proof = settings.target.open().verify(built, wanted)
    space.put(VERIFIED, tuple(VerifiedCheck(**asdict(check)) for check in proof.checks))
    if space.folder:
        found = {**record.metrics, **accuracies(dataset, wanted.predictions)}
        space.reporter.message(f"{_who(space.folder)}: {_summary(found)}")
        return
    for check in proof.checks:
        how = {
            "rows": f"on all {check.size} rows",
            "proof": "by proof",
            "simulation": f"by simulation of {check.size} rows",
        }[check.how]
        space.reporter.message(f"verify: {check.what} {how}")
    for note in proof.notes:
        space.reporter.message(f"verify: {note}")


def _who(folder: str) -> str:
    """The circuit of a folder, in messages."""
    if folder == SHRUNK:
        return "shrink"
    if folder.startswith(_MATCHES):
        return f"match {folder.removeprefix(_MATCHES)}"
    name, _, more = folder.removeprefix("baselines/").partition("/")
    return f"baseline {name}, shrunk" if more else f"baseline {name}"


def _summary(found: Mapping[str, float]) -> str:
    parts = [f"test accuracy {found[TEST]:.4f}"] if TEST in found else []
    if TOTAL in found:
        parts += [f"core {found[CORE_AREA]:.1f}, total {found[TOTAL]:.1f} NAND2-equivalents, proved"]
    return ", ".join(parts) or "proved"


def circuit_steps(
    folder: str, name: str, target: TargetSettings, minimize: MinimizeConfig, tolerates: Tolerated = ()
) -> list[Step[MinimizeSettings] | Step[ImplementSettings] | Step[VerifySettings]]:
    """From graph and predictions in a folder to a proved implementation there.

    Parameters
    ----------
    folder
        Below the run's.
    name
        Prefix of the implementation's modules.
    target, minimize
        Options.
    tolerates
        Errors that cost this circuit, but not the run.
    """
    files = tuple(map(text_artifact, target_kind(target.kind).files))
    return [
        Step(
            "minimize",
            folder,
            MinimizeSettings(replace(target.costs, hardware=HardwareConfig()), minimize),
            _minimize,
            (GRAPH,),
            (CORE, ENCODER, MINIMIZED),
            environment=_target_environment,
            tolerates=tolerates,
        ),
        Step(
            "implement",
            folder,
            ImplementSettings(name, target),
            _implement,
            (CORE, ENCODER, DATASET, PREDICTIONS),
            (*files, LOG, IMPLEMENTATION),
            environment=_target_environment,
            tolerates=tolerates,
        ),
        Step(
            "verify",
            folder,
            VerifySettings(target),
            _verify,
            (GRAPH, CORE, ENCODER, DATASET, PREDICTIONS, IMPLEMENTATION, *files),
            (VERIFIED,),
            environment=_target_environment,
            tolerates=tolerates,
        ),
    ]


def _target_environment(
    settings: MinimizeSettings | ImplementSettings | VerifySettings | ShrinkSettings,
) -> Mapping[str, str]:
    return {**versions("aigverse", "python-sat"), **settings.target.environment}


# ---- shrink ------------------------------------------------------------------------------------------------
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
        environment=_target_environment,
        tolerates=tolerates,
    )


# ---- match -------------------------------------------------------------------------------------------------
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


def match_folder(baseline: str) -> str:
    """Folder of our smallest circuit at the accuracy of a baseline."""
    return f"{_MATCHES}{baseline}"


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
