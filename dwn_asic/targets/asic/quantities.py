"""Physical quantities as decimal text, which are read exactly and written with the same digits."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation

__all__ = ["decimal_text", "positive_quantity", "quantity"]


def quantity(text: str) -> Decimal:
    """Read a finite number that is at least 0; raises ValueError for any other text."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(float(value)) or value < 0:
        raise ValueError(f"{text!r} is not a finite number of at least 0")
    return value


def positive_quantity(text: str) -> Decimal:
    """Read a finite number greater than 0, such as an area; raises ValueError for any other text."""
    value = quantity(text)
    if not float(value):
        raise ValueError(f"{text!r} is not greater than 0")
    return value


def decimal_text(value: float) -> str:
    """Return the shortest decimal text, without exponent, from which ``value`` can be read exactly."""
    return format(Decimal(repr(value)), "f")
