"""Topic ``signoff``: how well the prices of gates rank circuits by mapped area, for every PDK with a table.

The circuits are made on the spot: random circuits of 20 to 300 gates, annealed towards their own classes, so
that they have the form in which the annealing prices circuits. All PDKs have the same circuits. Mapped areas
are kept in ``build/figures/price_rank``.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import cache
from itertools import count, islice

import numpy as np
from scipy.stats import spearmanr

from benchmarks.figures.kept import kept
from benchmarks.figures.table import Row, named, row
from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.optimize.lossy.anneal.search import Chain, Schedule, anneal, areas
from dwn_asic.targets.asic.cost import PRICES, CellCost
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.writer import design_verilog

PDKS = ("sky130hd", "ihp-sg13g2", "gf180mcu", "asap7")
_COUNT = 60
_LEAST = 5
"""Number of gates of the smallest circuit; some random circuits collapse to a constant."""
_ROWS = 600
_PROPOSALS = 40_000
_GATES = (0b1000, 0b1110, 0b0010, 0b1011)
_XOR = 0b0110


@cache
def circuits() -> tuple[BooleanGraph, ...]:
    """Return circuits of two-input gates over thresholds, which differ in size and in their share of XORs."""
    large = (graph for graph in map(_annealed, count()) if len(graph.luts) >= _LEAST)
    return tuple(islice(large, _COUNT))


def _annealed(seed: int) -> BooleanGraph:
    """Anneal a random circuit on the classes that it returns itself, and return the most accurate circuit."""
    rng = np.random.default_rng(seed)
    graph = _random(rng)
    codes = rng.integers(0, 1 << np.array(graph.interface.widths), (_ROWS, len(graph.interface.widths)))
    price = float(np.exp(rng.uniform(np.log(16.0), np.log(512.0))))
    chain = Chain(graph, price, Schedule(_PROPOSALS, 0.5), seed)
    return anneal([chain], codes, graph.predict(codes), PRICES)[-1].graph


def _random(rng: np.random.Generator) -> BooleanGraph:
    """Return a random circuit; late gates are likely to read each other, so it is several gates deep."""
    widths = tuple(int(width) for width in rng.integers(4, 9, int(rng.integers(2, 6))))
    interface = Interface(tuple(f"f{i}" for i in range(len(widths))), widths, tuple("abcdefgh"))
    gates = round(np.exp(rng.uniform(np.log(20.0), np.log(300.0))))
    share = rng.uniform(0.0, 0.5)
    builder = GraphBuilder(interface)
    nodes = []
    for _ in range(max(4, gates // 3)):
        feature = int(rng.integers(len(widths)))
        nodes.append(builder.add(Threshold(feature, int(rng.integers(1, 1 << widths[feature])))))
    for _ in range(gates):
        recent = nodes[-max(6, gates // 3) :]
        fanins = tuple(int(node) for node in rng.choice(recent, 2, replace=False))
        table = _XOR if rng.random() < share else int(rng.choice(_GATES))
        nodes.append(builder.add(Lut(fanins, table)))
    return fold(builder.finish(nodes[-3:]))


def mapped(name: str) -> list[float]:
    """Return the mapped area of each circuit, encoder and core together, in NAND2-equivalents."""
    library = load_pdk(name).library

    def measure() -> dict[str, list[float]]:
        return {"nand2": [library.nand2_equivalents(_area(graph, name)) for graph in circuits()]}

    return [float(area) for area in kept(f"price_rank/{name}", measure)["nand2"]]


def _area(graph: BooleanGraph, name: str) -> float:
    encoder = encoder_graph([node for _, node in graph.inputs], graph.interface)
    design = design_verilog("each", encoder, graph, "none")
    return sum(module.area for module in synthesize(design, "each", load_pdk(name).library).modules.values())


def ranks() -> Iterator[Row]:
    """Compare the area by gate prices with the mapped area: rank correlation, and mean ratio."""
    for name in PDKS:
        found = mapped(name)
        what = f"{name}, {_COUNT} annealed circuits of {min(found):.0f} to {max(found):.0f} NAND2"
        fitted = CellCost(load_pdk(name).library).prices
        for suffix, words, prices in (("", "this PDK", fitted), ("_constant", "sky130hd", PRICES)):
            by_prices = areas(circuits(), prices)
            text = f"{what}: area by the prices of {words} and mapped area"
            rank = float(spearmanr(by_prices, found).statistic)
            target = "" if suffix else ">= 0.95"
            yield row(f"signoff.price_rank_{name}{suffix}", f"{text}, Spearman correlation", rank, "", target)
            ratio = statistics.geometric_mean(np.array(by_prices) / found)
            yield row(f"signoff.price_ratio_{name}{suffix}", f"{text}, geometric mean of the ratio", ratio)


MEASUREMENTS = named(
    "signoff",
    ranks,
    *(f"price_{w}_{name}{s}" for name in PDKS for w in ("rank", "ratio") for s in ("", "_constant")),
)
"""Id of each figure, and the function that measures it; a function may measure several figures."""
