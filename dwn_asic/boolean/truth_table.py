"""Truth tables as Python integers: bit a is the output at address a, whose bit 0 is input 0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

__all__ = ["cofactor", "complement", "depends_on", "full", "negate_input", "project"]


@lru_cache(maxsize=64)
def full(n: int) -> int:
    """Return the table of the constant 1 over n inputs."""
    return (1 << (1 << n)) - 1


def complement(table: int, n: int) -> int:
    """Negate a function of n inputs."""
    return table ^ full(n)


def project(table: int, n: int, addresses: Sequence[int]) -> int:
    """Return the table whose entry a is entry ``addresses[a]`` of ``table``, a table of n inputs."""
    if not 0 <= table <= full(n):
        raise ValueError(f"table {table:#x} does not fit {n} inputs")
    result = 0
    for a, address in enumerate(addresses):
        result |= (table >> address & 1) << a
    return result


def cofactor(table: int, n: int, k: int, value: int) -> int:
    """Return the function of the other n - 1 inputs, in the same order, with input k fixed."""
    low = (1 << k) - 1
    return project(table, n, [(a & low) | value << k | (a & ~low) << 1 for a in range(1 << (n - 1))])


def negate_input(table: int, n: int, k: int) -> int:
    """Return the function with input k complemented."""
    return project(table, n, [a ^ (1 << k) for a in range(1 << n)])


def depends_on(table: int, n: int, k: int) -> bool:
    """Return whether the output depends on input k."""
    return cofactor(table, n, k, 0) != cofactor(table, n, k, 1)
