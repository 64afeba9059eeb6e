"""Packing of codes into bytes, and the choice of tiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_projects import circuit_of, sky130

from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import CodeBit, GraphBuilder, Interface
from dwn_asic.errors import DwnAsicError
from dwn_asic.targets.asic.tinytapeout.protocol import Protocol, protocol_of
from dwn_asic.targets.asic.tinytapeout.tiles import TILES, bit_names, chosen_tile


def reading(read: list[list[int]], classes: int = 2) -> Circuit:
    """Return a circuit that reads some bits of each feature; its class is the first of them."""
    interface = Interface(
        tuple(f"f{k}" for k in range(len(read))), (16,) * len(read), tuple(f"c{k}" for k in range(classes))
    )
    encoder = GraphBuilder(interface)
    bits = [CodeBit(feature, bit) for feature, those in enumerate(read) for bit in those]
    nodes = [encoder.add(bit) for bit in bits]
    core = GraphBuilder(interface)
    inputs = [core.add(bit) for bit in bits]
    width = interface.class_bits
    return Circuit(encoder.finish(nodes), core.finish(inputs[:1] * width))


some_bits = st.lists(
    st.lists(st.integers(0, 15), min_size=1, max_size=5, unique=True).map(sorted), min_size=1, max_size=12
)


@given(some_bits, st.integers(0, 2**32 - 1))
def test_bytes_hold_every_bit_that_is_read_once(read: list[list[int]], seed: int) -> None:
    protocol = protocol_of(reading(read))
    places = [(f.byte, f.offset + k) for f in protocol.fields for k in range(f.width)]
    assert len(places) == len(set(places))
    assert all(bit < 8 for _, bit in places)
    held = {(f.feature, f.low + k): (f.byte, f.offset + k) for f in protocol.fields for k in range(f.width)}
    codes = np.random.default_rng(seed).integers(0, 1 << 16, (5, len(read)))
    packed = protocol.bytes_of(codes)
    assert packed.shape == (5, protocol.n_bytes)
    for feature, bits in enumerate(read):
        for bit in bits:
            byte, place = held[feature, bit]
            assert ((packed[:, byte] >> place & 1) == (codes[:, feature] >> bit & 1)).all()
    assert protocol.parallel == (protocol.n_bytes <= 2)
    if not protocol.parallel:
        assert protocol.n_bytes <= 1 << protocol.address_bits < 2 * protocol.n_bytes


def test_fields_share_bytes_and_take_two() -> None:
    protocol = protocol_of(reading([[2], [0, 6], [1, 10], [3, 5], [0, 1]]))
    assert [(f.feature, f.byte, f.offset, f.low, f.width) for f in protocol.fields] == [
        (0, 0, 0, 2, 1), (1, 0, 1, 0, 7), (2, 1, 0, 1, 8), (2, 2, 0, 9, 2), (3, 2, 2, 3, 3), (4, 2, 5, 0, 2),
    ]  # fmt: skip
    assert (protocol.n_bytes, protocol.parallel, protocol.address_bits) == (3, False, 2)
    assert protocol.width(2) == 10


def test_a_circuit_without_inputs_has_no_bytes() -> None:
    empty = Protocol((), 1)
    assert (empty.n_bytes, empty.parallel, empty.bytes_of(np.zeros((2, 0), np.int64)).shape) == (
        0, True, (2, 0)
    )  # fmt: skip


def test_too_many_classes_or_bytes_are_an_error() -> None:
    with pytest.raises(DwnAsicError, match="200 classes do not fit the pins \\(at most 128\\)"):
        protocol_of(reading([[0]], classes=200))
    protocol_of(reading([[0, 7]] * 128))
    with pytest.raises(DwnAsicError, match="129 features take 129 bytes, more than 128"):
        protocol_of(reading([[0, 7]] * 129))


def test_the_smallest_tile_that_holds_the_cells_is_chosen() -> None:
    areas = [0.6 * tile.core_area / 1.15 for tile in TILES]
    assert [chosen_tile(area * 0.999).name for area in areas] == [tile.name for tile in TILES]
    assert [chosen_tile(area * 1.001).name for area in areas[:-1]] == [tile.name for tile in TILES[1:]]
    with pytest.raises(DwnAsicError, match="too large for the largest design, 8x2 tiles"):
        chosen_tile(areas[-1] * 1.001)
    assert [tile.tiles for tile in TILES] == [1, 2, 4, 6, 8, 12, 16]


def test_pins_are_at_the_places_of_the_template() -> None:
    for tile in TILES:
        pins = tile.pins
        assert len(pins) == 43
        # From the DEF templates: center and size of four pins, the first and the last among them.
        for name, center in (
            ("ena", 146_740),
            ("ui_in[0]", 138_460),
            ("uo_out[7]", 74_980),
            ("uio_oe[7]", 30_820),
        ):
            assert pins[name] == (center - 150, tile.height - 1000, center + 150, tile.height)
    assert bit_names("clk") == ("clk",)
    assert bit_names("uo_out")[-1] == "uo_out[7]"


def test_the_examples_have_a_code_of_two_bytes_and_two_codes_in_a_byte() -> None:
    protocol = protocol_of(circuit_of("serial"))
    assert len(protocol.of_feature(1)) == 2
    assert protocol.fields[-1].byte == protocol.fields[-2].byte
    assert sky130().pdk.library.name == "sky130_fd_sc_hd"
