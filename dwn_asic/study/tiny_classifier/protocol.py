"""The tables of a study with Tiny Classifiers that keep to their paper."""

from __future__ import annotations

from dwn_asic.methods.decision_tree import METHOD as TREE
from dwn_asic.methods.tiny_classifier import METHOD as TINY
from dwn_asic.study.energy import energy_tables
from dwn_asic.study.equal_accuracy import equal_accuracy_table
from dwn_asic.study.front_tables import domination_table, equal_area_table
from dwn_asic.study.protocol import Protocol
from dwn_asic.study.ranks import Entrants, alone, best_of_family, rank_table
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Table
from dwn_asic.study.tiny_classifier.generations import generations_table
from dwn_asic.study.tiny_classifier.headline import headline_table
from dwn_asic.study.tiny_classifier.paper import BASELINES

__all__ = ["PROTOCOL"]


def _baselines(study: Study) -> list[str]:
    """Return the paper's Tiny Classifiers that the study has."""
    return [name for name in BASELINES if name in study.methods]


def _tables(study: Study) -> list[Table]:
    """Return the headline first, then where a tree is better, then the general comparisons."""
    tiny = _baselines(study)
    found = [headline_table(study, tiny[0]), *energy_tables(study), generations_table(study, tiny)]
    if any(method.method == TREE.kind for method in study.methods.values()):
        found += [
            rank_table(study, _entrants(study)),
            domination_table(study, TREE.kind, "above_tree"),
            equal_area_table(study),
            equal_accuracy_table(study),
        ]
    return found


def _entrants(study: Study) -> Entrants:
    """Return the methods to rank; trees take part as the best of their sizes."""
    found = {}
    for name, method in study.methods.items():
        if method.method not in {TREE.kind, TINY.kind} or name in BASELINES:
            found[name] = alone(method)
        elif method.method == TREE.kind:
            found[TREE.kind] = best_of_family(TREE.kind)
    return found


PROTOCOL = Protocol(lambda study: bool(_baselines(study)), _tables)
