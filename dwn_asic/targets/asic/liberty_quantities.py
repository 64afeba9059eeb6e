"""Areas, capacitances and leakage of Liberty groups, in um2, pF and nW.

Mapping needs only the areas. Therefore an area that cannot be read is an error, whereas a capacitance or
leakage whose value or unit is missing is None, but never 0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dwn_asic.targets.asic.liberty_file import Group, attribute, groups, unquote
from dwn_asic.targets.asic.quantities import positive_quantity, quantity

__all__ = ["Units", "area", "capacitance", "leakage", "read_units"]

_TO_PICOFARAD = {"ff": Decimal("0.001"), "pf": Decimal(1), "nf": Decimal(1000)}
_TO_NANOWATT = {"": "1e9", "m": "1e6", "u": "1e3", "n": "1", "p": "1e-3", "f": "1e-6"}


@dataclass(frozen=True)
class Units:
    """The units of a file as factors to pF and nW (None if missing), and its default values in its units."""

    to_pf: Decimal | None
    to_nw: Decimal | None
    pin_capacitance: str
    leakage: str


def read_units(header: Group) -> tuple[Units, list[str]]:
    """Return the units of a file, and a line for each unit that is missing."""
    load: list[str] = next((group.get("args", []) for group in groups(header, "capacitive_load_unit")), [])
    power = re.fullmatch(r"([\d.]+)\s*([munpf]?)W", attribute(header, "leakage_power_unit"))
    to_pf = _factor(unquote(load[0]), _TO_PICOFARAD.get(unquote(load[1]).lower())) if len(load) == 2 else None
    to_nw = _factor(power[1], Decimal(_TO_NANOWATT[power[2]])) if power else None
    problems = []
    if to_pf is None:
        problems.append("no usable capacitive_load_unit, so capacitances are unknown")
    if to_nw is None:
        problems.append("no usable leakage_power_unit, so leakage is unknown")
    return Units(
        to_pf=to_pf,
        to_nw=to_nw,
        pin_capacitance=attribute(header, "default_input_pin_cap"),
        leakage=attribute(header, "default_cell_leakage_power"),
    ), problems


def area(group: Group) -> float:
    """Return the area of a cell in um2; raises ValueError if it is missing or not greater than 0."""
    text = attribute(group, "area")
    if not text:
        raise ValueError("it has no area")
    try:
        return float(positive_quantity(text))
    except ValueError as error:
        raise ValueError(f"area {error}") from None


def capacitance(pin: Group, units: Units) -> float | None:
    """Return the capacitance of a pin in pF, or None if it is unknown.

    If the file has only values for rise and fall, their mean is returned.
    """
    text = attribute(pin, "capacitance")
    edges = [attribute(pin, f"{edge}_capacitance") for edge in ("rise", "fall")]
    if not text and all(edges):
        return _mean(edges, 2, units.to_pf)
    return _mean([text or units.pin_capacitance], 1, units.to_pf)


def leakage(group: Group, units: Units) -> float | None:
    """Return the leakage power of a cell in nW, or None if it is unknown.

    This is the value for the cell, else the value for all states, else the mean over states. Several values
    for the same state, one for each power pin, are added.
    """
    text = attribute(group, "cell_leakage_power")
    by_state: dict[str, list[str]] = defaultdict(list)
    for state in groups(group, "leakage_power"):
        by_state[attribute(state, "when")].append(attribute(state, "value"))
    if text or not by_state:
        return _mean([text or units.leakage], 1, units.to_nw)
    if "" in by_state:
        return _mean(by_state[""], 1, units.to_nw)
    return _mean([value for values in by_state.values() for value in values], len(by_state), units.to_nw)


def _mean(texts: Iterable[str], count: int, factor: Decimal | None) -> float | None:
    """Return the sum of the values divided by ``count``, times ``factor``; None if any of them is unknown."""
    if factor is None:
        return None
    try:
        return float(sum(map(quantity, texts), Decimal(0)) / count * factor)
    except ValueError:
        return None


def _factor(number: str, unit: Decimal | None) -> Decimal | None:
    """Return ``number`` times ``unit``, or None if one of them is not usable."""
    try:
        return None if unit is None else positive_quantity(number) * unit
    except ValueError:
        return None
