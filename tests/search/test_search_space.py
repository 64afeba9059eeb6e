"""The search space: how it is written, what it holds, and what it does to a flow file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dwn_asic.errors import ConfigError
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.search.recipes import TREES, base_sections, default_space, first_assignments
from dwn_asic.search.space import Choices, Numbers, applied, corners, including, own, read_axis
from dwn_asic.yaml_file import load_yaml

FLOW = {"data": {"source": "sklearn:iris"}, "model": {"layers": [{"luts": 2, "inputs": 2}]}, "shrink": {}}


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("[2, 64]", Numbers(2, 64, whole=True)),
        ("[0.5, 2]", Numbers(0.5, 2, whole=False)),
        ("log[0.001, 0.1]", Numbers(0.001, 0.1, whole=False, log=True)),
        ("log[1, 64]", Numbers(1, 64, whole=True, log=True)),
        ("one_of[8, 16]", Choices(("8", "16"))),
        ("[4, 8, 16]", Choices(("4", "8", "16"))),
        ("[[6, 4], [4, 4]]", Choices(("[6, 4]", "[4, 4]"))),
        ("[true, false]", Choices(("true", "false"))),
        ("[binary]", Choices(('"binary"',))),
    ],
)
def test_an_axis_is_read_from_yaml(text: str, axis: object) -> None:
    assert read_axis(yaml.safe_load(f"key: {text}")["key"]) == axis


@pytest.mark.parametrize(
    "value", [3, "text", [], [3, 2], "log[0, 1]", "log[1, 2, 3]", "log[", None, {"a": 1}]
)
def test_anything_else_is_no_axis(value: object) -> None:
    with pytest.raises(ValueError, match=r"\["):
        read_axis(value)


def test_applying_an_assignment_keeps_other_keys_and_the_content() -> None:
    space = {"model.pyramid": Choices.of([[4, 4]]), "training.epochs": Numbers(1, 9, whole=True)}
    before = json.dumps(FLOW)
    changed = applied(FLOW, space, {"model.pyramid": "[4, 4]", "training.epochs": 3})
    assert changed["model"] == {"pyramid": [4, 4]}
    assert changed["training"] == {"epochs": 3}
    assert changed["data"] == FLOW["data"]
    assert json.dumps(FLOW) == before
    assert applied(FLOW, {"model.pyramid": Choices(("null",))}, {"model.pyramid": "null"}) == FLOW


def test_a_space_is_widened_by_the_values_of_the_flow() -> None:
    space = {"encoder.bits": Numbers(4, 8, whole=True), "model.code": Choices.of(["onehot"])}
    content = {"encoder": {"bits": 32}, "model": {"code": "binary"}}
    assert including(space, content) == {
        "encoder.bits": Numbers(4, 32, whole=True),
        "model.code": Choices(('"onehot"', "null")),
    }
    assert own(space, content) == {"encoder.bits": 32, "model.code": "null"}
    with pytest.raises(ValueError, match=r"training\.efd\.alpha: the flow has None"):
        own({"training.efd.alpha": Numbers(0.1, 1.0, whole=False)}, content)


def flow_of(sections: Mapping[str, Any]) -> Path:
    file = Path("flow.yaml")
    file.write_text(yaml.safe_dump({"data": {"source": "sklearn:iris"}, **sections}))
    return file


@pytest.mark.parametrize(
    ("n_classes", "trees", "n_train"), [(7, False, 100), (2, True, 100), (2, False, 60_000), (7, True, 100)]
)
def test_every_value_of_the_default_space_is_allowed(n_classes: int, trees: bool, n_train: int) -> None:
    file = flow_of(base_sections(n_train, n_classes))
    content = load_flow(file).model_dump(mode="json")
    space = including(default_space(n_classes, trees=trees), content)
    first = first_assignments(space, own(space, content))
    assert len(first) > 2
    changes = [*first, *(assignment for _, assignment in corners(space))]
    for number, assignment in enumerate(changes):
        changed = Path(f"trial{number}.yaml")
        changed.write_text(yaml.safe_dump(applied(load_yaml(file), space, assignment)))
        load_flow(changed)


def test_the_first_recipe_is_that_of_the_studies() -> None:
    root = Path(__file__).resolve().parents[2] / "flows"
    studied = load_yaml(root / "base" / "nine.yaml")
    own_sections = base_sections(3000, 2)
    assert own_sections["training"] == studied["training"]
    assert own_sections["encoder"] == studied["encoder"]
    assert {key: studied["shrink"][key] for key in own_sections["shrink"]} == own_sections["shrink"]
    widths = [(layer["luts"], layer["inputs"]) for layer in studied["model"]["layers"]]
    assert widths == [(24, 6), (4, 6), (1, 4)]  # a pyramid of 6, 6, 4
    assert own_sections["model"] == {"pyramid": [6, 6, 4]}
    skin = load_yaml(root / "nine" / "skin_seg.yaml")
    many = base_sections(147_000, 2)
    assert {**studied["training"], **skin["training"]} == many["training"]
    assert skin["shrink"]["prices"] == many["shrink"]["prices"]
    assert own_sections["baselines"] == [TREES]


def test_the_recipe_for_many_classes_is_that_of_their_study() -> None:
    studied = load_yaml(Path(__file__).resolve().parents[2] / "flows" / "base" / "classes.yaml")
    sections = base_sections(3000, 10)
    assert sections["encoder"] == studied["encoder"]
    trees = {"kind": "decision_tree", "leaves": [256]}
    assert sections["baselines"] == [trees]
    same = {**studied["shrink"], "starts": ["dwn", trees["kind"]]}
    assert sections["shrink"] == {key: same[key] for key in sections["shrink"]}
    content = load_flow(flow_of(sections)).model_dump(mode="json")
    space = including(default_space(10, trees=True), content)
    starts = [json.loads(each["shrink.starts"]) for each in first_assignments(space, own(space, content))]
    assert starts[:2] == [["dwn", "decision_tree"], ["decision_tree"]]
    assert "shrink.starts" not in default_space(10, trees=False)


@pytest.mark.parametrize(
    ("search", "problem"),
    [
        ({"encoder.bitz": [2, 8]}, "search.encoder.bitz: 2: unknown key"),
        ({"encoder.bits": [0, 8]}, "search.encoder.bits: 0: is 0"),
        ({"encoder.bits": 8}, "search.encoder.bits: is 8"),
        ({"data.split.val": [0.1, 0.2]}, "search.data.split.val: cannot be searched"),
        ({"model.pyramid": [[9]]}, "search.model.pyramid: [9]: model.pyramid.0: is 9"),
        ({"shrink.max_area": "log[0, 2]"}, "two ascending numbers"),
    ],
)
def test_a_wrong_space_is_an_error_that_names_its_key(search: dict[str, object], problem: str) -> None:
    file = Path("flow.yaml")
    file.write_text(yaml.safe_dump({**FLOW, "search": search}))
    with pytest.raises(ConfigError) as raised:
        load_flow(file)
    assert problem in str(raised.value)


def test_keys_that_are_not_used_are_not_written() -> None:
    file = Path("flow.yaml")
    file.write_text(yaml.safe_dump(FLOW))
    dumped = load_flow(file).model_dump(mode="json")
    assert "search" not in dumped
    assert not {"max_area", "min_score"} & dumped["shrink"].keys()
    file.write_text(yaml.safe_dump({**FLOW, "search": {"encoder.bits": [2, 8]}, "shrink": {"max_area": 9.0}}))
    dumped = load_flow(file).model_dump(mode="json")
    assert dumped["search"] == {"encoder.bits": [2, 8]}
    assert dumped["shrink"]["max_area"] == 9.0
