"""Official decks: found where they are installed, run by programs that the tests replace."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path

import klayout.db as kdb
import pytest

from dwn_asic.errors import PdkError, ToolError
from dwn_asic.targets.asic.layout_checks.check import official_decks

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<report-database><description>rules</description><top-cell>top</top-cell>
 <categories><category><name>m1.2</name><description>m1.2 : spacing of met1</description></category>
 <category><name>m1.1</name><description>width</description></category></categories>
 <cells><cell><name>top</name></cell></cells>
 <items><item><category>'m1.2'</category><cell>top</cell>
 <values><value>edge-pair: (0,0;1,0)|(0,1;1,1)</value></values></item></items>
</report-database>
"""
DECKS = {"klayout": "klayout/drc/sky130A_mr.drc", "magic": "magic/sky130A.magicrc"}


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    drawn = kdb.Layout()
    drawn.create_cell("top")
    path = tmp_path / "top.gds"
    drawn.write(str(path))
    return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder where programs are found; it has those that the scripts below need."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "cp", "grep"):
        (folder / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.delenv("DRC_DECK", raising=False)
    return folder


def install(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def deck(tmp_path: Path, tool: str) -> Path:
    path = tmp_path / ".volare" / "sky130A" / "libs.tech" / DECKS[tool]
    path.parent.mkdir(parents=True)
    path.write_text("a deck")
    return path


def fake_klayout(programs: Path) -> None:
    """Install a program that writes its options, and the report to where it is asked to."""
    (programs / "report.xml").write_text(REPORT)
    install(
        programs,
        "klayout",
        f'for o in "$@"; do case $o in report=*) cp {programs}/report.xml "${{o#report=}}";; esac; done\n'
        f'echo "$@" > {programs}/options',
    )


def test_without_decks_the_lines_say_what_is_missing(layout: Path, programs: Path) -> None:
    verdicts, missing = official_decks(layout)
    assert verdicts == ()
    assert [line.split(" below ")[0] for line in missing] == [
        "klayout: no deck sky130A_mr.drc",
        "magic: no deck sky130A.magicrc",
    ]


def test_a_deck_without_its_program(layout: Path, programs: Path, tmp_path: Path) -> None:
    path = deck(tmp_path, "magic")
    _, missing = official_decks(layout)
    assert missing[1] == f"magic: the deck {path} is there, but the program magic is not installed"


def test_klayout_counts_each_rule(layout: Path, programs: Path, tmp_path: Path) -> None:
    path = deck(tmp_path, "klayout")
    fake_klayout(programs)
    (verdict,), missing = official_decks(layout)
    assert len(missing) == 1
    assert verdict.tool == "KLayout, sky130A_mr.drc"
    assert [(each.rule, each.problem, each.count, each.places) for each in verdict.rules] == [
        ("m1.2", "spacing of met1", 1, ((0.5, 0.5),)),
        ("m1.1", "width", 0, ()),
    ]
    assert not verdict.clean
    options = (programs / "options").read_text().split()
    assert options[:4] == ["-b", "-zz", "-r", str(path)]
    assert f"input={layout}" in options
    assert {"topcell=top", "feol=true", "beol=true", "offgrid=true", "thr=1"} <= set(options)


def test_klayout_without_a_report_is_an_error(
    layout: Path, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deck(tmp_path, "klayout")
    install(programs, "klayout", "echo something is wrong")
    wrong = r"wrote no report; last output: something is wrong"
    verdicts, missing = official_decks(layout)
    assert verdicts == ()
    assert re.search(wrong, missing[-1])
    monkeypatch.setenv("DRC_DECK", str(path))
    with pytest.raises(ToolError, match=wrong):
        official_decks(layout)


def test_magic_counts_each_rule(layout: Path, programs: Path, tmp_path: Path) -> None:
    deck(tmp_path, "magic")
    install(
        programs,
        "magic",
        'cp "$5" script.tcl; grep -q "gds read" "$5" || exit 1\n'
        'echo "dwn-asic found 0.0 0.0 1.0 2.0 Metal1 spacing < 0.14um (met1.2)"\n'
        'echo "dwn-asic found 4.0 0.0 5.0 2.0 Metal1 spacing < 0.14um (met1.2)"\n'
        'echo "dwn-asic found 0.0 0.0 1.0 1.0 This layer is not allowed"\n'
        'echo "dwn-asic: magic has checked the layout"',
    )
    (verdict,), _ = official_decks(layout)
    assert [(each.rule, each.problem, each.count, each.places) for each in verdict.rules] == [
        ("met1.2", "Metal1 spacing < 0.14um", 2, ((0.5, 1.0), (4.5, 1.0))),
        ("magic", "This layer is not allowed", 1, ((0.5, 0.5),)),
    ]


def test_magic_reads_the_pdk_of_the_deck_and_any_path(
    layout: Path, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deck(tmp_path, "magic")
    monkeypatch.setenv("DRC_DECK", str(path))
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "another"))
    spaced = tmp_path / "a folder" / "top.gds"
    spaced.parent.mkdir()
    layout.rename(spaced)
    install(
        programs, "magic", f'cat "$4" "$5" > {programs}/read; echo "dwn-asic: magic has checked the layout"'
    )
    (verdict,), _ = official_decks(spaced)
    assert verdict.clean
    lines = (programs / "read").read_text().splitlines()
    assert lines[:2] == [f"set env(PDK_ROOT) {{{tmp_path / '.volare'}}}", f"source {{{path}}}"]
    assert f"gds read {{{spaced}}}" in lines
    assert "load {top}" in lines


def test_magic_that_is_too_old_for_the_deck(
    layout: Path, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deck(tmp_path, "magic")
    path.with_suffix(".tech").write_text("version\n requires magic-8.3.411\nend\n")
    install(programs, "magic", "echo 8.3.105")
    reason = f"the deck {path} requires Magic 8.3.411, but 8.3.105 is installed"
    verdicts, missing = official_decks(layout)
    assert verdicts == ()
    assert missing[1] == f"magic: {reason}"
    monkeypatch.setenv("DRC_DECK", str(path))
    with pytest.raises(ToolError, match=reason):
        official_decks(layout)
    install(
        programs,
        "magic",
        'test "$1" = --version && echo 8.3.1000 || echo "dwn-asic: magic has checked the layout"',
    )
    (verdict,), _ = official_decks(layout)
    assert verdict.clean


def test_magic_that_stops_early_is_an_error(
    layout: Path, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deck(tmp_path, "magic")
    install(programs, "magic", "echo started")
    assert official_decks(layout)[0] == ()
    monkeypatch.setenv("DRC_DECK", str(path))
    with pytest.raises(ToolError, match="magic"):
        official_decks(layout)


def test_drc_deck_names_the_only_deck(
    layout: Path, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deck(tmp_path, "magic")
    own = tmp_path / "own.lydrc"
    own.write_text("a deck")
    monkeypatch.setenv("DRC_DECK", str(own))
    with pytest.raises(ToolError, match="klayout: not found on the PATH; on Debian: apt-get install klayout"):
        official_decks(layout)
    fake_klayout(programs)
    (verdict,), missing = official_decks(layout)
    assert verdict.tool == "KLayout, own.lydrc"
    assert missing == ()
    monkeypatch.setenv("DRC_DECK", str(tmp_path / "missing.drc"))
    with pytest.raises(PdkError, match=r"DRC_DECK is '.*missing\.drc', which is not a deck"):
        official_decks(layout)


def test_a_report_without_a_rule_is_an_error(layout: Path, programs: Path, tmp_path: Path) -> None:
    deck(tmp_path, "klayout")
    fake_klayout(programs)
    empty = "<report-database><categories/><cells/><items/></report-database>"
    (programs / "report.xml").write_text(empty)
    verdicts, missing = official_decks(layout)
    assert verdicts == ()
    assert re.search(r"klayout: .*sky130A_mr\.drc checked no rule", missing[-1])


def test_a_tool_that_fails_leaves_the_other(layout: Path, programs: Path, tmp_path: Path) -> None:
    deck(tmp_path, "klayout")
    path = deck(tmp_path, "magic")
    fake_klayout(programs)
    install(programs, "magic", "exit 11")
    (verdict,), missing = official_decks(layout)
    assert verdict.tool.startswith("KLayout")
    assert missing[-1].startswith("magic: exit code 11")
    path.with_suffix(".tech").write_text("version\n requires magic-8.3.411\n")
    (verdict,), missing = official_decks(layout)  # now its version is asked for first, in vain
    assert missing[-1].startswith("magic: exit code 11")


def test_a_klayout_that_is_too_old_for_a_deck_is_not_run(
    layout: Path, programs: Path, tmp_path: Path
) -> None:
    path = tmp_path / ".ciel" / "ihp-sg13g2" / "libs.tech/klayout/tech/drc/ihp-sg13g2.drc"
    path.parent.mkdir(parents=True)
    path.write_text("a deck")
    install(programs, "klayout", "echo KLayout 0.28.5")
    verdicts, missing = official_decks(layout, pdk="ihp-sg13g2")
    assert verdicts == ()
    assert missing[0] == f"klayout: the deck {path} requires KLayout 0.30.3, but 0.28.5 is installed"
