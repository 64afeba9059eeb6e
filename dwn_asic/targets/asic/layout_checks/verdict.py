"""Verdicts of the checks of a layout, as immutable values that can be printed and written as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from dwn_asic.equivalence.check import Check

__all__ = ["DrcVerdict", "LayoutVerdict", "LvsVerdict", "RuleCount"]

Place = tuple[float, float]
"""Coordinates in um."""


@dataclass(frozen=True)
class RuleCount:
    """The number of violations of one rule.

    Attributes
    ----------
    rule
        Name in the foundry's documentation.
    problem
        What is wrong where it is violated.
    count
        Number of violations.
    places
        Coordinates (um) of the first of them.
    """

    rule: str
    problem: str
    count: int
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class DrcVerdict:
    """The result of checking design rules.

    Attributes
    ----------
    source
        Name of the layout.
    tool
        What checked it: ``own rules``, or the tool and the deck.
    rules
        Every rule, also those without a violation; of a deck only what it reports.
    seconds
        Time taken, in seconds.
    """

    source: str
    tool: str
    rules: tuple[RuleCount, ...]
    seconds: float

    @property
    def violations(self) -> int:
        """Number of violations of all rules."""
        return sum(rule.count for rule in self.rules)

    @property
    def clean(self) -> bool:
        """True if no rule is violated."""
        return not self.violations

    def lines(self) -> Iterator[str]:
        """Yield one line for the whole, and one for each violated rule."""
        rules = f"{len(self.rules)} rules, " if self.tool == "own rules" else ""
        yield f"DRC by {self.tool}: {rules}{_plural(self.violations, 'violation')} ({self.seconds:.1f} s)"
        for rule in self.rules:
            if rule.count:
                places = " ".join(f"({x:g}, {y:g})" for x, y in rule.places)
                at = f" at {places}{' ...' if rule.count > len(rule.places) else ''}" if places else ""
                yield f"  {rule.rule:<10} {rule.count:>5}  {rule.problem}{at}"


@dataclass(frozen=True)
class LvsVerdict:
    """The result of comparing a layout with its netlist, transistor by transistor.

    Attributes
    ----------
    source, netlist
        Names of layout and netlist.
    cells, transistors, nets
        Numbers of cells of the netlist that were found in the layout, of the transistors in them, and of the
        nets of the top cell.
    differences
        One line for each difference; none if the two match.
    seconds
        Time taken, in seconds.
    """

    source: str
    netlist: str
    cells: int
    transistors: int
    nets: int
    differences: tuple[str, ...]
    seconds: float

    @property
    def clean(self) -> bool:
        """True if layout and netlist match."""
        return not self.differences

    def lines(self) -> Iterator[str]:
        """Yield one line for the whole, and one for each difference."""
        word = "match" if self.clean else "MISMATCH"
        yield (
            f"LVS: {word}, {self.cells} cells, {self.transistors} transistors, {self.nets} nets "
            f"({self.seconds:.1f} s)"
        )
        for difference in self.differences:
            yield f"  {difference}"


@dataclass(frozen=True)
class LayoutVerdict:
    """All that was checked of a layout.

    Attributes
    ----------
    source
        Name of the layout.
    drc
        Checks of design rules, by our own rules and by the decks that were run.
    lvs
        Comparison with the netlist; None if there was none to compare with.
    function
        Proofs that the layout computes the function wanted.
    failures
        Why the function could not be proved, for example a counterexample.
    unchecked
        What was not checked, and why.
    """

    source: str
    drc: tuple[DrcVerdict, ...]
    lvs: LvsVerdict | None = None
    function: tuple[Check, ...] = ()
    failures: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """True if nothing that was checked is wrong."""
        return (
            all(each.clean for each in self.drc)
            and (self.lvs is None or self.lvs.clean)
            and not self.failures
        )

    def lines(self) -> Iterator[str]:
        """Yield the verdict line by line."""
        for verdict in self.drc:
            yield from verdict.lines()
        if self.lvs is not None:
            yield from self.lvs.lines()
        for check in self.function:
            yield f"function: {check.summary} ({check.seconds:.1f} s)"
        for failure in self.failures:
            yield f"function: {failure}"
        for reason in self.unchecked:
            yield f"not checked: {reason}"

    def summary(self) -> str:
        """Say in one line what is wrong; ``clean`` if nothing is."""
        wrong = [
            f"{_plural(each.violations, 'violation')} of {each.tool}" for each in self.drc if not each.clean
        ]
        if self.lvs is not None and not self.lvs.clean:
            wrong.append(f"{_plural(len(self.lvs.differences), 'difference')} from the netlist")
        return "; ".join((*wrong, *self.failures)) or "clean"

    def record(self) -> dict[str, object]:
        """Return the verdict as nested mappings for a JSON file."""
        return {**asdict(self), "clean": self.clean, "summary": self.summary()}


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
