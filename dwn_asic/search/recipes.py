"""Recipes that have worked on many data sets: what a search tries first, and the space around them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dwn_asic.methods.decision_tree import METHOD as TREE
from dwn_asic.search.space import Assignment, Choices, Numbers, Space

__all__ = ["TREES", "base_sections", "default_space", "first_assignments"]

TREES: Mapping[str, Any] = {"kind": TREE.kind, "leaves": [16, 64]}
"""Entry of ``baselines`` whose circuits the recipes anneal too. A tree finds short paths through many
features, where a trained network spreads over all of them."""

_PYRAMIDS = ([6, 6, 4], [6, 6, 6], [4, 4, 4], [6, 4, 4], [6, 6], [6, 4], [4, 4, 4, 4])
_VOTES = (6, 12, 20)
"""LUTs per class of a network of votes."""
_MANY_ROWS, _LARGE_BATCH, _FEW_EPOCHS = 50_000, 512, 15
"""Number of training rows from which on larger batches and fewer epochs train as well."""


def base_sections(n_train: int, n_classes: int) -> dict[str, Any]:
    """Return the sections of a flow file that suit a table of this size: the first recipe.

    For two classes it is that of the study ``flows/nine``, for more that of ``flows/classes``.
    """
    many = n_train >= _MANY_ROWS
    training: dict[str, Any] = {"epochs": _FEW_EPOCHS if many else 60, "restarts": 4}
    if many:
        training["batch_size"] = _LARGE_BATCH
    prices = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
    sections: dict[str, Any] = {
        "encoder": {"input_bits": 8, "bits": 32},
        "model": {"pyramid": list(_PYRAMIDS[0])},
        "training": training,
        "shrink": {"prices": [*prices, 512.0, 2048.0] if many else prices, "proposals": 1_000_000},
        "minimize": {"effort": "low", "budget_s": 10.0, "timeout_s": 60.0},
        "synthesis": {"timeout_s": 100.0},
        "baselines": [dict(TREES)],
    }
    if n_classes > 2:
        sections["encoder"]["bits"] = 8
        sections["model"] = _votes(_VOTES[1], n_classes)
        training["restarts"] = 1
        sections["baselines"] = [{**TREES, "leaves": [256]}]
        sections["shrink"] |= {
            "prices": [2.0, 8.0, 32.0, 128.0, 512.0],
            "starts": ["dwn", TREE.kind],
            "circuits": 64,
            "committees": 48,
        }
    return sections


def default_space(n_classes: int, *, trees: bool) -> Space:
    """Return the space that a flow without a section ``search`` is searched in.

    Parameters
    ----------
    n_classes
        Number of classes.
    trees
        Whether the flow has decision trees among its baselines, which may then be starts.
    """
    space: dict[str, Choices | Numbers] = {
        "encoder.bits": Numbers(4, 64, whole=True, log=True),
        "training.learning_rate": Numbers(0.005, 0.1, whole=False, log=True),
        "training.distillation": Choices.of([0.0, 0.5]),
    }
    starts = [["dwn"], [TREE.kind], ["dwn", TREE.kind if n_classes > 2 else "untrained"]]
    possible = [each for each in starts if trees or TREE.kind not in each]
    if n_classes > 2:
        space = {"model": Choices.of([_votes(each, n_classes) for each in _VOTES]), **space}
    else:
        space = {"model.pyramid": Choices.of(_PYRAMIDS), **space}
    return {**space, "shrink.starts": Choices.of(possible)} if len(possible) > 1 else space


def _votes(per_class: int, n_classes: int) -> dict[str, Any]:
    layers = [{"luts": per_class * n_classes, "inputs": 6}]
    return {"layers": layers, "head": "popcount", "temperature": 2.0}


def first_assignments(space: Space, flow: Assignment) -> tuple[Assignment, ...]:
    """Return what a search tries before it samples: the flow itself, then changes that often help.

    Parameters
    ----------
    space
        The space, which holds all of the flow's own values.
    flow
        The flow's own values.
    """
    changes: Sequence[Mapping[str, object]] = (
        {"shrink.starts": [TREE.kind]},
        {"model.pyramid": [6, 6, 6]},
        {"model.pyramid": [4, 4, 4], "encoder.bits": 16},
        {"training.distillation": 0.5},
        {"shrink.starts": ["dwn", "untrained"]},
        {"encoder.bits": 64},
    )
    found = [dict(flow)]
    for change in changes:
        values = {key: _on(space, key, value) for key, value in change.items()}
        candidate = {**flow, **{key: value for key, value in values.items() if value is not None}}
        if None not in values.values() and candidate not in found:
            found.append(candidate)
    return tuple(found)


def _on(space: Space, key: str, value: object) -> Any:
    """Return a value as the axis of a key has it; None if it isn't on the axis."""
    axis = space.get(key)
    if isinstance(axis, Choices):
        text = json.dumps(value, sort_keys=True)
        return text if text in axis.texts else None
    if isinstance(axis, Numbers) and isinstance(value, int | float) and axis.low <= value <= axis.high:
        return value
    return None
