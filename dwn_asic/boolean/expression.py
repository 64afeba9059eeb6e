"""Liberty ``function`` strings: parsing, truth tables, comparison and printing as Verilog.

>>> bin(truth_table("(A1 & A2) | !B", ("A1", "A2", "B")))
'0b10001111'
>>> parse("A' B").verilog()
'(~A & B)'
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Expression",
    "depends_on",
    "parse",
    "permutation_class",
    "truth_table",
    "verilog_identifier",
]

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>\\?"[^"\\]+\\?") | (?P<word>[A-Za-z_][\w.]*(?:\[\d+\])?) | (?P<constant>[01](?!\w))
    | (?P<symbol>[!'&*|+^()]))""",
    re.VERBOSE,
)
_PLAIN_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")

Operator = Literal["constant", "pin", "not", "and", "or", "xor"]


@dataclass(frozen=True)
class Expression:
    """One node of a parsed expression.

    Attributes
    ----------
    operator
        The operation of the node.
    text
        Pin name, or ``0`` or ``1`` for a constant; empty for operators.
    operands
        One for ``not``, two for ``and``, ``or`` and ``xor``, none for leaves.
    """

    operator: Operator
    text: str = ""
    operands: tuple[Expression, ...] = ()

    def evaluate(self, values: Mapping[str, int], ones: int) -> int:
        """Evaluate bitwise, one bit per case; ``ones`` has a 1 for every case.

        Raises
        ------
        KeyError
            The expression reads a pin that has no value.
        """
        match self.operator:
            case "constant":
                return ones if self.text == "1" else 0
            case "pin":
                return values[self.text]
            case "not":
                return ones & ~self.operands[0].evaluate(values, ones)
        left, right = (operand.evaluate(values, ones) for operand in self.operands)
        if self.operator == "and":
            return left & right
        return left | right if self.operator == "or" else left ^ right

    def verilog(self) -> str:
        """Return the function as a Verilog expression, fully parenthesized."""
        return self._text("~", "1'b", verilog_identifier)

    def plain(self) -> str:
        """Return the function with ``! & | ^``, fully parenthesized, which both ABC and Yosys read."""
        return self._text("!", "", str)

    def _text(self, inversion: str, base: str, name: Callable[[str], str]) -> str:
        match self.operator:
            case "constant":
                return f"{base}{self.text}"
            case "pin":
                return name(self.text)
            case "not":
                return f"{inversion}{self.operands[0]._text(inversion, base, name)}"
        symbol = {"and": "&", "or": "|", "xor": "^"}[self.operator]
        left, right = (operand._text(inversion, base, name) for operand in self.operands)
        return f"({left} {symbol} {right})"


def verilog_identifier(name: str) -> str:
    """Return ``name``, escaped (with the trailing space) if Verilog requires it."""
    return name if _PLAIN_IDENTIFIER.fullmatch(name) else f"\\{name} "


def parse(text: str) -> Expression:
    """Parse a Liberty Boolean expression.

    Precedence, highest first: ``'`` (postfix) and ``!`` (prefix), ``^``, AND (``&``, ``*`` or nothing between
    two operands), OR (``|``, ``+``). Liberty ranks XOR above AND, unlike Python and Verilog.

    Raises
    ------
    ValueError
        The text is not such an expression.
    """
    parser = _Parser(text)
    try:
        expression = parser.disjunction()
    except RecursionError as error:
        raise ValueError(f"function {text[:40]!r}...: nested too deeply") from error
    parser.expect_end()
    return expression


def truth_table(text: str, inputs: Sequence[str]) -> int:
    """Return the truth table: bit ``a`` is the output at address ``a``.

    ``inputs[0]`` is the least significant bit of the address.

    Raises
    ------
    ValueError
        The text cannot be parsed, or reads a pin that is not among ``inputs``.
    """
    size = 1 << len(inputs)
    ones = (1 << size) - 1
    # The column of input i repeats the pattern 0^(2^i) 1^(2^i), so all cases are evaluated at once.
    columns = {name: ones // ((1 << (1 << i)) + 1) << (1 << i) for i, name in enumerate(inputs)}
    expression = parse(text)
    try:
        return expression.evaluate(columns, ones)
    except KeyError as error:
        raise ValueError(
            f"function {text!r} reads {error}, which is not one of {', '.join(inputs)}"
        ) from error
    except RecursionError as error:
        raise ValueError(f"function {text[:40]!r}...: too long") from error


def depends_on(table: int, i: int, n_inputs: int) -> bool:
    """Return whether the output depends on input i."""
    return any((table >> a ^ table >> (a ^ (1 << i))) & 1 for a in range(1 << n_inputs))


def permutation_class(table: int, n_inputs: int) -> tuple[int, int]:
    """Return a key that two truth tables share exactly if they are equal up to the order of inputs.

    The key is the smallest table among the orderings that sort inputs by the number of ones in their
    cofactor. Interchangeable inputs stay next to each other, which leaves few orderings: 6 instead of 9! for
    ASAP7's nine-input AOI333.
    """
    blocks: list[list[int]] = []
    for i in range(n_inputs):
        for block in blocks:
            if _reorder(table, _swapped(n_inputs, block[0], i)) == table:
                block.append(i)
                break
        else:
            blocks.append([i])
    groups: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    for block in blocks:
        weight = sum(table >> address & 1 for address in range(1 << n_inputs) if address >> block[0] & 1)
        groups[weight, len(block)].append(block)
    orders = itertools.product(*(itertools.permutations(groups[key]) for key in sorted(groups)))
    return n_inputs, min(_reorder(table, [i for part in order for b in part for i in b]) for order in orders)


def _reorder(table: int, order: Sequence[int]) -> int:
    """Return the table whose input p is input ``order[p]`` of the given table."""
    result = 0
    for address in range(1 << len(order)):
        old = sum((address >> p & 1) << i for p, i in enumerate(order))
        result |= (table >> old & 1) << address
    return result


def _swapped(n: int, i: int, j: int) -> list[int]:
    return [j if k == i else i if k == j else k for k in range(n)]


class _Parser:
    """Recursive descent parser with one method per level of precedence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokenize(text)
        self._next = 0

    def disjunction(self) -> Expression:
        return self._chain("or", {"|", "+"}, self._conjunction)

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._problem(f"unexpected {self._tokens[self._next][1]!r}")

    def _conjunction(self) -> Expression:
        left = self._exclusive()
        while self._peek() in {"&", "*"} or self._starts_operand():
            if self._peek() in {"&", "*"}:
                self._next += 1
            left = Expression("and", operands=(left, self._exclusive()))
        return left

    def _exclusive(self) -> Expression:
        return self._chain("xor", {"^"}, self._inverted)

    def _inverted(self) -> Expression:
        if self._peek() == "!":
            self._next += 1
            return Expression("not", operands=(self._inverted(),))
        operand = self._operand()
        while self._peek() == "'":
            self._next += 1
            operand = Expression("not", operands=(operand,))
        return operand

    def _operand(self) -> Expression:
        if self._next >= len(self._tokens):
            raise self._problem("ends where an operand is needed")
        kind, text = self._tokens[self._next]
        self._next += 1
        if kind == "constant":
            return Expression("constant", text)
        if kind in {"word", "quoted"}:
            return Expression("pin", text)
        if text != "(":
            raise self._problem(f"unexpected {text!r}")
        inner = self.disjunction()
        if self._peek() != ")":
            raise self._problem("a parenthesis is not closed")
        self._next += 1
        return inner

    def _chain(self, operator: Operator, symbols: set[str], level: Callable[[], Expression]) -> Expression:
        left = level()
        while self._peek() in symbols:
            self._next += 1
            left = Expression(operator, operands=(left, level()))
        return left

    def _peek(self) -> str | None:
        """Return the next token if it is a symbol; a pin's name never is one."""
        if self._next >= len(self._tokens):
            return None
        kind, token = self._tokens[self._next]
        return token if kind == "symbol" else None

    def _starts_operand(self) -> bool:
        return self._next < len(self._tokens) and (
            self._tokens[self._next][0] != "symbol" or self._tokens[self._next][1] in {"!", "("}
        )

    def _problem(self, what: str) -> ValueError:
        return ValueError(f"function {self._text!r}: {what}")


def _tokenize(text: str) -> list[tuple[str, str]]:
    """Return pairs of kind (quoted, word, constant, symbol) and text, with quotes removed."""
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ValueError(f"function {text!r}: unexpected {text[position:].lstrip()[0]!r}")
        tokens.append((match.lastgroup, match[match.lastgroup].strip('\\"')))
        position = match.end()
    return tokens
