"""Figure of accuracy against area."""

from __future__ import annotations

import itertools
import struct
import sys
import xml.etree.ElementTree as ET

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from report_examples import circuit, methods, result, software

from dwn_asic.report import figure as drawing
from dwn_asic.report.figure import accuracy_area_png, accuracy_area_svg
from dwn_asic.report.result import MethodResult, Result

CROWD = (
    circuit("dwn", "dwn", 0.85, 3.0, 17.0),
    circuit("dwn-shrunk", "dwn", 0.8503, 3.1, 19.0, kind="shrunk"),
    circuit("tiny-2", "tiny_classifier", 0.8501, 3.0, 19.5),
    circuit("tiny-4", "tiny_classifier", 0.8502, 3.1, 19.7),
    *(circuit(f"tree-{n}", "decision_tree", 0.8400 + 0.002 * n, 2.0 + n / 5, 19 + n) for n in range(6)),
    software(accuracy=0.852),
)


def labels(shown: Result) -> list[list[Text]]:
    """Return the labels in each panel."""
    figure = drawing._draw(shown)
    FigureCanvasAgg(figure).draw()
    names = {method.name for method in shown.methods}
    return [
        [text for text in axes.texts if text.get_text() in names or "ceiling" in text.get_text()]
        for axes in figure.axes
    ]


def test_svg_is_deterministic_and_without_date() -> None:
    svg = accuracy_area_svg(result())
    assert svg == accuracy_area_svg(result(run={}, methods=methods()[::-1]))
    assert b"date" not in svg.lower().replace(b"</dc:date", b"")
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"


def test_png_is_deterministic_and_1900_wide() -> None:
    png = accuracy_area_png(result())
    assert png == accuracy_area_png(result())
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">2I", png[16:24]) == (1900, 980)


def test_the_users_matplotlib_settings_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    plain = accuracy_area_svg(result())
    with mpl.rc_context({"axes.facecolor": "red", "lines.linewidth": 9.0}):
        assert accuracy_area_svg(result()) == plain
        assert mpl.rcParams["axes.facecolor"] == "red"


def test_pyplot_state_is_left_alone() -> None:
    accuracy_area_svg(result())
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.parametrize("shown", [methods(), CROWD], ids=["phoneme", "crowd"])
def test_labels_are_all_there_and_do_not_overlap(shown: tuple[MethodResult, ...]) -> None:
    for panel in labels(result(methods=shown)):
        assert len(panel) == len(shown)
        boxes = [text.get_window_extent() for text in panel]
        for one, other in itertools.combinations(boxes, 2):
            assert not one.overlaps(other)
        assert panel[0].axes is not None
        frame = panel[0].axes.get_window_extent()
        assert all(frame.x0 - 1 <= box.x0 and box.x1 <= frame.x1 + 1 for box in boxes)


def test_ceiling_is_named() -> None:
    for panel in labels(result()):
        assert panel[-1].get_text() == "software ceiling: gbdt 0.9056"


@pytest.mark.parametrize(
    "shown",
    [
        (),
        (software(),),
        (circuit("dwn", "dwn", 0.85, 20.0, 30.0),),
        (circuit("wire", "decision_tree", 0.85, 0.0, 0.0),),
        (circuit("wire", "decision_tree", 0.85, 0.0, 3.0), circuit("dwn", "dwn", 0.9, 0.8, 3.0)),
        (circuit("a", "dwn", 0.5, 0.9, 3.0), circuit("b", "dwn", 0.5, 90000.0, 3.0)),
        (circuit("$x$_%", "dwn", 0.0, 1.0, 3.0), circuit("b" * 80, "dwn", 1.0, 2.0, 3.0)),
    ],
    ids=["nothing", "software", "one", "no-area", "some-area", "wide", "odd-names"],
)
def test_edge_cases_are_drawn(shown: tuple[MethodResult, ...]) -> None:
    assert accuracy_area_svg(result(methods=shown)).startswith(b"<?xml")


def test_axis_of_circuits_without_area_shows_zero() -> None:
    wire = circuit("wire", "decision_tree", 0.85, 0.0, 3.0)
    figure = drawing._draw(result(methods=(wire, circuit("dwn", "dwn", 0.9, 12.0, 30.0))))
    core, total = figure.axes
    assert list(core.get_xticks()) == [0.0, 1.0, 2.0, 5.0, 10.0, 20.0]
    assert core.get_xscale() == "symlog"
    assert total.get_xscale() == "log"
    low, high = core.get_xlim()
    assert low < 0.0 < 12.0 < high
