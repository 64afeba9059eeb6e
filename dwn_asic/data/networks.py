"""LUT networks for the features and classes of a data set."""

from __future__ import annotations

from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.data.dataset import Dataset
from dwn_asic.encode.thermometer import Thermometer

__all__ = ["popcount_network"]


def popcount_network(dataset: Dataset, thermometer: Thermometer, layers: tuple[LutLayer, ...]) -> LutNetwork:
    """Return a network of tables over thermometer bits in which each class counts its group of outputs."""
    table = dataset.table
    head = Head("popcount", "onehot", table.n_classes)
    return LutNetwork(dataset.quantizer, thermometer, layers, head, table.feature_names, table.class_names)
