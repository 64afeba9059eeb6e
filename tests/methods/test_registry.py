"""Each method declares everything about itself in one module, and nothing else lists methods."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.colors import is_color_like
from matplotlib.markers import MarkerStyle

import dwn_asic
from dwn_asic.errors import DwnAsicError
from dwn_asic.methods import registry
from dwn_asic.methods.base import LAST, MethodConfig
from dwn_asic.methods.registry import method, methods, plan, register

PACKAGE = Path(dwn_asic.__file__).parent
KINDS = tuple(methods())
HEAVY = {"torch", "numpy", "scipy", "sklearn", "numba", "networkx", "matplotlib", "xgboost", "pytorch_tabnet"}


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the registry search again, and forget what the test registers."""
    monkeypatch.setattr(registry, "_registered", {})
    registry._discovered.cache_clear()
    yield
    registry._discovered.cache_clear()


def distribution(folder: Path, value: str, source: str) -> None:
    """Install a distribution with a module ``outside`` and an entry point for it."""
    (folder / "outside_methods-1.0.dist-info").mkdir(parents=True)
    (folder / "outside_methods-1.0.dist-info" / "METADATA").write_text(
        "Name: outside-methods\nVersion: 1.0\n"
    )
    entry_points = f"[{registry.GROUP}]\nmine = {value}\n"
    (folder / "outside_methods-1.0.dist-info" / "entry_points.txt").write_text(entry_points)
    (folder / "outside.py").write_text(source)


def test_all_kinds_in_the_order_of_tables() -> None:
    assert KINDS == (
        "dwn",
        "decision_tree",
        "optimal_tree",
        "rule_list",
        "tiny_classifier",
        "forest",
        "boosted_stumps",
        "linear",
        "sum_table",
        "binarized_mlp",
        "gate_network",
        "wisard",
        "dwn_variant",
        "gbdt",
        "xgboost",
        "tabnet",
        "mlp",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_declaration_is_complete(kind: str) -> None:
    found = method(kind)
    assert found.kind == kind == found.config.model_fields["kind"].default
    assert re.search(r"(19|20)\d\d|arXiv", found.reference)
    assert is_color_like(found.look.colour)
    MarkerStyle(found.look.marker)
    assert found.packages
    assert found.rank < LAST
    assert not (found.sizes and found.software)


def test_no_two_methods_look_alike() -> None:
    looks = [found.look for found in methods().values()]
    assert len({look.name for look in looks}) == len(looks)
    assert len({look.colour for look in looks}) == len(looks)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"dwn", "dwn_variant"}])
def test_the_default_configuration_has_plans_that_repr_tells_apart(kind: str) -> None:
    plans, again = (plan([method(kind).config(kind=kind)]) for _ in range(2))
    assert plans == again
    assert {each.kind for each in plans} == {kind}
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", each.name) for each in plans)
    reprs = [repr(each.fitter) for each in plans]
    assert reprs == [repr(each.fitter) for each in again]
    assert len(set(reprs)) == len(plans)
    assert not any(" at 0x" in text for text in reprs)  # an address, which differs from process to process


def test_an_unknown_kind_is_an_error_that_lists_the_kinds() -> None:
    with pytest.raises(
        DwnAsicError, match=r"no method of kind 'svm' \(allowed: dwn, decision_tree, .*, mlp\)"
    ):
        method("svm")


@pytest.mark.usefixtures("afresh")
def test_what_is_registered_stands_by_its_rank_and_can_be_replaced() -> None:
    first = replace(method("gbdt"), kind="aaa", rank=5)
    register(first)
    assert list(methods())[:3] == ["dwn", "aaa", "decision_tree"]
    register(replace(first, rank=LAST))
    assert list(methods())[-1] == "aaa"
    with pytest.raises(DwnAsicError, match="a method of kind 'gbdt' exists already"):
        register(method("gbdt"))


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize(
    ("value", "source", "problem"),
    [
        ("outside:METHOD", "import nowhere_at_all", "cannot be loaded: No module named 'nowhere_at_all'"),
        ("outside:MISSING", "", "cannot be loaded: module 'outside' has no attribute 'MISSING'"),
        ("outside:METHOD", "METHOD = 3", "must be of type Method, but is of type int"),
        ("outside:METHOD", "from dwn_asic.methods.gbdt import METHOD", "two methods have the kind 'gbdt'"),
    ],
)
def test_a_broken_entry_point_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, source: str, problem: str
) -> None:
    distribution(tmp_path / "site", value, source)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "outside", raising=False)
    with pytest.raises(DwnAsicError, match=problem):
        methods()


def test_reading_a_flow_loads_nothing_heavy() -> None:
    program = (
        "import sys; import dwn_asic.flow.config; from dwn_asic.methods.registry import methods; methods();"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not HEAVY & set(done.stdout.split())


def test_nothing_outside_its_module_names_a_method() -> None:
    # Results of flows still name our own network, whose row has the same name as its kind.
    named = set()
    for path in PACKAGE.rglob("*.py"):
        if PACKAGE / "methods" in path.parents:
            continue
        constants = {
            node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
        }
        named |= {f"{path.relative_to(PACKAGE)}: {kind}" for kind in constants & set(KINDS) - {"dwn"}}
    assert not named


def test_a_configuration_of_another_base_keeps_its_keys() -> None:
    for found in methods().values():
        assert issubclass(found.config, MethodConfig)
        assert found.config.model_config.get("extra") == "forbid"
        assert found.config.model_config.get("frozen")
