"""What is on the front of shrink, whatever annealing found."""

from __future__ import annotations

import numpy as np

from dwn_asic.config import ShrinkConfig
from dwn_asic.logic.shrink import shrink
from dwn_asic.network.graph import CodeBit, GraphBuilder, Interface, Lut
from dwn_asic.synth.cell_library import CellLibrary


def test_a_constant_is_on_every_front(library: CellLibrary) -> None:
    codes = np.arange(200)[:, None] % 2
    labels = (codes[:, 0] == 0) & (np.arange(200) % 20 != 0)
    rows = codes, labels.astype(np.int64)
    builder = GraphBuilder(Interface(("x",), (1,), ("no", "yes")))
    start = builder.finish([builder.add(Lut((builder.add(CodeBit(0, 0)),), 0b01))])
    config = ShrinkConfig(prices=(4.0,), temperatures=(0.5,), proposals=500)
    points, _ = shrink([start], rows, rows, library, config, 0)
    areas = {bool(found.point.graph.inputs): found.core + found.encoder for found in points}
    assert areas[False] == 0.0
    assert areas[True] > 0.0  # the inverter, of which the annealing takes no notice
