"""Generators of head logic: popcounts, weighted sums, argmax and priority encoders.

They consist of LUTs with at most 3 fan-ins. A number is a list of node ids, least significant bit first.
"""

from __future__ import annotations

from collections.abc import Sequence

from dwn_asic.boolean.graph import Constant, GraphBuilder, Lut

__all__ = ["add_up", "argmax_index", "popcount", "priority_index"]

# Truth tables; fan-in 0 is the least significant address bit.
_XOR2, _AND2, _OR2 = 0b0110, 0b1000, 0b1110
_AND_NOT_FIRST = 0b0100  # fan-in 1 and not fan-in 0
_XOR3, _MAJORITY3 = 0b10010110, 0b11101000
_MUX = 0b11001010  # fan-in 2 selects fan-in 1 when it is set, else fan-in 0
_LESS = 0b11010100  # (a, b, less): b where a != b, else the result so far of the lower bits
_STAYS = 0b10101110  # (bit, left, some): left, and the bit unless no number that is left has it
_MERGED = 0b11101010  # (low, high, upper): low, or high in the upper half
_NOT = 0b01
_TOURNAMENT = 3
"""Largest number of entrants for which a tournament takes no more area than elimination."""


def popcount(builder: GraphBuilder, bits: Sequence[int]) -> list[int]:
    """Count the set bits with a tree of full and half adders; the result is as wide as it needs to be."""
    return add_up(builder, [bits])


def add_up(builder: GraphBuilder, columns: Sequence[Sequence[int]]) -> list[int]:
    """Add bits, where a bit of column k is worth 2**k, with a tree of full and half adders.

    The result is exactly as wide as it needs to be.
    """
    waiting = [list(column) for column in columns]
    total = []
    while waiting:
        column = waiting.pop(0)
        carries: list[int] = []
        while len(column) > 1:
            taken, column = column[:3], column[3:]
            xor, carry = (_XOR3, _MAJORITY3) if len(taken) == 3 else (_XOR2, _AND2)
            # Sums join the end of the column, which keeps the tree shallow.
            column.append(builder.add(Lut(tuple(taken), xor)))
            carries.append(builder.add(Lut(tuple(taken), carry)))
        if carries:
            waiting = waiting or [[]]
            waiting[0] += carries
        if not column and waiting:
            column = [builder.add(Constant(value=False))]
        total += column
    return total


def argmax_index(builder: GraphBuilder, numbers: Sequence[Sequence[int]]) -> list[int]:
    """Return the ceil(log2(len(numbers))) bits of the index of the largest number; ties go to the first."""
    zero = builder.add(Constant(value=False))
    width = max((len(number) for number in numbers), default=0)
    padded = [[*number, *[zero] * (width - len(number))] for number in numbers]
    if len(numbers) <= _TOURNAMENT:
        return _won(builder, padded)
    return _first(builder, _largest(builder, padded))


def _largest(builder: GraphBuilder, numbers: Sequence[Sequence[int]]) -> list[int]:
    """Return a bit for each number that says whether it is a largest one.

    From the highest place on, a number is out if its bit is 0 and that of another one that is left is 1.
    """
    left = [builder.add(Constant(value=True))] * len(numbers)
    for place in reversed(range(len(numbers[0]))):
        bits = [
            builder.add(Lut((number[place], each), _AND2)) for number, each in zip(numbers, left, strict=True)
        ]
        some = _any(builder, bits)
        left = [builder.add(Lut((bit, each, some), _STAYS)) for bit, each in zip(bits, left, strict=True)]
    return left


def _any(builder: GraphBuilder, bits: Sequence[int]) -> int:
    """Return the OR of at least one bit, as a tree."""
    while len(bits) > 1:
        pairs = zip(bits[::2], bits[1::2], strict=False)
        rest = bits[-1:] if len(bits) % 2 else []
        bits = [*(builder.add(Lut(pair, _OR2)) for pair in pairs), *rest]
    return bits[0]


def _first(builder: GraphBuilder, bits: Sequence[int]) -> list[int]:
    """Return the bits of the index of the first set bit, where at least one is set."""
    if len(bits) == 1:
        return []
    half = 1 << (len(bits) - 1).bit_length() - 1
    low, high = bits[:half], bits[half:]
    upper = builder.add(Lut((_any(builder, low),), _NOT))
    merged = [builder.add(Lut((*pair, upper), _MERGED)) for pair in zip(low, high, strict=False)]
    return [*_first(builder, [*merged, *low[len(high) :]]), upper]


def _won(builder: GraphBuilder, numbers: Sequence[Sequence[int]]) -> list[int]:
    """Return the bits of the index of the winner of a tournament."""
    zero, one = (builder.add(Constant(value=value)) for value in (False, True))
    index_bits = max(1, (len(numbers) - 1).bit_length())
    entrants = [
        ([*number], [one if i >> k & 1 else zero for k in range(index_bits)])
        for i, number in enumerate(numbers)
    ]
    while len(entrants) > 1:
        # Neighbours are compared, so the left one always has the lower index and wins ties.
        pairs = zip(entrants[::2], entrants[1::2], strict=False)
        winners = [_winner(builder, left, right) for left, right in pairs]
        entrants = winners + (entrants[-1:] if len(entrants) % 2 else [])
    return entrants[0][1]


def _winner(
    builder: GraphBuilder, left: tuple[list[int], list[int]], right: tuple[list[int], list[int]]
) -> tuple[list[int], list[int]]:
    less = builder.add(Constant(value=False))
    for a, b in zip(left[0], right[0], strict=True):
        less = builder.add(Lut((a, b, less), _LESS))
    return (
        [builder.add(Lut((a, b, less), _MUX)) for a, b in zip(left[0], right[0], strict=True)],
        [builder.add(Lut((a, b, less), _MUX)) for a, b in zip(left[1], right[1], strict=True)],
    )


def priority_index(builder: GraphBuilder, bits: Sequence[int]) -> list[int]:
    """Return the ceil(log2(len(bits))) bits of the index of the first set bit, 0 if no bit is set."""
    zero = builder.add(Constant(value=False))
    index = [zero] * max(1, (len(bits) - 1).bit_length())
    for i in range(len(bits) - 1, -1, -1):
        index = [
            builder.add(Lut((bits[i], low), _OR2 if i >> k & 1 else _AND_NOT_FIRST))
            for k, low in enumerate(index)
        ]
    return index
