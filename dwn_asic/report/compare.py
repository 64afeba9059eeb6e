"""The changes between two results, metric by metric, and their direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dwn_asic.metrics import Metric
from dwn_asic.report.metrics import metrics
from dwn_asic.report.result import MethodResult, Result

__all__ = ["Change", "changes", "compare_lines", "setup_changes"]

Direction = Literal["better", "worse", "changed"]


@dataclass(frozen=True)
class Change:
    """One metric of one method that both results have, with two values.

    Attributes
    ----------
    method
        Name of the method, for example ``tree-16``.
    metric
        Metric of the registry, which says which direction is better.
    before, after
        The two values, in the metric's unit.
    """

    method: str
    metric: Metric
    before: float
    after: float

    @property
    def direction(self) -> Direction:
        """Direction of the change; ``changed`` for metrics that have no better direction."""
        if self.metric.higher_is_better is None:
            return "changed"
        return "better" if (self.after > self.before) == self.metric.higher_is_better else "worse"


def changes(before: Result, after: Result) -> list[Change]:
    """Return the metrics whose values differ, for methods that both have, in the order of the registry."""
    others = {method.name: method for method in after.methods}
    return [
        change
        for method in before.methods
        if method.name in others
        for change in _of_method(method, others[method.name])
    ]


def _of_method(before: MethodResult, after: MethodResult) -> Iterator[Change]:
    for name, metric in metrics().items():
        if name in before.metrics and name in after.metrics and before.metrics[name] != after.metrics[name]:
            yield Change(before.name, metric, float(before.metrics[name]), float(after.metrics[name]))


def setup_changes(before: Result, after: Result) -> list[str]:
    """Return what else differs: data, seed, library, tools, and methods that only one of them has."""
    lines = []
    for key in ("flow", "source", "seed", "metric", "split", "input_bits", "pdk"):
        one, other = getattr(before, key), getattr(after, key)
        if one != other:
            lines.append(f"{key}: {one} -> {other}")
    for tool in sorted({*before.tools, *after.tools}):
        versions = before.tools.get(tool, "none"), after.tools.get(tool, "none")
        if versions[0] != versions[1]:
            lines.append(f"{tool}: {versions[0]} -> {versions[1]}")
    names = [{method.name for method in result.methods} for result in (before, after)]
    lines += [f"{name}: only in the first" for name in sorted(names[0] - names[1])]
    lines += [f"{name}: only in the second" for name in sorted(names[1] - names[0])]
    return lines


def compare_lines(before: Result, after: Result) -> list[str]:
    """Return lines for people: differences of the setup, a line for each change, then their numbers."""
    found = changes(before, after)
    lines = setup_changes(before, after)
    for change in found:
        share = f" ({change.after / change.before - 1:+.1%})" if change.before else ""
        unit = f" {change.metric.unit}" if change.metric.unit not in ("", "1") else ""
        lines.append(
            f"{change.method}: {change.metric.name} {change.before:g} -> {change.after:g}{unit}{share}: "
            f"{change.direction}"
        )
    count = {way: sum(change.direction == way for change in found) for way in ("better", "worse", "changed")}
    lines.append(
        ", ".join(f"{number} {way}" for way, number in count.items()) if found else "no metric differs"
    )
    return lines
