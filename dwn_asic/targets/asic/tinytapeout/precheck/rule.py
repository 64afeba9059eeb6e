"""Rules, and the findings of checking them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from dwn_asic.errors import DwnAsicError

__all__ = ["Finding", "Findings", "NotCheckedError", "Rule", "RuleBrokenError", "checked"]

Subject = TypeVar("Subject")
Verdict = Literal["pass", "fail", "not checked"]


class RuleBrokenError(DwnAsicError):
    """A rule is broken; the message says how."""


class NotCheckedError(DwnAsicError):
    """A rule cannot be checked here; the message says why."""


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """A rule: its name, and the function that checks it and returns what it saw."""

    name: str
    check: Callable[[Subject], str]


@dataclass(frozen=True)
class Finding:
    """The result of checking a rule.

    Attributes
    ----------
    rule
        Name of the rule.
    verdict
        Whether it holds, or that it was not checked.
    detail
        What was seen, what is wrong, or why it was not checked.
    """

    rule: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True)
class Findings:
    """The results of all rules, in their order."""

    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Findings of the rules that do not hold."""
        return tuple(each for each in self.findings if each.verdict == "fail")

    @property
    def unchecked(self) -> tuple[Finding, ...]:
        """Findings of the rules that were not checked."""
        return tuple(each for each in self.findings if each.verdict == "not checked")

    def lines(self) -> Iterator[str]:
        """Yield one line per rule, and one with the numbers."""
        width = max((len(each.rule) for each in self.findings), default=0)
        for each in self.findings:
            yield f"{each.verdict:<11}  {each.rule:<{width}}  {each.detail}".rstrip()
        passed = len(self.findings) - len(self.broken) - len(self.unchecked)
        yield f"{passed} rules pass, {len(self.broken)} fail, {len(self.unchecked)} were not checked"


def checked(rules: Sequence[Rule[Subject]], subject: Subject) -> Iterator[Finding]:
    """Check rules one by one; errors of this package count as broken rules."""
    for rule in rules:
        verdict: Verdict = "pass"
        try:
            detail = rule.check(subject)
        except NotCheckedError as error:
            verdict, detail = "not checked", str(error)
        except DwnAsicError as error:
            verdict, detail = "fail", str(error)
        yield Finding(rule.name, verdict, detail)
