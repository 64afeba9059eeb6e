"""Plug-ins are found where they are defined: in a package's modules, and at entry points."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from dwn_asic.discovery import discover
from dwn_asic.errors import DwnAsicError


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of installed packages: ``shop``, and a distribution that adds to it from outside."""
    (tmp_path / "shop" / "toys").mkdir(parents=True)
    for name, text in {
        "shop/__init__.py": "",
        "shop/pears.py": "ARTICLE = 'pears'\n",
        "shop/apples.py": "ARTICLE = 'apples'\n",
        "shop/prices.py": "PRICE = 3\n",
        "shop/toys/__init__.py": "ARTICLE = 'toys'\n",
        "shop/toys/bears.py": "ARTICLE = 'not looked for'\n",
        "shop_supplier.py": "SHOES, BOOTS = 'shoes', 'boots'\n",
    }.items():
        (tmp_path / name).write_text(text)
    information = tmp_path / "outside-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    articles = "[shop.articles]\nshoes = shop_supplier:SHOES\nboots = shop_supplier:BOOTS\n"
    points = f"{articles}[shop.others]\na = shop_supplier:NONE\n"
    (information / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return tmp_path


def test_modules_then_entry_points_each_in_order(installed: Path) -> None:
    found = list(discover("shop", "ARTICLE", "shop.articles", str))
    assert found == ["apples", "pears", "toys", "boots", "shoes"]


def test_a_package_without_any(installed: Path) -> None:
    assert list(discover("shop", "NOTHING", "shop.nothing", str)) == []
    assert list(discover("shop", "PRICE", "shop.nothing", int)) == [3]


def test_an_entry_point_that_leads_nowhere_is_an_error(installed: Path) -> None:
    with pytest.raises(DwnAsicError, match=r"'a' of the group 'shop.others' .* cannot be loaded: .*NONE"):
        list(discover("shop", "NOTHING", "shop.others", str))


def test_something_else_is_an_error(installed: Path) -> None:
    with pytest.raises(DwnAsicError, match=r"\.PRICE must be of type str, but is of type int"):
        list(discover("shop", "PRICE", "shop.nothing", str))
