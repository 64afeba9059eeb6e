"""Physical quantities as decimal text: read exactly, written with the digits they came with."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation

__all__ = ["decimal_text", "positive_quantity", "quantity"]


def quantity(text: str) -> Decimal:
    """A finite number from 0 on; raises ValueError for anything else."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(float(value)) or value < 0:
        raise ValueError(f"{text!r} is not a finite number from 0 on")
    return value


def positive_quantity(text: str) -> Decimal:
    """A finite number above 0, as an area must be; raises ValueError for anything else."""
    value = quantity(text)
    if not float(value):
        raise ValueError(f"{text!r} is not above 0")
    return value


def decimal_text(value: float) -> str:
    """Shortest decimal text that reads back as ``value``, without an exponent."""
    return format(Decimal(repr(value)), "f")
