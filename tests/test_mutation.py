"""Verification finds every fault that changes something, and accepts those that do not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from mutation.case import Case, Mutant, iris_case, large_case, random_case
from mutation.judge import DRAWS, TEXTS, Verdict, judged, mutants

from dwn_asic.boolean import modules
from dwn_asic.equivalence import check
from dwn_asic.errors import VerificationError

PDK = "sky130hd"


@cache
def cases() -> tuple[Case, ...]:
    return (
        random_case(1, PDK, "none", minimized=False),
        random_case(2, PDK, "both"),
        iris_case(PDK, "outputs"),
    )


@cache
def verdicts() -> tuple[Verdict, ...]:
    """Return the verdicts on two mutants of each kind."""
    return tuple(map(judged, mutants(cases(), 2 * len(DRAWS), np.random.default_rng(0))))


@pytest.mark.tool("iverilog", "vvp")
def test_each_fault_that_changes_something_is_found_where_it_is() -> None:
    assert [str(verdict) for verdict in verdicts() if verdict.mutant.changed and not verdict.right] == []


@pytest.mark.tool("iverilog", "vvp")
def test_each_fault_that_changes_nothing_passes() -> None:
    assert [str(verdict) for verdict in verdicts() if not verdict.mutant.changed and not verdict.right] == []


@pytest.mark.tool("iverilog", "vvp")
def test_faults_of_all_kinds_are_drawn() -> None:
    stages = Counter(verdict.mutant.stage for verdict in verdicts())
    assert stages.keys() == {"model", "graph", "minimized", "Verilog", "netlist"}
    assert min(stages.values()) >= 10
    assert len({(v.mutant.stage, v.mutant.kind) for v in verdicts()}) == len(DRAWS)
    changed = sum(verdict.mutant.changed for verdict in verdicts())
    assert 0.7 * len(verdicts()) < changed < len(verdicts())


@pytest.mark.tool("iverilog", "vvp")
def test_faults_of_a_circuit_in_modules_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof by modules may reject equal texts, so only faults that change something are expected."""
    monkeypatch.setattr(modules, "MOST_NODES", 100)
    monkeypatch.setattr(modules, "MODULE_NODES", 60)
    case = large_case(PDK, "both")
    found = [*map(judged, mutants([case], len(TEXTS), np.random.default_rng(1), TEXTS))]
    changed = [verdict for verdict in found if verdict.mutant.changed]
    assert len(changed) > 0.7 * len(found)
    assert [str(verdict) for verdict in changed if not verdict.message] == []


@pytest.mark.tool("iverilog", "vvp")
def test_the_judge_notices_a_check_that_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "find_difference", lambda *_, **__: None)
    monkeypatch.setattr(check, "find_difference_on_codes", lambda *_, **__: None)
    kinds = {"inverted pin", "core: inverted pin"}
    found = [
        judged(verdict.mutant)
        for verdict in verdicts()
        if verdict.mutant.kind in kinds and verdict.mutant.changed and verdict.mutant.stage != "model"
    ]
    assert len(found) >= 4
    assert not any(verdict.right for verdict in found)


@pytest.mark.tool("iverilog", "vvp")
def test_the_judge_notices_a_check_that_rejects_what_is_right() -> None:
    case = cases()[0]
    wrong = replace(case.specification, graph=cases()[2].graph)
    verdict = judged(Mutant("another graph", "graph", case, case.built, wrong, changed=False))
    assert verdict.message.startswith("graph == minimized fails: the encoder has other feature names")
    assert not verdict.right
    assert "unchanged, graph == minimized fails" in str(verdict)


@pytest.mark.tool("iverilog", "vvp")
def test_names_and_widths_of_the_circuit_must_be_those_of_the_graph() -> None:
    graph, circuit = cases()[0].graph, cases()[0].circuit
    for field, what in (("class_names", "class names"), ("feature_names", "feature names")):
        names = tuple(reversed(getattr(graph.interface, field)))
        other = replace(graph.interface, **{field: names})
        renamed = type(graph)([node for _, node in graph.nodes()], other)
        with pytest.raises(VerificationError, match=f"the encoder has other {what}: .*expected {names[0]}, "):
            check.check_interfaces(renamed, circuit)
        core = type(graph)([node for _, node in circuit.core.nodes()], other)
        with pytest.raises(VerificationError, match=f"the core has other {what}"):
            check.check_interfaces(graph, replace(circuit, core=core))
    check.check_interfaces(graph, circuit)
