"""LEF files: layers, vias, sites, cells and pins, and the messages for what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.tapeout.geometry import Box
from dwn_asic.targets.asic.tapeout.lef import read_macros, read_technology

TECHNOLOGY = """\
VERSION 5.7 ;  # a comment with LAYER in it
SITE core
  CLASS CORE ;
  SIZE 0.5 BY 4 ;
END core
LAYER m1
  TYPE ROUTING ;
  DIRECTION HORIZONTAL ;
  PITCH 0.4 0.5 ;
  OFFSET 0.2 ;
  WIDTH 0.16 ;
  SPACINGTABLE
     PARALLELRUNLENGTH 0
     WIDTH 0 0.18
     WIDTH 3 0.28 ;
  AREA 0.1 ;
  THICKNESS 0.35 ;
  EDGECAPACITANCE 40E-6 ;
  CAPACITANCE CPERSQDIST 25E-6 ;
  RESISTANCE RPERSQ 0.125 ;
END m1
LAYER v1
  TYPE CUT ;
  WIDTH 0.2 ;
  SPACING 0.22 ;
END v1
VIA up DEFAULT
  LAYER v1 ;
  RECT -0.1 -0.1 0.1 0.1 ;
  LAYER m1 ;
  RECT -0.2 -0.15 0.2 0.15 ;
END up
"""
CELLS = """\
MACRO inv
  CLASS CORE ;
  SIZE 1.0 BY 4.0 ;
  PIN A
    ANTENNAGATEAREA 0.159 ;
    DIRECTION INPUT ;
    USE SIGNAL ;
    PORT
      LAYER li1 ;
        RECT 0.1 1.0 0.3 2.0 ;
        RECT 0.1 1.0 0.6 1.2 ;
    END
  END A
  PIN VGND
    DIRECTION INOUT ;
    USE GROUND ;
    PORT
      LAYER m1 ;
        RECT 0 -0.2 1.0 0.2 ;
    END
  END VGND
END inv
MACRO invx
  SIZE 2.0 BY 4.0 ;
END invx
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "some.lef"
    path.write_text(text)
    return path


def test_the_figures_of_a_technology_are_read_in_nm(tmp_path: Path) -> None:
    found = read_technology(write(tmp_path, TECHNOLOGY))
    assert found.sites == {"core": (500, 4000)}
    layer = found.layers["m1"]
    assert (layer.kind, layer.horizontal, layer.pitch, layer.offset) == ("ROUTING", True, 400, 200)
    assert (layer.width, layer.spacing, layer.area) == (160, 180, 100_000)
    assert (layer.thickness, layer.resistance) == (0.35, 0.125)
    assert (layer.area_capacitance, layer.edge_capacitance) == (25e-6, 40e-6)
    assert found.layers["v1"].spacing == 220
    assert found.vias == {"up": {"v1": Box(-100, -100, 100, 100), "m1": Box(-200, -150, 200, 150)}}


def test_cells_have_their_sizes_pins_and_shapes(tmp_path: Path) -> None:
    found = read_macros(write(tmp_path, CELLS))
    assert {name: macro.width for name, macro in found.items()} == {"inv": 1000, "invx": 2000}
    pin = found["inv"].pins["A"]
    assert (pin.direction, pin.gate_area, pin.is_supply) == ("INPUT", 0.159, False)
    assert pin.shapes == (("li1", Box(100, 1000, 300, 2000)), ("li1", Box(100, 1000, 600, 1200)))
    assert [pin.name for pin in found["inv"].signals] == ["A"]


def test_what_is_missing_is_named_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(PdkError, match=r"some\.lef: has no routing layer"):
        read_technology(write(tmp_path, CELLS))
    with pytest.raises(PdkError, match=r"some\.lef: has no cell"):
        read_macros(write(tmp_path, TECHNOLOGY))
    with pytest.raises(PdkError, match=r"some\.lef: cell bad has no SIZE"):
        read_macros(write(tmp_path, "MACRO bad\n  CLASS CORE ;\nEND bad\n"))
    with pytest.raises(PdkError, match=r"none\.lef: cannot be read: No such file"):
        read_macros(tmp_path / "none.lef")
