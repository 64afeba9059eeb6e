"""Port names: valid Verilog whatever the user's table calls its columns, and read back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.boolean.ports import feature_of_port, feature_port, identifier


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("height", "height"),
        ("V12_a", "V12_a"),
        ("a b/ü;\n`", "a_b"),
        ("__a__b__", "a_b"),
        ("", "unnamed"),
        ("Größe", "Gr_e"),
        ("漢字", "unnamed"),
        ("1e-3", "1e_3"),
    ],
)
def test_identifier(text: str, wanted: str) -> None:
    assert identifier(text) == wanted


@given(st.integers(0, 10_000), st.text(max_size=20))
def test_feature_port_is_an_identifier_and_tells_the_feature(index: int, name: str) -> None:
    port = feature_port(index, name)
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", port)
    assert feature_of_port(port) == index


def test_equal_names_of_two_features_give_two_ports() -> None:
    assert feature_port(1, "a b") != feature_port(2, "a/b")


@pytest.mark.parametrize("port", ["clk", "class_index", "therm", "x_1", "xx1_a", "ax1_b", "x1"])
def test_other_ports_are_no_features(port: str) -> None:
    assert feature_of_port(port) is None
