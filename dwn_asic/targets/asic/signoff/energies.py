"""The energies and leakage of a cell with their conditions parsed, as power analysis needs them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dwn_asic.boolean.expression import Expression, parse
from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.signoff.library import InternalPower, TimedCell, TimingLibrary

__all__ = ["CellEnergies", "Entries"]

Entries = Sequence[tuple[InternalPower, Expression | None]]
"""Energies, each with the condition under which it applies; None for all states."""


@dataclass(frozen=True, eq=False)
class CellEnergies:
    """The energies of a cell, which all its instances share.

    Attributes
    ----------
    timed
        The cell.
    states
        Condition and leakage (nW) of each state.
    functions
        Functions of the outputs.
    energies
        Pin -> input that caused its transition (empty if that does not matter) -> energies. An energy without
        a condition applies where those with one do not.
    senses
        Input and output -> unateness of the delay between them.
    """

    timed: TimedCell
    states: tuple[tuple[Expression, float], ...]
    functions: Mapping[str, Expression]
    energies: Mapping[str, Mapping[str, Entries]]
    senses: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, library: TimingLibrary, name: str) -> CellEnergies:
        """Return the energies of a cell; raises PdkError without the cell or its leakage."""
        cell = library.cell(name)
        if cell.leakage is None and not cell.leakages:
            raise PdkError(f"{library.name}: the leakage of cell {name} is unknown")
        grouped: dict[tuple[str, str, str], list[InternalPower]] = defaultdict(list)
        for entry in cell.internal:
            if entry.pin and entry.supply not in library.grounds:
                grouped[entry.pin, entry.related, entry.supply].append(entry)
        energies: dict[str, dict[str, list[tuple[InternalPower, Expression | None]]]] = {}
        for (pin, related, _), entries in grouped.items():
            conditions = [f"({entry.when})" for entry in entries if entry.when]
            rest = f"!({' | '.join(conditions)})" if conditions else ""
            energies.setdefault(pin, {}).setdefault(related, []).extend(
                (entry, parse(entry.when or rest) if entry.when or rest else None) for entry in entries
            )
        return cls(
            cell,
            tuple((parse(each.when), each.power) for each in cell.leakages),
            {
                pin.name: parse(pin.function)
                for pin in cell.pins.values()
                if pin.direction == "output" and pin.function
            },
            energies,
            {(arc.source, arc.target): arc.sense for arc in cell.arcs},
        )
