"""Mapping recipes: how ABC turns an and-inverter graph into cells. Small area first, delay is free.

None is best everywhere, and they cost a few hundredths of a second: all are tried, and the smallest area of
the real cells is kept. Both exact minimization (to rank its candidates) and synthesis use this list.
"""

from __future__ import annotations

__all__ = ["MAPPING_RECIPES", "RANKING"]

MAPPING_RECIPES = {
    "map": "map -a",
    "amap": "amap",
    "amap_mux": "amap -m",
    "dch_map": "dch; map -a",
    "dch_amap": "dch; amap",
    "dchf_amap_mux": "dch -f; amap -m",
    "dch_map_delay": "dch -f; map -B 0.9",
    # What Yosys runs by itself for a Liberty file, without its sizing of cells.
    "yosys": "&get -n; &fraig -x; &put; scorr; dc2; dch -f; map -B 0.9; topo",
    "nf": "&get -n; &nf; &put",
    "dch_nf": "&get -n; &dch -f; &nf -R 10 -F 5 -p; &put",
}
RANKING = ("map", "dch_map")
"""The quick ones that rank candidates."""
