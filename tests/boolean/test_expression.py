"""Liberty functions: precedence, nonsense, and agreement with Python on random expressions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.boolean.expression import depends_on, parse, permutation_class, truth_table

PINS = ("A1", "B_N", "C", "S0")
RANK = {"or": 0, "and": 1, "xor": 2, "not": 3, "leaf": 4}


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ("A", "A", 0b10),
        ("!A", "A", 0b01),
        ("A'", "A", 0b01),
        ("A''", "A", 0b10),
        ("!A'", "A", 0b10),
        ("A&B", "AB", 0b1000),
        ("A*B", "AB", 0b1000),
        ("A B", "AB", 0b1000),
        ("(A)(B)", "AB", 0b1000),
        ("A !B", "AB", 0b0010),
        ("A'B", "AB", 0b0100),
        ("A|B", "AB", 0b1110),
        ("A+B", "AB", 0b1110),
        ("A^B", "AB", 0b0110),
        ("A + B C", "ABC", 0b11101010),
        # XOR binds tighter than AND, unlike in Python and Verilog: A & (B ^ C), not (A & B) ^ C.
        ("A & B ^ C", "ABC", 0b00101000),
        ("!A ^ B", "AB", 0b1001),
        ("0", "", 0b0),
        ("1", "", 0b1),
        ("A + 1", "A", 0b11),
        ('"A" & "1B"', ("A", "1B"), 0b1000),
        ('\\"1B\\"', ("1B",), 0b10),
        ("D[0] & D[1]", ("D[0]", "D[1]"), 0b1000),
        ("  A  ", "A", 0b10),
    ],
)
def test_truth_table(text: str, inputs: tuple[str, ...], expected: int) -> None:
    assert truth_table(text, inputs) == expected


def test_first_input_is_the_least_significant_address_bit() -> None:
    assert truth_table("A", ("A", "B")) == 0b1010
    assert truth_table("B", ("A", "B")) == 0b1100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ends where an operand is needed"),
        ("A &", "ends where an operand is needed"),
        ("& A", "unexpected '&'"),
        ("A ) B", "unexpected '\\)'"),
        ("(A", "not closed"),
        ("A @ B", "unexpected '@'"),
        ("2", "unexpected '2'"),
        ("10", "unexpected '1'"),
        ('"A', "unexpected '\"'"),
        ("Z", "reads 'Z', which is not one of A, B"),
        ("!" * 100_000 + "A", "nested too deeply"),
        ("A" + "+A" * 100_000, "too long"),
    ],
)
def test_nonsense_is_a_value_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        truth_table(text, ("A", "B"))


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw Liberty text without needless parentheses, its fully parenthesized Python form, and its kind."""
    return draw(
        st.recursive(
            st.sampled_from([(pin, pin, "leaf") for pin in PINS] + [("0", "0", "leaf"), ("1", "1", "leaf")]),
            lambda inner: _nots(inner) | _pairs(inner),
            max_leaves=12,
        )
    )


def _wrap(text: str, kind: str, needed: str) -> str:
    return text if RANK[kind] >= RANK[needed] else f"({text})"


def _nots(inner: st.SearchStrategy[tuple[str, str, str]]) -> st.SearchStrategy[tuple[str, str, str]]:
    def build(operand: tuple[str, str, str], after: bool) -> tuple[str, str, str]:
        text, python, kind = operand
        liberty = f"{_wrap(text, kind, 'leaf')}'" if after else f"!{_wrap(text, kind, 'not')}"
        return liberty, f"(1 - {python})", "not"

    return st.builds(build, inner, st.booleans())


def _pairs(inner: st.SearchStrategy[tuple[str, str, str]]) -> st.SearchStrategy[tuple[str, str, str]]:
    symbols = {"and": ["&", "*", " ", " & ", "\t*"], "or": ["|", "+", " + "], "xor": ["^", " ^ "]}
    chosen = st.sampled_from([(kind, symbol) for kind, texts in symbols.items() for symbol in texts])

    def build(
        left: tuple[str, str, str], right: tuple[str, str, str], operator: tuple[str, str]
    ) -> tuple[str, str, str]:
        kind, symbol = operator
        sign = {"and": "&", "or": "|", "xor": "^"}[kind]
        liberty = f"{_wrap(left[0], left[2], kind)}{symbol}{_wrap(right[0], right[2], kind)}"
        return liberty, f"({left[1]} {sign} {right[1]})", kind

    return st.builds(build, inner, inner, chosen)


@given(expressions())
def test_agrees_with_python(expression: tuple[str, str, str]) -> None:
    liberty, python, _ = expression
    code = compile(python, "<expression>", "eval")
    expected = 0
    for address in range(1 << len(PINS)):
        values = {pin: address >> i & 1 for i, pin in enumerate(PINS)}
        expected |= eval(code, {}, values) << address
    assert truth_table(liberty, PINS) == expected


@given(expressions())
def test_verilog_says_the_same(expression: tuple[str, str, str]) -> None:
    # Verilog's &, ^, |, ~ and parentheses are also Python's; ~ on bits needs the mask.
    parsed = parse(expression[0])
    text = parsed.verilog().replace("1'b", "-")  # -1 is all ones, -0 is none
    table, ones = truth_table(expression[0], PINS), (1 << 16) - 1
    columns = {pin: truth_table(pin, PINS) for pin in PINS}
    assert eval(text, {}, columns) & ones == table


def test_verilog_escapes_odd_names() -> None:
    assert parse('!"1B"').verilog() == "~\\1B "


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), *[st.integers(0, (1 << (1 << n)) - 1)] * 2)))
def test_permutation_class_is_equality_up_to_order(case: tuple[int, int, int]) -> None:
    n, one, other = case

    def reorder(table: int, order: tuple[int, ...]) -> int:
        return sum(
            (table >> sum((a >> p & 1) << i for p, i in enumerate(order)) & 1) << a for a in range(1 << n)
        )

    same = any(reorder(one, order) == other for order in itertools.permutations(range(n)))
    assert (permutation_class(one, n) == permutation_class(other, n)) is same
    for order in itertools.permutations(range(n)):
        assert permutation_class(reorder(one, order), n) == permutation_class(one, n)


def test_permutation_class_of_nine_inputs_is_quick() -> None:
    pins = [f"{letter}{digit}" for letter in "ABC" for digit in "123"]
    table = truth_table("!((A1 A2 A3) + (B1 B2 B3) + (C1 C2 C3))", pins)
    mixed = truth_table("!((A1 B1 C1) + (A2 B2 C2) + (A3 B3 C3))", pins)
    assert permutation_class(table, 9) == permutation_class(mixed, 9)


def test_depends_on() -> None:
    table = truth_table("A + A B", ("A", "B"))
    assert depends_on(table, 0, 2)
    assert not depends_on(table, 1, 2)
