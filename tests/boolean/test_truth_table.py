"""Truth tables as integers, against functions evaluated address by address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.boolean import truth_table as tt


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int]:
    """Draw a table, its number of inputs, and the index of one of them."""
    n = draw(st.integers(1, 6))
    return draw(st.integers(0, (1 << (1 << n)) - 1)), n, draw(st.integers(0, n - 1))


def bits(table: int, n: int) -> list[int]:
    return [table >> address & 1 for address in range(1 << n)]


@pytest.mark.parametrize(("n", "wanted"), [(0, 0b1), (1, 0b11), (2, 0b1111), (6, 2**64 - 1)])
def test_full(n: int, wanted: int) -> None:
    assert tt.full(n) == wanted


@given(tables())
def test_complement(case: tuple[int, int, int]) -> None:
    table, n, _ = case
    assert bits(tt.complement(table, n), n) == [1 - bit for bit in bits(table, n)]


@given(tables(), st.integers(0, 1))
def test_cofactor_reads_the_half_where_the_input_is_fixed(case: tuple[int, int, int], value: int) -> None:
    table, n, k = case
    wanted = [bit for address, bit in enumerate(bits(table, n)) if address >> k & 1 == value]
    assert bits(tt.cofactor(table, n, k, value), n - 1) == wanted


@given(tables())
def test_negate_input(case: tuple[int, int, int]) -> None:
    table, n, k = case
    before = bits(table, n)
    assert bits(tt.negate_input(table, n, k), n) == [before[address ^ (1 << k)] for address in range(1 << n)]


@given(tables())
def test_depends_on(case: tuple[int, int, int]) -> None:
    table, n, k = case
    before = bits(table, n)
    matters = any(before[address] != before[address ^ (1 << k)] for address in range(1 << n))
    assert tt.depends_on(table, n, k) == matters


@given(tables(), st.data())
def test_project_reads_the_given_addresses(case: tuple[int, int, int], data: st.DataObject) -> None:
    table, n, _ = case
    addresses = data.draw(st.lists(st.integers(0, (1 << n) - 1), min_size=4, max_size=4))
    assert bits(tt.project(table, n, addresses), 2) == [bits(table, n)[a] for a in addresses]


@pytest.mark.parametrize("table", [-1, 16])
def test_project_refuses_a_table_that_does_not_fit(table: int) -> None:
    with pytest.raises(ValueError, match="does not fit 2 inputs"):
        tt.project(table, 2, [0])


def test_input_0_is_the_least_significant_address_bit() -> None:
    only_address_1 = 0b0010  # input 0 set, input 1 not
    assert tt.cofactor(only_address_1, 2, 0, 1) == 0b01
    assert tt.cofactor(only_address_1, 2, 1, 1) == 0b00
