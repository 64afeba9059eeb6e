"""Design rules: each one is violated by the smallest wrong geometry, and not by the smallest right one."""

from __future__ import annotations

import math
from collections.abc import Callable

import klayout.db as kdb
import pytest
from layouts.drawn_cells import CIRCUIT

from dwn_asic.targets.asic.layout_checks.design_rules import check_rules
from dwn_asic.targets.asic.layout_checks.layout_file import Regions
from dwn_asic.targets.asic.layout_checks.technology import EXTENT, Rule, Technology, load_technology

TECHNOLOGY = load_technology("sky130hd")
IHP = load_technology("ihp-sg13g2")
STEP = 0.005  # the grid
FAR = 1.0


class Drawer:
    """A layout of boxes (um), also on derived layers, which are drawn by what they are made of."""

    def __init__(self, technology: Technology = TECHNOLOGY) -> None:
        self.technology = technology
        self.layout = kdb.Layout()
        self.layout.dbu = 0.001
        self.cell = self.layout.create_cell("top")

    def polygon(self, layer: str, polygon: kdb.DPolygon) -> None:
        number = self.technology.layers[layer]
        self.cell.shapes(self.layout.layer(*number)).insert(polygon.to_itype(self.layout.dbu))

    def box(
        self,
        layer: str,
        left: float,
        bottom: float,
        right: float,
        top: float,
        dx: float = FAR,
        dy: float = FAR,
    ) -> None:
        """Draw a box; of the two layers whose overlap it is, the second is larger by the margins."""
        if layer in self.technology.layers:
            self.polygon(layer, kdb.DPolygon(kdb.DBox(left, bottom, right, top)))
            return
        first, operator, second = self.technology.derived[layer].split()
        self.box(first, left, bottom, right, top, dx, dy)
        if operator == "and":
            self.box(second, left - dx, bottom - dy, right + dx, top + dy, dx, dy)

    def count(self, rule: Rule) -> int:
        alone = self.technology.model_copy(update={"rules": (rule,)})
        return check_rules(self.cell, alone, "drawn").violations


Draw = Callable[[Drawer, Rule, bool], None]


def _width(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    um = (rule.um or 0) - STEP * wrong
    drawer.box(rule.layer or "", 0, 0, um, 10)


def _space(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    gap = (rule.um or 0) - STEP * wrong
    drawer.box(rule.layer or "", 0, 0, 3, 3)
    drawer.box(rule.layer or "", 3 + gap, 0, 6, 3)


def _wide_space(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    gap = (rule.um or 0) - STEP * wrong
    width = (rule.wide or 0) + 2 * STEP
    drawer.box(rule.layer or "", 0, 0, width, 5)
    drawer.box(rule.layer or "", width + gap, 0, 4, 5)


def _wide_run_space(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    gap = (rule.um or 0) - STEP * wrong
    width, run = (rule.wide or 0) + 2 * STEP, (rule.run or 0) + STEP
    drawer.box(rule.layer or "", 0, 0, width, run)
    drawer.box(rule.layer or "", width + gap, 0, width + gap + 0.2, 2 * run)


def _separation(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    gap = (rule.um or 0) - STEP * wrong
    drawer.box(rule.layer or "", 0, 0, 1, 1, dx=0, dy=0.2)
    drawer.box(rule.other or "", 1 + gap, 0, 2 + gap, 1, dx=0, dy=0.2)


def _enclosure(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    margin = (rule.um or 0) - STEP * wrong
    drawer.box(rule.layer or "", 0, 0, 0.2, 0.2, dx=margin, dy=margin)
    drawer.box(rule.other or "", -margin, -margin, 0.2 + margin, 0.2 + margin)


def _extension(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    margin = (rule.um or 0) - STEP * wrong
    drawer.box(rule.other or "", 0, 0, 1, 1)
    drawer.box(rule.layer or "", 0.2, -margin, 0.6, 1 + margin)


def _one_direction(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    margin = (rule.um or 0) - STEP * wrong
    short = (rule.um or 0) - STEP
    drawer.box(rule.layer or "", 0, 0, 0.2, 0.2, dx=margin, dy=short)
    drawer.box(rule.other or "", -margin, -short, 0.2 + margin, 0.2 + short)


def _inside(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    drawer.box(rule.layer or "", 0, 0, 0.2, 0.2)
    drawer.box(rule.other or "", STEP * wrong, 0, 0.2, 0.2)


def _overlap(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    drawer.box(rule.layer or "", 0, 0, 1, 1, dx=0.1, dy=0.1)
    drawer.box(rule.other or "", 1 - STEP * wrong, 0, 2, 1)


def _holds(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    drawer.box(rule.layer or "", 0, 0, 5, 5)
    if not wrong:
        drawer.box(rule.other or "", 1, 1, 2, 2, dx=0.2, dy=0.2)


def _reach(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    end = (rule.um or 0) + 1 + STEP * wrong
    if rule.within != "substrate":
        drawer.box(rule.within or "", -1, -1, 20, 2)
    drawer.box(rule.other or "", 0, 0, 1, 1, dx=0.2, dy=0.2)
    drawer.box(rule.layer or "", end - 1, 0, end, 1, dx=0.2, dy=0.2)


def _size(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    drawer.box(rule.layer or "", 0, 0, rule.um or 0, (rule.um or 0) + STEP * wrong)


def half_of(rule: Rule, wrong: bool) -> float:
    """Return the height at which 0.5 um of width just have the area of a rule, or just lack it."""
    return STEP * (math.ceil((rule.um or 0) / 0.5 / STEP - 1e-6) - wrong)


def _area(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    drawer.box(rule.layer or "", 0, 0, 0.5, half_of(rule, wrong))


def _hole(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    ring = kdb.DPolygon(kdb.DBox(-2, -2, 2, 2))
    ring.insert_hole(kdb.DBox(0, 0, 0.5, half_of(rule, wrong)))
    drawer.polygon(rule.layer or "", ring)


def _grid(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    drawer.box([*drawer.technology.layers][-1], 0, 0, 1 + 0.001 * wrong, 1)


def _edge(drawer: Drawer, rule: Rule, wrong: bool) -> None:
    x = 1.0 if rule.check == "half right angles" else 0.0
    for layer in rule.layers:
        points = [kdb.DPoint(0, 0), kdb.DPoint(x + 0.5 * wrong, 1), kdb.DPoint(5, 1), kdb.DPoint(5, 0)]
        drawer.polygon(layer, kdb.DPolygon(points))


DRAW: dict[str, Draw] = {
    "width": _width,
    "space": _space,
    "wide space": _wide_space,
    "wide space along a run": _wide_run_space,
    "separation": _separation,
    "separation beside crossings": _separation,
    "enclosure": _enclosure,
    "extension": _extension,
    "adjacent sides": _one_direction,
    "one direction": _one_direction,
    "inside": _inside,
    "overlap": _overlap,
    "holds": _holds,
    "reach": _reach,
    "size": _size,
    "area": _area,
    "hole": _hole,
    "grid": _grid,
    "right angles": _edge,
    "half right angles": _edge,
}


def of_kind(kind: str) -> list[Rule]:
    return [rule for rule in TECHNOLOGY.rules if rule.check == kind]


@pytest.mark.parametrize(
    ("technology", "rule"),
    [
        pytest.param(process, rule, id=f"{name} {rule.rule}")
        for name, process in (("sky130", TECHNOLOGY), ("ihp", IHP))
        for rule in process.rules
    ],
)
def test_each_rule_tells_wrong_from_right(technology: Technology, rule: Rule) -> None:
    counts = []
    for wrong in (False, True):
        drawer = Drawer(technology)
        DRAW[rule.check](drawer, rule, wrong)
        counts.append(drawer.count(rule))
    assert counts[0] == 0
    assert counts[1] > 0


@pytest.mark.parametrize(
    "rule",
    [rule for rule in of_kind("separation") if rule.other != "nwell"],  # what is outside the well
    ids=lambda rule: rule.rule,
)
def test_separation_covers_overlaps(rule: Rule) -> None:
    drawer = Drawer()
    drawer.box(rule.layer or "", 0, 0, 1, 1, dx=0, dy=0)
    drawer.box(rule.other or "", 0, 0, 1, 1, dx=0, dy=0)
    assert drawer.count(rule) > 0


@pytest.mark.parametrize("rule", of_kind("space"), ids=lambda rule: rule.rule)
def test_spacing_covers_notches(rule: Rule) -> None:
    drawer, gap = Drawer(), (rule.um or 0) - STEP
    for box in ((0, 0, 3, 9), (3 + gap, 0, 6, 9), (0, 7, 6, 9)):
        drawer.box(rule.layer or "", *box)
    assert drawer.count(rule) > 0


@pytest.mark.parametrize("cut", ["mcon", "via", "via2", "via3", "via4"])
def test_enclosure_covers_cuts_that_stick_out(cut: str) -> None:
    for rule in of_kind("enclosure"):
        if rule.layer == cut:
            drawer = Drawer()
            drawer.box(cut, 0, 0, 1, 1)
            assert drawer.count(rule) > 0
            drawer.box(rule.other or "", 0.5, -3, 4, 4)
            assert drawer.count(rule) > 0


def _run_rule() -> Rule:
    return next(each for each in IHP.rules if each.rule == "M2.e")


@pytest.mark.parametrize(
    ("width", "run", "found"), [(0.4, 1.005, 1), (0.4, 1.0, 0), (0.39, 3.0, 0)], ids=["both", "short", "thin"]
)
def test_the_space_along_a_run_is_for_wide_shapes_that_face_each_other(
    width: float, run: float, found: int
) -> None:
    drawer = Drawer(IHP)
    drawer.box("metal2", 0, 0, width, 4)
    drawer.box("metal2", width + 0.235, 4 - run, width + 0.435, 6)
    assert bool(drawer.count(_run_rule())) is bool(found)


def test_the_space_along_a_run_covers_notches() -> None:
    drawer = Drawer(IHP)
    for box in ((0, 0, 0.4, 4), (0.635, 0, 0.835, 4), (0, 3.5, 0.835, 4)):
        drawer.box("metal2", *box)
    assert drawer.count(_run_rule()) > 0


def test_an_extension_is_wanted_only_where_a_shape_leaves_the_other() -> None:
    rule = next(each for each in IHP.rules if each.rule == "pSD.c")
    drawer = Drawer(IHP)
    drawer.box("nwell", -2, -2, 4, 2)
    drawer.box("activ", 0, 0, 2, 1)
    drawer.box("psd", -0.18, -0.18, 1, 1.18)  # the rest of activ is a tie
    assert drawer.count(rule) == 0
    drawer.box("psd", 0.5, 0.2, 0.8, 1.1)
    assert drawer.count(rule) == 0  # it is covered already
    drawer.box("activ", 0.2, 1, 0.4, 1.1)
    assert drawer.count(rule) > 0


def test_a_concave_corner_beside_a_contact_is_allowed_by_adjacent_sides() -> None:
    # The corner of the contact has enough metal on one of its sides.
    rule = next(each for each in TECHNOLOGY.rules if each.check == "adjacent sides")
    drawer = Drawer()
    drawer.box("licon", 0, 0, 0.17, 0.17)
    drawer.box("li1", -0.08, 0.05, 0.25, 0.17)
    drawer.box("li1", 0, -0.3, 0.25, 0.17)
    assert drawer.count(rule) == 0


def test_a_drawn_row_of_cells_is_clean() -> None:
    layout = CIRCUIT.draw(TECHNOLOGY)
    found = check_rules(layout.top_cell(), TECHNOLOGY, "row")
    assert found.clean, "\n".join(found.lines())
    assert len(found.rules) == len(TECHNOLOGY.rules) > 100


def test_a_verdict_says_what_is_wrong_and_where() -> None:
    drawer = Drawer()
    drawer.box("met2", 1, 1, 3, 1.1)
    found = check_rules(drawer.cell, TECHNOLOGY, "thin")
    wrong = [each for each in found.rules if each.count]
    assert [(each.rule, each.count, each.places) for each in wrong] == [("m2.1", 1, ((2.0, 1.05),))]
    assert [*found.lines()][1].split() == [
        "m2.1",
        "1",
        "met2",
        "is",
        "narrower",
        "than",
        "0.14",
        "um",
        "at",
        "(2,",
        "1.05)",
    ]


def test_many_violations_are_counted_and_the_first_are_shown() -> None:
    drawer = Drawer()
    for number in range(8):
        drawer.box("met2", 0, number, 1, number + 0.1)
    rule = next(each for each in check_rules(drawer.cell, TECHNOLOGY, "").rules if each.rule == "m2.1")
    assert rule.count == 8
    assert rule.places == tuple((0.5, number + 0.05) for number in range(5))


def test_another_database_unit_changes_nothing() -> None:
    layout = kdb.Layout()
    layout.dbu = 0.005
    cell = layout.create_cell("top")
    cell.shapes(layout.layer(*TECHNOLOGY.layers["met2"])).insert(kdb.Box(0, 0, 200, 27))
    found = {each.rule: each.count for each in check_rules(cell, TECHNOLOGY, "").rules}
    assert found["m2.1"] == 1
    assert found["m2.6"] == 0


def test_the_extent_is_the_rectangle_around_everything() -> None:
    drawer = Drawer()
    drawer.box("met5", 0, 0, 1, 1)
    drawer.box("nwell", 4, 5, 6, 7)
    assert str(Regions(drawer.cell, TECHNOLOGY)[EXTENT].bbox()) == "(0,0;6000,7000)"
