"""LutNetwork: what it predicts, what it refuses, and its file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import lut_networks, rows

from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import DataError


def example(**changes: Any) -> LutNetwork:
    """Build a network: features of 3 and 4 bits, three thermometer bits, layers of 3- and 2-input LUTs."""
    network = LutNetwork(
        Quantizer(np.zeros(2), np.ones(2), np.array([3, 4])),
        Thermometer(np.array([0, 0, 1]), np.array([1, 5, 7])),
        (
            LutLayer(np.array([[0, 1, 2], [2, 2, 0]]), np.eye(2, 8, 7, dtype=bool)),
            LutLayer(np.array([[0, 1], [1, 0]]), np.array([[0, 1, 1, 0], [0, 0, 0, 1]], bool)),
        ),
        Head("direct", "onehot", 2),
        ("a", "b"),
        ("no", "yes"),
    )
    return dataclasses.replace(network, **changes)


def same(first: LutNetwork, second: LutNetwork) -> bool:
    def arrays(network: LutNetwork) -> list[np.ndarray]:
        layers = [array for layer in network.layers for array in (layer.mapping, layer.tables)]
        q, t = network.quantizer, network.thermometer
        return [q.lo, q.step, q.bits, t.feature, t.constant, *layers]

    pairs = list(zip(arrays(first), arrays(second), strict=True))
    names = [(n.head, n.feature_names, n.class_names) for n in (first, second)]
    return names[0] == names[1] and all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)


def test_slot_0_is_the_least_significant_address_bit() -> None:
    layer = LutLayer(np.array([[2, 0]]), np.array([[False, True, False, False]]))
    bits = np.array([[0, 0, 1], [1, 0, 0], [1, 0, 1]], bool)
    assert layer.evaluate(bits)[:, 0].tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("head", "outputs", "wanted"),
    [
        (Head("direct", "binary", 2), [1], 1),
        (Head("direct", "binary", 5), [1, 0, 1], 5),  # an unused code stays as it is
        (Head("direct", "onehot", 3), [0, 1, 1], 1),  # the first set output
        (Head("direct", "onehot", 3), [0, 0, 0], 0),
        (Head("popcount", "onehot", 2), [1, 0, 1, 1], 1),
        (Head("popcount", "onehot", 2), [1, 0, 0, 1], 0),  # a tie goes to the lowest class
        # Seven outputs for three classes: groups 0-2, 3-5, and 6 padded with two zeros.
        (Head("popcount", "onehot", 3), [0, 0, 0, 0, 0, 0, 1], 2),
        (Head("popcount", "onehot", 3), [0, 0, 0, 1, 0, 0, 1], 1),
        (Head("popcount", "onehot", 3), [0, 0, 1, 1, 1, 0, 1], 1),
        # Two outputs for three classes: the last group is all padding.
        (Head("popcount", "onehot", 3), [0, 0], 0),
        (Head("popcount", "onehot", 3), [0, 1], 1),
    ],
)
def test_head_decides(head: Head, outputs: list[int], wanted: int) -> None:
    assert head.decide(np.array([outputs], bool)).tolist() == [wanted]


def test_popcount_scores_are_counts_of_contiguous_groups() -> None:
    outputs = np.array([[1, 1, 0, 1, 1, 1, 1]], bool)
    assert Head("popcount", "onehot", 3).scores(outputs).tolist() == [[2, 3, 1]]


@given(lut_networks())
def test_prediction_row_by_row(network: LutNetwork) -> None:
    codes = rows(network, 20)
    found = network.predict(codes)
    for row, got in zip(codes, found, strict=True):
        thermometer = network.thermometer
        bits = [row[f] >= c for f, c in zip(thermometer.feature, thermometer.constant, strict=True)]
        for layer in network.layers:
            addresses = [sum(int(bits[i]) << k for k, i in enumerate(wires)) for wires in layer.mapping]
            bits = [table[address] for table, address in zip(layer.tables, addresses, strict=True)]
        head = network.head
        if head.code == "binary":
            wanted = sum(int(bit) << k for k, bit in enumerate(bits))
        elif head.kind == "direct":
            wanted = bits.index(True) if any(bits) else 0
        else:
            size = -(-len(bits) // head.n_classes)
            counts = [sum(map(int, bits[c * size : (c + 1) * size])) for c in range(head.n_classes)]
            wanted = counts.index(max(counts))
        assert got == wanted


LAYER = LutLayer(np.zeros((2, 2), np.int64), np.zeros((2, 4), bool))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"layers": (dataclasses.replace(LAYER, tables=np.zeros((2, 8), bool)),)}, "layer 0: tables"),
        ({"layers": (dataclasses.replace(LAYER, tables=np.zeros((3, 4), bool)),)}, "layer 0: tables"),
        ({"layers": (dataclasses.replace(LAYER, mapping=np.zeros(2, np.int64)),)}, "layer 0: tables"),
        ({"layers": (LAYER, LutLayer(np.full((2, 2), 2), LAYER.tables))}, "layer 1: .*its 2 input bits"),
        ({"layers": (LutLayer(np.full((2, 2), -1), LAYER.tables),)}, "layer 0: .*its 3 input bits"),
        ({"layers": (LutLayer(LAYER.mapping[:1], LAYER.tables[:1]),)}, "needs 2 outputs.*has 1"),
        ({"class_names": ("one",)}, "1 class names, the head has 2"),
        ({"feature_names": ("one",)}, "1 feature names, the quantizer has 2"),
        ({"thermometer": Thermometer(np.array([0, 0, 2]), np.array([1, 5, 7]))}, "outside its 2 features"),
    ],
)
def test_parts_that_do_not_fit(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        example(**changes)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(network=lut_networks())
def test_file_round_trip(network: LutNetwork, tmp_path: Path) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    network.save(first)
    loaded = LutNetwork.load(first)
    loaded.save(second)
    assert second.read_bytes() == first.read_bytes()
    assert same(loaded, network)


def test_any_damage_is_noticed(tmp_path: Path) -> None:
    """A flipped byte raises a DataError, or lies where nobody reads (the archive's dates)."""
    network, path = example(), tmp_path / "network.npz"
    network.save(path)
    whole = path.read_bytes()
    refused = 0
    for position in range(0, len(whole), 2):
        for mask in (0x01, 0xFF):
            damaged = bytearray(whole)
            damaged[position] ^= mask
            path.write_bytes(damaged)
            try:
                assert same(LutNetwork.load(path), network)
            except DataError:
                refused += 1
    assert refused > len(whole) // 2
    for length in range(0, len(whole), 10):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="not a LUT network file"):
            LutNetwork.load(path)


def _archive(**arrays: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **arrays)

    return write


def _npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (lambda path: path.write_bytes(b""), "not a LUT network"),
        (lambda path: path.write_text("garbage"), "not a LUT network"),
        (_npy, "not a LUT network"),
        (_archive(other=np.zeros(1)), "meta"),
        (_archive(meta=np.frombuffer(b"{", np.uint8)), "JSONDecodeError"),
        (_archive(meta=np.frombuffer(b'{"format": 9}', np.uint8)), "network format 9, this version reads 1"),
        (_archive(meta=np.array([{}], object)), "allow_pickle|Object arrays"),
    ],
)
def test_not_a_network_file(write: Callable[[Path], None], problem: str, tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    write(path)
    with pytest.raises(DataError, match=problem):
        LutNetwork.load(path)


def test_missing_network_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.npz: not a LUT network file"):
        LutNetwork.load(tmp_path / "none.npz")
