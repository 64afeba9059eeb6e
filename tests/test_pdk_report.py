"""The report on all PDKs: one trained network, and the chain after training for each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dwn_asic.targets.asic.pdk import load_pdk
from flows import write_flow

ROOT = Path(__file__).resolve().parents[1]
PDKS = ("sky130hd", "asap7")


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)


def test_a_network_is_trained_once_and_mapped_to_each_pdk(tmp_path: Path) -> None:
    from benchmarks.figures.pdks import chain, every_table, report, summary_table

    shrink = {"prices": [4.0], "temperatures": [0.5], "minimize_front": True}
    file = write_flow(tmp_path / "small" / "tiny.yaml", shrink=shrink, match=[])
    build = tmp_path / "build"
    found = {pdk: [chain(file, pdk, 0, build, 2000)] for pdk in PDKS}
    for pdk in PDKS:
        unit = load_pdk(pdk).library.nand2_area
        for metrics in found[pdk][0].circuits.values():
            areas = metrics["design__instance__area"], metrics["area__nand2_equivalent"]
            assert areas[0] == pytest.approx(areas[1] * unit)
            assert metrics["timing__delay"] > 0.0
        assert found[pdk][0].seconds > 0.0
    networks = {path.read_bytes() for path in build.glob("*/small-tiny-0/network.npz")}
    records = {path.read_bytes() for path in build.glob("*/small-tiny-0/.steps/train.json")}
    assert len(networks) == len(records) == 1
    assert len([*build.glob("*/small-tiny-0/network.npz")]) == 3
    assert chain(file, "asap7", 0, build, 2000) == found["asap7"][0]
    summary, every = summary_table({"tiny": found}), every_table({"tiny": found})
    assert [row[1].shown for row in summary.rows] == [*PDKS, *PDKS]
    assert [cell.shown for cell in summary.rows[0][3:]] == ["1x"] * 5
    ratio = [found[pdk][0].circuits["dwn"]["energy__inference"] for pdk in PDKS]
    assert summary.rows[3][6].key == pytest.approx(ratio[1] / ratio[0])
    assert [row[2].shown for row in every.rows] == [*PDKS, *PDKS]
    text = report({"tiny": found}, [0], 2000)
    assert "asap7sc7p5t_RVT TT, embedded table asap7.cells.csv" in text
    assert "annealing with 2000 proposals per chain" in text


def test_circuits_without_gates_are_left_out_of_the_means() -> None:
    from benchmarks.figures.pdks import COMPARED, Found, summary_table

    def on(value: float) -> list[Found]:
        metrics = dict.fromkeys(COMPARED.values(), value)
        return [Found({"dwn-shrunk": metrics, "dwn": metrics}, "library", 1.0)]

    runs = {"blood": {"a": on(3.0), "b": on(0.0)}, "kc1": {"a": on(2.0), "b": on(8.0)}}
    table = summary_table(runs)
    assert [cell.shown for cell in table.rows[1][3:]] == ["4x"] * 5
    assert "Without blood, where a circuit needs no gate." in table.notes[0]


def test_an_unknown_pdk_is_an_error_of_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.figures import pdks

    write_flow(tmp_path / "tiny.yaml", shrink={})
    monkeypatch.setattr(pdks, "FLOWS", tmp_path)
    monkeypatch.setattr(pdks, "SETS", ("tiny",))
    assert pdks.main(["--pdks", "sky"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("make report-pdks: no PDK 'sky'; known PDKs: asap7, ")
    assert shown.count("\n") == 1


def test_pdks_that_cannot_be_used_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.figures.pdks import available

    assert available() == ("sky130hd", "asap7", "gf180mcu", "ihp-sg13g2")
    assert "left out: PDK nangate45: " in capsys.readouterr().err
