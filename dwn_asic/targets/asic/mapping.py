"""Recipes with which ABC maps an and-inverter graph to cells of small area, without regard to delay.

No recipe is best for every circuit, and each takes only some hundredths of a second. So all of them are
tried, and the mapping with the smallest cell area is kept. Exact minimization (to rank its candidates) and
synthesis use the same list.
"""

from __future__ import annotations

__all__ = ["MAPPING_RECIPES", "PART_RECIPE", "RANKING"]

MAPPING_RECIPES = {
    "map": "map -a",
    "amap": "amap",
    "amap_mux": "amap -m",
    "dch_map": "dch; map -a",
    "dch_amap": "dch; amap",
    "dchf_amap_mux": "dch -f; amap -m",
    "dch_map_delay": "dch -f; map -B 0.9",
    # The script that Yosys runs by default for a Liberty file, without its gate sizing.
    "yosys": "&get -n; &fraig -x; &put; scorr; dc2; dch -f; map -B 0.9; topo",
    "nf": "&get -n; &nf; &put",
    "dch_nf": "&get -n; &dch -f; &nf -R 10 -F 5 -p; &put",
}
RANKING = ("map", "dch_map")
"""Names of the fast recipes that rank candidates."""
PART_RECIPE = "dch_nf"
"""Name of the one recipe for the parts of a large design; on random logic none is smaller by a percent."""
