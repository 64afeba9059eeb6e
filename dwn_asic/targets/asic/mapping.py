"""Recipes with which ABC maps an and-inverter graph to cells: of small area, or of small delay.

No recipe is best for every circuit, and each takes only some hundredths of a second. So all of them are
tried, and the mapping with the smallest cell area is kept. Exact minimization (to rank its candidates) and
synthesis use the same list. With a clock period to meet, synthesis tries the recipes for delay too, which
need a library with delays, and judges every mapping by static timing.
"""

from __future__ import annotations

__all__ = ["DELAY_RECIPES", "MAPPING_RECIPES", "PART_RECIPE", "RANKING"]

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
DELAY_RECIPES = {
    "fast_map": "map",
    "fast_dch_map": "dch; map",
    "fast_dchf_map": "dch -f; map -B 0.7",
    # SOP balancing, which lowers the number of levels (Mishchenko et al., 2011).
    "fast_sop_map": "if -g -K 6; dch; map",
    "fast_sop_dchf_map": "if -g -K 6; dch -f; map -B 0.9",
    "fast_dch_sop_map": "dch -f; if -g -K 6; dch -f; map -B 0.9",
    "fast_syn4_map": "&get -n; &syn4; &put; dch -f; map -B 0.9",
    "fast_synch2_map": "&get -n; &synch2; &put; dch -f; map -B 0.9",
}
"""Recipes for delay. ABC's own `buffer; upsize; dnsize` after them is slower and larger than our sizing."""
RANKING = ("map", "dch_map")
"""Names of the fast recipes that rank candidates."""
PART_RECIPE = "dch_nf"
"""Name of the one recipe for the parts of a large design; on random logic none is smaller by a percent."""
