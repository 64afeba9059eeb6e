"""Building blocks of the compiled search loops: random numbers, and counting the set bits of a word."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from dwn_asic.compiled import leaf

__all__ = ["below", "ones", "random_bits", "uniform"]


@leaf
def random_bits(state):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the next 64 random bits of the (1,) uint64 state, which must not be zero.

    The generator is xorshift64* (Vigna, arXiv:1402.6246).
    """
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(0x2545F4914F6CDD1D)


@leaf
def below(state, n):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Draw from 0..n-1 for n below 2**31; the bias is below n / 2**32 and negligible here."""
    return np.int64(((random_bits(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@leaf
def uniform(state):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Draw a float from [0, 1)."""
    return np.float64(random_bits(state) >> np.uint64(11)) / 9007199254740992.0  # 2**53


@intrinsic  # type: ignore[untyped-decorator]
def ones(_typing: Any, _word: Any) -> Any:
    """Count the set bits of a uint64 with the machine's own instruction, vectorized where possible."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate
