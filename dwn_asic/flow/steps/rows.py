"""The steps that make the data set: from a table, or from a trained model with or without a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.data.config import DataConfig, ObjectiveConfig
from dwn_asic.encode.config import QuantizerConfig
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.files import content_digest
from dwn_asic.flow.artifacts import (
    DATASET,
    FITTED,
    GRAPH,
    NETWORK,
    PREDICTIONS,
    FittedRecord,
)
from dwn_asic.flow.step import Step, Workspace
from dwn_asic.flow.steps.shared import source_names, versions

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["DataSettings", "ImportSettings", "data_step", "import_step"]


_CODES = 4096
"""Number of random rows on which a trained model without data is compared with its graph."""


@dataclass(frozen=True)
class DataSettings:
    """The settings of the data step: sections that determine rows, split, codes and objective, and seed."""

    data: DataConfig
    quantizer: QuantizerConfig
    seed: int
    objective: ObjectiveConfig


def _data(settings: DataSettings, space: Workspace) -> None:
    from dwn_asic.data.dataset import prepare

    dataset = prepare(settings.data, settings.quantizer, settings.seed, settings.objective)
    space.put(DATASET, dataset)
    table, split = dataset.table, dataset.split
    sources = source_names(settings.data)
    space.reporter.message(
        f"data: {sources}, {len(table.feature_names)} features, {table.n_classes} classes, "
        f"{len(split.train)} / {len(split.val)} / {len(split.test)} rows to train / validate / test"
    )
    for note in table.notes:
        space.reporter.message(f"data: {note}")
    _tell_objective(dataset, space)
    _tell_scaling(dataset, space)


def _tell_objective(dataset: Dataset, space: Workspace) -> None:
    """Report an objective other than accuracy."""
    objective = dataset.objective
    if objective.metric == "accuracy":
        return
    of = "" if objective.positive is None else f" of class {dataset.table.class_names[objective.positive]}"
    space.reporter.message(f"objective: {objective.name}{of}")


def _tell_scaling(dataset: Dataset, space: Workspace) -> None:
    from dwn_asic.data.scaling import scaling_lines

    space.reporter.message("scaling: code = (value - value of code 0) / step, rounded and clipped")
    for line in scaling_lines(dataset.table, dataset.quantizer):
        space.reporter.message(f"scaling: {line}")


def _contents(data: DataConfig) -> Mapping[str, str]:
    """Return a digest of each file that rows are read from, empty if the file does not exist."""
    from dwn_asic.data.sources import data_files

    return {
        f"{key}_table": content_digest(path) if path.exists() else ""
        for key, path in data_files(data).items()
    }


def _data_environment(settings: DataSettings) -> Mapping[str, str]:
    return {**versions("scikit-learn"), **_contents(settings.data)}


def data_step(settings: DataSettings) -> Step[DataSettings]:
    """Return the step that reads the table, splits it and fits the quantizer."""
    return Step("data", "", settings, _data, (), (DATASET,), environment=_data_environment)


@dataclass(frozen=True)
class ImportSettings:
    """The settings of the import: the trained model, the rows to use it on, if any, seed and objective."""

    model: ImportConfig
    data: DataConfig | None
    seed: int
    objective: ObjectiveConfig


def _import(settings: ImportSettings, space: Workspace) -> None:
    """Read the trained model, whose thermometer determines the codes, and the rows, if any."""
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
    if settings.data is not None:
        dataset = dataset.with_objective(settings.objective)
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
    _tell_scaling(dataset, space)
    if taken.rows is not None:
        space.reporter.message(
            f"import: predictions differ from those with the real-valued thresholds on {taken.changed} of "
            f"{taken.rows} rows"
        )


def _import_environment(settings: ImportSettings) -> Mapping[str, str]:
    config = settings.model
    files = {"model": config.model_path, "thresholds": config.thresholds_path}
    contents = {
        name: content_digest(path) for name, path in files.items() if path is not None and path.exists()
    }
    tables = {} if settings.data is None else _contents(settings.data)
    return {**versions("numpy", "torch"), **contents, **tables}


def import_step(settings: ImportSettings) -> Step[ImportSettings]:
    """Return the step that imports a trained network, in place of the steps of data and training."""
    outputs = (DATASET, NETWORK, GRAPH, PREDICTIONS, FITTED)
    return Step("import", "", settings, _import, (), outputs, environment=_import_environment)
