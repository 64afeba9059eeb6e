"""Rule lists: conjunctions of comparisons, of which the first that holds decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from dwn_asic.configuration import Count, as_list
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "RuleList", "RuleListConfig"]


class RuleListConfig(MethodConfig):
    """Ordered rules by incremental reduced error pruning, one list per entry of ``rules``."""

    kind: Literal["rule_list"] = "rule_list"
    """Kind of the method; selects these keys."""
    rules: Annotated[tuple[Count, ...], Field(strict=False), BeforeValidator(as_list)] = (4, 16)
    """Maximum number of rules of each class but the default one, at least 1. A list fits one rule list per
    entry."""
    conditions: Count = 4
    """Maximum number of conditions of a rule, each a comparison of one feature with a constant."""
    bits: Annotated[int, Field(ge=1, le=16)] | None = None
    """Number of leading bits of a code that thresholds may depend on, from 1 to 16, as in ``optimal_tree``.
    By default all bits."""
    draws: Count = 8
    """Number of lists that are fitted with other random splits into rows to grow and rows to prune; the one
    that is best on validation rows is kept."""


@dataclass(frozen=True)
class RuleList:
    """Rules for all classes but the most frequent one, which is the default where no rule holds.

    From the rarest class on, each rule is grown by FOIL's information gain on two thirds of the rows that no
    earlier rule covers, and pruned on the rest. There is no optimization of the finished list, in which
    RIPPER replaces rules one by one.

    Attributes
    ----------
    rules, conditions, bits, draws
        As in :class:`RuleListConfig`.

    References
    ----------
    Cohen, Fast Effective Rule Induction, ICML 1995; Fuernkranz and Widmer, Incremental Reduced Error Pruning,
    ICML 1994.
    """

    rules: int
    conditions: int = 4
    bits: int | None = None
    draws: int = 8

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit a list; the seed determines the splits into rows to grow and rows to prune."""
        import numpy as np

        from dwn_asic.methods.parts.fitting_steps import best_on_validation
        from dwn_asic.methods.parts.rules import fit_rules
        from dwn_asic.methods.parts.tree_logic import dropped_bits

        dropped = dropped_bits(dataset.quantizer.bits, self.bits)
        codes, labels = dataset.part("train")
        val_codes, _ = dataset.part("val")
        generator = np.random.default_rng(seed)
        found = (
            fit_rules(codes >> dropped, labels, self.rules, self.conditions, generator).over_all_bits(dropped)
            for _ in range(self.draws)
        )
        best = best_on_validation(found, lambda each: each.predict(val_codes), dataset, progress)
        graph = best.graph(dataset.interface)
        details = {
            "rules": len(best.rules),
            "conditions": sum(len(rule.conditions) for rule in best.rules),
            "thresholds": len(graph.inputs),
        }
        return Fitted(graph, best.predict(dataset.codes), details)


def _plans(config: RuleListConfig) -> Iterator[Plan]:
    more = f", {config.bits} bits" if config.bits is not None else ""
    for rules in config.rules:
        fitter = RuleList(rules, config.conditions, config.bits, config.draws)
        name = f"rules-{rules}" + (f"-{config.bits}bits" if config.bits is not None else "")
        yield Plan(name, f"rule list, {rules} rules per class{more}", config.kind, fitter)


METHOD = Method(
    "rule_list",
    RuleListConfig,
    _plans,
    Look("rule list", "#117733", ">"),
    "Cohen, Fast Effective Rule Induction, ICML 1995, without the optimization of the list",
    rank=14,
    sizes=True,
    objective="choice",
    packages=("numpy",),
)
