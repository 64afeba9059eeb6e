"""Circuits that the front of shrink has, whatever annealing found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface, Lut
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.errors import DataError
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.shrink import gate_prices, search, shrink
from dwn_asic.targets.asic.cost import CellCost


def alike(codes: NDArray[np.int64], labels: NDArray[np.int64]) -> Dataset:
    """Make a data set whose training, validation and test rows are all these (N, F) bits."""
    n_rows, n_features = codes.shape
    names = tuple("xyz"[:n_features])
    values, all_labels = np.tile(codes.astype(float), (3, 1)), np.tile(labels, 3)
    return Dataset(
        Table("test", values, all_labels, names, ("no", "yes")),
        Split(*np.split(np.arange(3 * n_rows), 3)),
        Quantizer(np.zeros(n_features), np.ones(n_features), np.ones(n_features, np.int64)),
    )


def test_a_constant_is_on_every_front(cost: CellCost) -> None:
    codes = np.arange(200)[:, None] % 2
    labels = (codes[:, 0] == 0) & (np.arange(200) % 20 != 0)
    builder = GraphBuilder(Interface(("x",), (1,), ("no", "yes")))
    start = builder.finish([builder.add(Lut((builder.add(CodeBit(0, 0)),), 0b01))])
    config = ShrinkConfig(prices=(4.0,), temperatures=(0.5,), proposals=500)
    dataset = alike(codes, labels.astype(np.int64))
    found = shrink([start], dataset, cost, config, 0, limits=MinimizeConfig())
    areas = {bool(each.graph.inputs): each.core + each.encoder for each in found.circuits}
    assert areas[False] == 0.0
    assert areas[True] > 0.0  # the inverter, which the annealing does not count


def test_validation_rows_are_needed(cost: CellCost) -> None:
    dataset = alike(np.arange(20)[:, None] % 2, np.arange(20) % 2)
    split = Split(np.arange(20), np.arange(0), np.arange(20, 60))
    builder = GraphBuilder(Interface(("x",), (1,), ("no", "yes")))
    start = builder.finish([builder.add(CodeBit(0, 0))])
    with pytest.raises(DataError, match="the val part of the split has no rows"):
        shrink([start], replace(dataset, split=split), cost, ShrinkConfig(), 0, limits=MinimizeConfig())


def test_a_nand_stays_beside_the_or_of_an_inverted_input_that_does_better(cost: CellCost) -> None:
    codes = np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(-1, 3).repeat(50, axis=0)
    a, b, c = codes.T
    place = np.arange(len(codes)) % 10
    better = (place % 2 == 0) | (place == 1)  # six rows of ten
    labels = np.where(better, 1 - (b & (1 - c)), 1 - (a & b))
    builder = GraphBuilder(Interface(("x", "y", "z"), (1, 1, 1), ("no", "yes")))
    start = builder.finish([builder.add(Lut(tuple(builder.add(CodeBit(f, 0)) for f in (1, 2)), 0b1101))])
    config = ShrinkConfig(prices=(128.0,), temperatures=(0.5,), proposals=500)
    front = shrink([start], alike(codes, labels), cost, config, 0, limits=MinimizeConfig())
    found = {each.core: each.val for each in front.circuits}
    assert found[1.0] == 0.85
    assert max(found.values()) == 0.9
    assert min(area for area, val in found.items() if val == 0.9) > 1.0


def test_the_front_is_the_best_of_all_starts(cost: CellCost) -> None:
    codes = np.stack(np.meshgrid(*[np.arange(2)] * 4), axis=-1).reshape(-1, 4).repeat(20, axis=0)
    names = ("w", "x", "y", "z")
    dataset = Dataset(
        Table(
            "test", codes.repeat(3, axis=0).astype(float), codes.sum(1).repeat(3) % 2, names, ("no", "yes")
        ),
        Split(*np.arange(3 * len(codes)).reshape(-1, 3).T),
        Quantizer(np.zeros(4), np.ones(4), np.ones(4, np.int64)),
    )
    one, four = (_parity(Interface(names, (1,) * 4, ("no", "yes")), inputs) for inputs in (1, 4))
    # So cold a chain only drops what is redundant, and no single LUT of three inputs is the parity of four.
    config = ShrinkConfig(prices=(1000.0,), temperatures=(0.11,), proposals=2000, judges=("labels",))
    for starts in ({"one": one, "four": four}, {"four": four, "one": one}):
        found = shrink([*starts.values()], dataset, cost, config, 0, limits=MinimizeConfig(), names=[*starts])
        assert {each.start for each in found.circuits if each.train == 1.0} == {"four"}
        assert found.chosen.start == "four"
    alone = shrink([four], dataset, cost, config, 0, limits=MinimizeConfig())
    assert {each.start for each in alone.circuits} == {""}


def _parity(interface: Interface, inputs: int) -> BooleanGraph:
    """Return the parity of some inputs, as ``p or (p and the first input)``."""
    builder = GraphBuilder(interface)
    bits = tuple(builder.add(CodeBit(f, 0)) for f in range(inputs))
    table = sum((address.bit_count() & 1) << address for address in range(1 << inputs))
    parity = builder.add(Lut(bits, table))
    redundant = builder.add(Lut((parity, bits[0]), 0b1000))
    return builder.finish([builder.add(Lut((parity, redundant), 0b1110))])


def test_the_circuits_of_one_start_do_not_drop_those_of_another(cost: CellCost) -> None:
    codes = np.stack(np.meshgrid(*[np.arange(2)] * 4), axis=-1).reshape(-1, 4).repeat(5, axis=0)
    four = _parity(Interface(("w", "x", "y", "z"), (1,) * 4, ("no", "yes")), 4)
    config = ShrinkConfig(prices=(1000.0,), temperatures=(0.11,), proposals=2000, judges=("labels",))
    rows = codes, codes.sum(1) % 2

    def starts(names: list[str]) -> list[str]:
        found = search([four, four], rows, config, gate_prices(config, cost), 0, names=names)
        return [each.start for each in found if not each.errors]

    assert starts([]) == [""]  # of two circuits alike one is left
    assert starts(["one", "other"]) == ["one", "other"]


def test_a_front_keeps_no_more_circuits_than_asked_for(cost: CellCost) -> None:
    codes = np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(-1, 3).repeat(40, axis=0)
    labels = (codes.sum(axis=1) >= 2).astype(np.int64)
    builder = GraphBuilder(Interface(("x", "y", "z"), (1, 1, 1), ("no", "yes")))
    start = builder.finish(
        [builder.add(Lut(tuple(builder.add(CodeBit(f, 0)) for f in range(3)), 0b11101000))]
    )
    fronts = [
        shrink(
            [start],
            alike(codes, labels),
            cost,
            ShrinkConfig(prices=(0.5, 128.0), temperatures=(0.5,), proposals=2000, circuits=most),
            0,
            limits=MinimizeConfig(),
        )
        for most in (24, 1)
    ]
    every, few = ({(each.core, each.val) for each in front.circuits} for front in fronts)
    assert len(few) < len(every)
    assert few < every
    assert fronts[1].chosen.val == fronts[0].chosen.val  # the choice is made before
