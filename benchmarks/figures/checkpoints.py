"""Topic ``house``: chips of imported checkpoints, compared with the Verilog that dwn2rtl makes of them.

Three checkpoints in the format of dwn2rtl are trained here. Each of their real thresholds is a value of a
training row, as in the distributive thermometer of torch_dwn. Their reference predictions use the real
thresholds in single precision.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import dwn2rtl
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.figures.kept import FOLDER, kept
from benchmarks.figures.table import Row, row
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.data.config import DataConfig
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.sources import load_table
from dwn_asic.data.split import stratified_split
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.exchange.layers import write_layers
from dwn_asic.exchange.torch_dwn import Import, read_model
from dwn_asic.flow import Reporter, open_flow, run_flow
from dwn_asic.flow.artifacts import RESULT
from dwn_asic.flow.chip import chip_flow
from dwn_asic.methods.dwn.config import LayerConfig, ModelConfig, TrainingConfig
from dwn_asic.methods.dwn.fit import train
from dwn_asic.metrics import TEST
from dwn_asic.study.tables import geometric_mean
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.yosys import plain_area

__all__ = ["CHECKPOINTS", "MEASUREMENTS", "Checkpoint", "changed", "checkpoint", "chip"]

Floats = NDArray[np.floating[Any]]

CHECKPOINTS = {
    "segment": ("bundled:segment", 42, 16),
    "phoneme": ("bundled:phoneme", 40, 32),
    "digits": ("sklearn:digits", 40, 8),
}
"""Source, number of 6-input LUTs before the popcount, and thermometer bits per feature of each checkpoint.
The features are partly fractions of few pixels (segment), continuous (phoneme) and grey levels (digits)."""

_RTL = (
    "lut_node.v",
    "popcount.v",
    "argmax.v",
    "pipe_reg.v",
    "dwn_core.v",
    "thermometer_encoder.v",
    "dwn_top.v",
)
"""Files of a design of dwn2rtl, without its testbenches."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint in the format of dwn2rtl, and the data that it was trained on.

    Attributes
    ----------
    path
        Path of the checkpoint.
    table
        Table of all rows.
    train, test
        Numbers of the training and the test rows; validation rows are in neither.
    predictions
        (N,) class indices that the stored model predicts.
    """

    path: Path
    table: Table
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    predictions: NDArray[np.int64]

    def read(self, *, with_data: bool, input_bits: int = 16) -> Import:
        """Import the network, with codes fitted on all rows of the data or on the thresholds alone."""
        return read_model(self.path, input_bits=input_bits, values=self.table.values if with_data else None)


@cache
def checkpoint(name: str) -> Checkpoint:
    """Train the network of :data:`CHECKPOINTS` and write its file below ``build/figures/checkpoints``."""
    source, luts, z = CHECKPOINTS[name]
    table = load_table(DataConfig(source=source))
    split = stratified_split(table.labels, val=0.1, test=0.2, seed=0)
    values = table.values.astype(np.float32)
    seen = [np.unique(column) for column in values[split.train].T]
    network = _trained(_ranked(table, split, values, seen), luts, z)
    feature, constant = network.thermometer.feature, network.thermometer.constant
    # A rank is at least c if the value is above the value of rank c - 1.
    cuts = np.array([seen[f][c - 1] for f, c in zip(feature, constant, strict=True)], np.float32)
    path = FOLDER / "checkpoints" / f"{name}.pt"
    _write(network, cuts, path)
    bits = values[:, feature] > cuts
    for layer in network.layers:
        bits = layer.evaluate(bits)
    return Checkpoint(path, table, split.train, split.test, network.head.decide(bits))


def _ranked(table: Table, split: Split, values: Floats, seen: list[Floats]) -> Dataset:
    """Build a data set whose codes are ranks among the values of training rows, rounded down in between."""
    columns = zip(values.T, seen, strict=True)
    ranks = [np.searchsorted(known, column, side="right") - 1 for column, known in columns]
    widths = np.array([max(1, (len(known) - 1).bit_length()) for known in seen])
    codes = np.stack(ranks, axis=1).clip(0).astype(np.float64)
    return Dataset(
        replace(table, values=codes), split, Quantizer(np.zeros(len(seen)), np.ones(len(seen)), widths)
    )


def _trained(dataset: Dataset, luts: int, z: int) -> LutNetwork:
    model = ModelConfig(layers=(LayerConfig(luts=luts, inputs=(6,)),), head="popcount", temperature=2.0)
    training = TrainingConfig(epochs=40, restarts=1, batch_size=256, learning_rate=0.03)
    return train(dataset, EncoderConfig(bits=z), model, training, seed=0).network


def _write(network: LutNetwork, cuts: Floats, path: Path) -> None:
    """Write a checkpoint as ``dwn2rtl.save`` does, with (T,) thresholds of the network's thermometer."""
    feature, n_features = network.thermometer.feature, network.quantizer.n_features
    counts = np.bincount(feature, minlength=n_features)
    z = int(counts.max())
    thresholds = np.zeros((n_features, z), np.float32)
    for f in np.flatnonzero(counts):
        own = cuts[feature == f]
        thresholds[f] = np.append(own, np.repeat(own[-1], z - len(own)))
    places = feature * z + np.arange(len(feature)) - (np.cumsum(counts) - counts)[feature]
    (layer,) = network.layers
    content = {
        "config": {
            "n": layer.n_inputs,
            "num_classes": network.head.n_classes,
            "layers": [layer.n_luts],
            "thermometer_bits": z,
        },
        "state_dict": write_layers((replace(layer, mapping=places[layer.mapping]),)),
        "thermometer": {"thresholds": torch.from_numpy(thresholds)},
        "scaler": None,
        "results": {},
        "run_name": path.stem,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)


def changed(name: str, *, with_data: bool) -> int:
    """Count the test rows on which the imported network and the stored model differ."""
    kept_rows = checkpoint(name)
    network = kept_rows.read(with_data=with_data).network
    codes = network.quantizer.codes(kept_rows.table.values[kept_rows.test])
    return int((network.predict(codes) != kept_rows.predictions[kept_rows.test]).sum())


def chip(name: str, *, with_data: bool) -> dict[str, float]:
    """Measure the result of ``dwn-asic chip`` for the file: areas in um2 and, with data, test accuracies.

    ``area`` is the total area of the chip, which is shrunk if there is data. ``dwn2rtl`` is the area of the
    design of dwn2rtl after plain synthesis with Yosys. Neither has registers.
    """
    return kept(f"checkpoints/{name}-{'data' if with_data else 'alone'}", lambda: _chip(name, with_data))


def _chip(name: str, with_data: bool) -> dict[str, float]:
    path, source = checkpoint(name).path, CHECKPOINTS[name][0]
    build = FOLDER / "checkpoints" / ("data" if with_data else "alone")
    flow = open_flow(chip_flow(path, build, data=source if with_data else None, name=name), build)
    run_flow(flow, Reporter())
    rows = {method.kind: method.metrics for method in flow.read(RESULT).methods}
    library = load_pdk("sky130hd").library
    found = {
        "area": float(rows["shrunk" if with_data else "exact"]["design__instance__area"]),
        "dwn2rtl": plain_area(foreign_verilog(path), "dwn_top", library),
    }
    if with_data:
        found |= {kind: float(rows[kind][TEST]) for kind in ("exact", "shrunk")}
    return found


def foreign_verilog(path: Path) -> str:
    """Return the Verilog that dwn2rtl makes of a checkpoint, without registers; its top is ``dwn_top``."""
    with tempfile.TemporaryDirectory() as folder:
        dwn2rtl.build(str(path), folder, pipeline=dwn2rtl.Pipeline(enc=0, lut=0, pop=0, out=0))
        return "\n".join((Path(folder) / file).read_text() for file in _RTL)


def decisions() -> Iterator[Row]:
    """Count the test rows on which the imported networks and the stored models differ."""
    rows = sum(len(checkpoint(name).test) for name in CHECKPOINTS)
    what = f"test rows of {len(CHECKPOINTS)} dwn2rtl checkpoints on which the imported network differs"
    with_data = sum(changed(name, with_data=True) for name in CHECKPOINTS)
    without = sum(changed(name, with_data=False) for name in CHECKPOINTS)
    yield row("house.checkpoint_changed_with_data", f"{what}, codes fitted on data", with_data, "", "<= 0")
    yield row(
        "house.checkpoint_changed_without_data",
        f"{what}, no data",
        1000 * without / rows,
        "per mille",
        "<= 1",
    )


def areas() -> Iterator[Row]:
    """Compare the area of our chip with that of dwn2rtl's own Verilog."""
    found = [chip(name, with_data=False) for name in CHECKPOINTS]
    ratios = [each["area"] / each["dwn2rtl"] for each in found]
    what = "area of a checkpoint's chip, no data, over that of dwn2rtl's own Verilog, both without registers"
    yield row("house.checkpoint_area", f"{what}: geometric mean of {len(ratios)}", geometric_mean(ratios))
    yield row("house.checkpoint_area_worst", f"{what}: worst checkpoint", max(ratios), "", "<= 0.7")


def shrunk() -> Iterator[Row]:
    """Compare the areas with data, after shrinking, and measure the accuracy that this costs."""
    found = [chip(name, with_data=True) for name in CHECKPOINTS]
    ratio = geometric_mean([each["area"] / each["dwn2rtl"] for each in found])
    what = f"shrunk chips of {len(found)} checkpoints, with data"
    over = f"{what}: area over that of dwn2rtl's own Verilog, geometric mean"
    yield row("house.checkpoint_shrunk_area", over, ratio, "", "<= 0.11")
    losses = [100.0 * (each["exact"] - each["shrunk"]) for each in found]
    lost = f"{what}: loss of test accuracy against the checkpoint, "
    yield row("house.checkpoint_shrunk_loss", f"{lost}mean", sum(losses) / len(losses), "points", "<= 0.5")
    yield row("house.checkpoint_shrunk_loss_worst", f"{lost}worst checkpoint", max(losses), "points")


MEASUREMENTS = {
    "house.checkpoint_changed_with_data": decisions,
    "house.checkpoint_changed_without_data": decisions,
    "house.checkpoint_area": areas,
    "house.checkpoint_area_worst": areas,
    "house.checkpoint_shrunk_area": shrunk,
    "house.checkpoint_shrunk_loss": shrunk,
    "house.checkpoint_shrunk_loss_worst": shrunk,
}
"""Id of each figure, and the function that measures it; a function may measure several figures."""
