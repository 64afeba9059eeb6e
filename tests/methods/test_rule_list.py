from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_datasets import blobs, datasets, load, make

from dwn_asic.boolean.graph import Interface, Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Plan
from dwn_asic.methods.parts.rules import Condition, Rule, Rules, _best_condition, fit_rules
from dwn_asic.methods.registry import plan
from dwn_asic.methods.rule_list import RuleList, RuleListConfig

CODES = np.stack(np.meshgrid(np.arange(8), np.arange(8)), axis=-1).reshape(-1, 2)
INTERFACE = Interface(("x", "y"), (3, 3), ("a", "b", "c"))


@st.composite
def rule_lists(draw: st.DrawFn) -> Rules:
    condition = st.builds(Condition, st.integers(0, 1), st.integers(1, 7), st.booleans())
    rule = st.builds(Rule, st.lists(condition, min_size=1, max_size=4).map(tuple), st.integers(0, 2))
    return Rules(tuple(draw(st.lists(rule, max_size=5))), draw(st.integers(0, 2)))


def first_that_holds(rules: Rules, row: tuple[int, int]) -> int:
    for rule in rules.rules:
        if all((row[c.feature] >= c.constant) is c.at_least for c in rule.conditions):
            return rule.label
    return rules.default


@settings(max_examples=60, deadline=None)
@given(rule_lists())
def test_predictions_and_circuit_are_the_first_rule_that_holds(rules: Rules) -> None:
    wanted = [first_that_holds(rules, (int(x), int(y))) for x, y in CODES]
    assert rules.predict(CODES).tolist() == wanted
    assert rules.graph(INTERFACE).predict(CODES).tolist() == wanted


@settings(max_examples=30, deadline=None)
@given(rule_lists())
def test_rules_over_leading_bits_become_rules_over_whole_codes(rules: Rules) -> None:
    dropped = np.array([2, 0])
    whole = np.stack(np.meshgrid(np.arange(32), np.arange(8)), axis=-1).reshape(-1, 2)
    found = rules.over_all_bits(dropped)
    assert np.array_equal(found.predict(whole), rules.predict(whole >> dropped))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32))
def test_the_best_condition_has_the_highest_gain_of_all(seed: int) -> None:
    generator = np.random.default_rng(seed)
    column, own = generator.integers(0, 6, size=30), generator.random(30) < 0.4
    own[:2] = True, False

    def gain(condition: Condition) -> float:
        covered = condition.holds(column[:, None])
        hits = int((covered & own).sum())
        return hits * float(np.log2(hits / covered.sum()) - np.log2(own.mean())) if hits else 0.0

    found, condition = _best_condition(column, own, 0)
    every = [Condition(0, c, side) for c in np.unique(column)[1:] for side in (True, False)]
    assert found == pytest.approx(max(0.0, *map(gain, every)))
    if found:
        assert gain(condition) == pytest.approx(found)


@pytest.mark.parametrize("rows", [400, 2000])
def test_a_conjunction_is_found(rows: int) -> None:
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 16, size=(rows, 4))
    labels = ((codes[:, 1] >= 8) & (codes[:, 3] < 4)).astype(np.int64)
    rules = fit_rules(codes, labels, 4, 4, generator)
    assert (rules.predict(codes) == labels).all()
    assert {(c.feature, c.constant, c.at_least) for c in rules.rules[0].conditions} == {
        (1, 8, True),
        (3, 4, False),
    }
    assert rules.default == 0


@settings(max_examples=20, deadline=None)
@given(datasets(), st.sampled_from([1, 3]), st.sampled_from([None, 2]))
def test_any_data_set_gives_a_circuit_of_few_rules(dataset: Dataset, rules: int, bits: int | None) -> None:
    # The plan compares the circuit with the predictions of the rules on every row.
    found = Plan("x", "x", "rule_list", RuleList(rules, 2, bits, draws=2)).fit(dataset, 0)
    classes = len(np.unique(dataset.part("train")[1]))
    assert int(found.details["rules"]) <= rules * (classes - 1)
    assert int(found.details["conditions"]) <= 2 * int(found.details["rules"])


def test_accurate_and_repeatable_on_cheap_thresholds() -> None:
    dataset = load("bundled:phoneme")
    planned = Plan("rules", "rules", "rule_list", RuleList(16, bits=4))
    one, again = planned.fit(dataset, 5), planned.fit(dataset, 5)
    assert one.accuracy(dataset)["test"] > 0.78
    assert one.graph is not None
    assert again.graph is not None
    assert list(one.graph.nodes()) == list(again.graph.nodes())
    assert all(node.constant % 16 == 0 for _, node in one.graph.inputs if isinstance(node, Threshold))


def test_several_classes() -> None:
    dataset = blobs(5)
    found = Plan("rules", "rules", "rule_list", RuleList(4)).fit(dataset, 0)
    assert found.accuracy(dataset)["test"] > 0.5


def test_one_class_needs_no_rule() -> None:
    labels = np.repeat([0, 0], 20)
    dataset = make(np.random.default_rng(0).normal(size=(40, 2)), labels)
    found = Plan("rules", "rules", "rule_list", RuleList(4)).fit(dataset, 0)
    assert found.details == {"rules": 0, "conditions": 0, "thresholds": 0}


def test_a_configuration_plans_each_number_of_rules() -> None:
    assert [each.name for each in plan([RuleListConfig(rules=[2, 8], bits=4)])] == [
        "rules-2-4bits",
        "rules-8-4bits",
    ]
