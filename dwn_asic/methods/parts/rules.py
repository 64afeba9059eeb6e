"""Ordered rules over integer codes: how they are grown and pruned, what they predict, and their logic."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold

__all__ = ["Condition", "Rule", "Rules", "fit_rules"]

_AND, _OR, _NOT = 0b1000, 0b1110, 0b01
_NOT_AND = 0b0100
"""Truth table: fan-in 1 and not fan-in 0."""
_GROWN = 2 / 3
"""Share of the rows on which rules grow; the others prune them."""


@dataclass(frozen=True)
class Condition:
    """A comparison of a code with a constant: at least the constant, or below it."""

    feature: int
    constant: int
    at_least: bool

    def holds(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return the (N,) rows of (N, F) codes for which it holds."""
        reached: NDArray[np.bool_] = codes[:, self.feature] >= self.constant
        return reached == self.at_least


@dataclass(frozen=True)
class Rule:
    """A class, and the conditions that must all hold for it."""

    conditions: tuple[Condition, ...]
    label: int

    def covers(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return the (N,) rows of (N, F) codes for which all conditions hold."""
        covered = np.ones(len(codes), np.bool_)
        for condition in self.conditions:
            covered &= condition.holds(codes)
        return covered


@dataclass(frozen=True)
class Rules:
    """Rules of which the first that covers a row decides, and the class of rows that none covers."""

    rules: tuple[Rule, ...]
    default: int

    def predict(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the (N,) class indices of (N, F) codes."""
        found = np.full(len(codes), self.default, np.int64)
        for rule in reversed(self.rules):
            found[rule.covers(codes)] = rule.label
        return found

    def over_all_bits(self, dropped: NDArray[np.int64]) -> Rules:
        """Return rules over codes without their (F,) lowest bits as rules over whole codes."""

        def whole(condition: Condition) -> Condition:
            return replace(condition, constant=condition.constant << int(dropped[condition.feature]))

        return replace(
            self,
            rules=tuple(replace(rule, conditions=tuple(map(whole, rule.conditions))) for rule in self.rules),
        )

    def graph(self, interface: Interface) -> BooleanGraph:
        """Return a graph that outputs the bits of the class index, one gate per rule and bit for priority."""
        builder = GraphBuilder(interface)
        bits = range(interface.class_bits)
        drivers = [builder.add(Constant(bool(self.default >> k & 1))) for k in bits]
        for rule in reversed(self.rules):
            covered = _conjunction(builder, rule)
            drivers = [
                builder.add(Lut((covered, drivers[k]), _OR if rule.label >> k & 1 else _NOT_AND))
                for k in bits
            ]
        return builder.finish(drivers)


def _conjunction(builder: GraphBuilder, rule: Rule) -> int:
    nodes = []
    for condition in rule.conditions:
        reached = builder.add(Threshold(condition.feature, condition.constant))
        nodes.append(reached if condition.at_least else builder.add(Lut((reached,), _NOT)))
    while len(nodes) > 1:  # a tree of pairs keeps the longest path short
        pairs = zip(nodes[::2], nodes[1::2], strict=False)
        nodes = [builder.add(Lut(pair, _AND)) for pair in pairs] + (nodes[-1:] if len(nodes) % 2 else [])
    return nodes[0]


def fit_rules(
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    most_rules: int,
    most_conditions: int,
    generator: np.random.Generator,
) -> Rules:
    """Fit rules for one class after the other, from the rarest to the most frequent but one.

    Parameters
    ----------
    codes, labels
        (N, F) codes and (N,) class indices of the training rows, at least one.
    most_rules, most_conditions
        Maximum number of rules of a class, and of conditions of a rule.
    generator
        Splits the rows that are left before each rule into rows to grow it and rows to prune it.

    References
    ----------
    Fuernkranz and Widmer, Incremental Reduced Error Pruning, ICML 1994, with the pruning metric of Cohen,
    Fast Effective Rule Induction, ICML 1995. A rule that errs on half of the rows to prune ends its class.
    """
    classes, counts = np.unique(labels, return_counts=True)
    order = classes[np.argsort(counts, kind="stable")]
    left = np.arange(len(labels))
    rules: list[Rule] = []
    for label in order[:-1]:
        for _ in range(most_rules):
            grown = generator.random(len(left)) < _GROWN
            own = labels[left] == label
            conditions = _grown(codes[left[grown]], own[grown], most_conditions)
            pruned = _pruned(conditions, codes[left[~grown]], own[~grown])
            if not pruned:
                break
            rules.append(Rule(pruned, int(label)))
            left = left[~rules[-1].covers(codes[left])]
    default = np.bincount(labels[left]).argmax() if len(left) else order[-1]
    return Rules(tuple(rules), int(default))


def _grown(codes: NDArray[np.int64], own: NDArray[np.bool_], most: int) -> tuple[Condition, ...]:
    """Return conditions, each with the highest gain after those before it, until they exclude other classes.

    The gain is FOIL's: covered rows of the class times the bits of information that each of them saves.
    """
    conditions: list[Condition] = []
    while own.any() and not own.all() and len(conditions) < most:
        gain, best = max(
            (_best_condition(codes[:, f], own, f) for f in range(codes.shape[1])), key=lambda found: found[0]
        )
        if gain <= 0.0:
            break
        conditions.append(best)
        kept = best.holds(codes)
        codes, own = codes[kept], own[kept]
    return tuple(conditions)


def _best_condition(
    column: NDArray[np.int64], own: NDArray[np.bool_], feature: int
) -> tuple[float, Condition]:
    """Return the highest gain of a condition on one feature, and the condition; ties go to the first."""
    seen, place = np.unique(column, return_inverse=True)
    below = [np.cumsum(np.bincount(place[rows], minlength=len(seen)))[:-1] for rows in (own, ~own)]
    before = np.log2(own.mean())
    best = 0.0, Condition(feature, 0, at_least=True)
    for at_least in (True, False):
        hits, misses = (
            (rows.sum() - count) if at_least else count
            for rows, count in zip((own, ~own), below, strict=True)
        )
        share = hits / np.maximum(1, hits + misses)
        gains = hits * (np.log2(np.maximum(share, 1e-300)) - before)
        if len(gains) and gains.max() > best[0]:
            number = int(gains.argmax())
            best = float(gains[number]), Condition(feature, int(seen[number + 1]), at_least)
    return best


def _pruned(
    conditions: tuple[Condition, ...], codes: NDArray[np.int64], own: NDArray[np.bool_]
) -> tuple[Condition, ...]:
    """Return the first conditions that leave the highest ``(p - n) / (p + n)``; none if that is not above 0.

    p and n count the covered rows of the class and of others. Ties go to the fewest conditions.
    """
    best, kept = 0.0, 0
    covered = np.ones(len(own), np.bool_)
    for number, condition in enumerate(conditions, 1):
        covered &= condition.holds(codes)
        hits, misses = int((covered & own).sum()), int((covered & ~own).sum())
        if hits + misses and (hits - misses) / (hits + misses) > best:
            best, kept = (hits - misses) / (hits + misses), number
    return conditions[:kept]
