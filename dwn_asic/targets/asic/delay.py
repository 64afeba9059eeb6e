"""Mapping for delay: several recipes for each module, and sizing, judged by static timing.

ABC maps every module with every recipe, for area without delays and for delay with them. The combinations of
the modules' mappings that are best by several weights of area and delay, or that no other beats in both, are
sized, see :mod:`dwn_asic.targets.asic.signoff.sizing`. For a clock period the smallest netlist that meets it
is taken, else the fastest.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

from dwn_asic.boolean.ports import is_part
from dwn_asic.targets.asic.mapping import DELAY_RECIPES, MAPPING_RECIPES
from dwn_asic.targets.asic.pdk import Pdk, with_sizes
from dwn_asic.targets.asic.pdk_timing import load_timing
from dwn_asic.targets.asic.signoff.metrics import surroundings
from dwn_asic.targets.asic.signoff.sizing import Sized, area_of, faster, smaller
from dwn_asic.targets.asic.signoff.timing import analyze
from dwn_asic.targets.asic.timed_liberty import timed_liberty
from dwn_asic.targets.asic.yosys import ModuleArea, Synthesis, Variant, Variants, synthesize, variants
from dwn_asic.verilog.edit import scopes, with_cells
from dwn_asic.verilog.flat_netlist import FlatNetlist, flat_netlist
from dwn_asic.verilog.reader import Design, Module, parse_verilog
from dwn_asic.verilog.text import split_modules

__all__ = ["DelayMapper", "DelayPoint", "pareto"]

_WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Weights of the delay beside the area, both as logarithms, by which combinations of mappings are ranked."""
_CANDIDATES, _ANALYZED = 3, 8
"""Numbers of the best combinations by each weight that are sized, and whose timing is computed before."""
_SPREAD = 8
"""Largest number of further combinations that are sized, of those that no other beats in area and delay."""
_LARGE = 1000
"""Number of cells from which only the best combination by each weight is sized, since that takes minutes."""
_TINY = 1e-9
"""Area and delay of a circuit that has none, for their logarithms."""
_POINTS = 16
"""Largest number of points of a front."""


@dataclass(frozen=True, eq=False)
class DelayPoint:
    """A mapping of a design with its area and its delay.

    Attributes
    ----------
    area
        Total area of the cells in um2.
    delay
        Delay of the critical path in ns; with registers the shortest clock period.
    synthesis
        The mapped design: netlist, and area and recipe of each module.
    """

    area: float
    delay: float
    synthesis: Synthesis


class _Priced(Protocol):
    @property
    def area(self) -> float: ...
    @property
    def delay(self) -> float: ...


Priced = TypeVar("Priced", bound=_Priced)


def _rank(sized: Sized, clock_ns: float) -> tuple[float, float]:
    """Return a number that is lower for better netlists: by how much they miss the clock, then their area."""
    return max(0.0, sized.delay - clock_ns), sized.area


def pareto(points: Iterable[Priced]) -> list[Priced]:
    """Return the points that none beats in area and delay, by rising area and falling delay."""
    found: list[Priced] = []
    for point in sorted(points, key=lambda each: (each.area, each.delay)):
        if not found or point.delay < found[-1].delay:
            found.append(point)
    return found


def _best(points: Sequence[Priced], count: int) -> list[Priced]:
    """Return the best points by each of several weights of area and delay."""
    found: dict[int, Priced] = {}
    for weight in _WEIGHTS:

        def price(number: int, weight: float = weight) -> float:
            point = points[number]
            return math.log(max(point.area, _TINY)) + weight * math.log(max(point.delay, _TINY))

        for number in sorted(range(len(points)), key=price)[:count]:
            found[number] = points[number]
    return [found[number] for number in sorted(found)]


def _spread(points: Sequence[Priced], count: int) -> list[Priced]:
    """Return at most so many points, about evenly spaced in delay; the first and the last are among them."""
    if len(points) <= count:
        return [*points]
    first, last = points[0].delay, points[-1].delay
    wanted = [first + (last - first) * k / (count - 1) for k in range(count)]
    nearest = [min(range(len(points)), key=lambda i: abs(points[i].delay - delay)) for delay in wanted]
    return [points[i] for i in dict.fromkeys(nearest)]


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A combination of mappings: the text and the recipe of each module, area (um2) and delay (ns)."""

    texts: Mapping[str, str]
    recipes: Mapping[str, str]
    netlist: FlatNetlist
    area: float
    delay: float


@dataclass(frozen=True, eq=False)
class _Choice:
    """A sized netlist and what it was made from."""

    candidate: _Candidate
    sized: Sized

    @property
    def area(self) -> float:
        return self.sized.area

    @property
    def delay(self) -> float:
        return self.sized.delay


@dataclass(frozen=True)
class _Estimate:
    """A combination of mappings: its area (um2), and its delay (ns) estimated from those of the modules."""

    recipes: tuple[str, ...]
    area: float
    delay: float


class DelayMapper:
    """All mappings of a design, from which those for a clock period are chosen.

    Parameters
    ----------
    design, name, timeout_s
        As for :func:`~dwn_asic.targets.asic.yosys.synthesize`, whose errors are raised on first use.
    pdk
        PDK to map to.
    pipeline
        Whether registers separate encoder and core.

    Raises
    ------
    PdkError
        The timing of the PDK is not known.
    """

    def __init__(
        self, design: str, name: str, pdk: Pdk, *, pipeline: bool = False, timeout_s: float = 300.0
    ) -> None:
        self._design, self._name, self._pdk, self._timeout_s = design, name, pdk, timeout_s
        self._pipeline = pipeline
        self._whole = with_sizes(pdk)
        self._timing = load_timing(self._whole).library
        self._around = surroundings(pdk.config)

    def meet(self, clock_ns: float) -> DelayPoint:
        """Return the smallest netlist found that meets a clock period (ns), or else the fastest one."""
        best: tuple[_Candidate, Sized] | None = None
        for candidate in sorted(self._candidates, key=lambda each: each.area):
            if best is not None and best[1].delay <= clock_ns and candidate.area >= best[1].area:
                continue  # sizing for speed only adds area
            found = self._sized(candidate, clock_ns)[-1]
            if best is None or _rank(found, clock_ns) < _rank(best[1], clock_ns):
                best = candidate, found
        assert best is not None
        return self._point(*best)

    def front(self) -> tuple[DelayPoint, ...]:
        """Return mappings from the smallest to the fastest, with delays that are about evenly spaced.

        The first one is the mapping for area alone. Each other one is faster than all before it, and larger
        than those between it and the first.
        """
        first = next(each for each in self._candidates if each.netlist is self._first.netlist)
        start = _Choice(first, Sized(first.netlist, first.area, first.delay))
        found = [
            _Choice(candidate, each) for candidate in self._candidates for each in self._sized(candidate, 0.0)
        ]
        chosen = _spread(pareto(each for each in found if each.delay < start.delay), _POINTS - 1)
        trimmed = [
            _Choice(
                each.candidate,
                smaller(each.sized, self._whole.library.sizes, self._timing, self._around),
            )
            for each in chosen
        ]
        return tuple(self._point(each.candidate, each.sized) for each in [start, *pareto(trimmed)])

    def _sized(self, candidate: _Candidate, target: float) -> list[Sized]:
        """Return ever faster netlists of a candidate, up to one that meets a target (ns) if possible."""
        return faster(candidate.netlist, self._whole.library.sizes, self._timing, self._around, target)

    def _point(self, candidate: _Candidate, sized: Sized) -> DelayPoint:
        """Return a sized netlist with its Verilog text."""
        netlist = with_cells("\n".join(candidate.texts.values()), sized.netlist)
        modules = scopes(candidate.texts, f"{self._name}_top")
        cells: dict[str, Counter[str]] = {module: Counter() for module in candidate.texts}
        for each in sized.netlist.instances:
            cells[modules[each.name.rpartition(".")[0]]][each.cell.name] += 1
        library = self._whole.library
        areas = {
            module: ModuleArea(
                sum(n * library.cell(cell).area for cell, n in sorted(counts.items())),
                dict(sorted(counts.items())),
                candidate.recipes.get(module, ""),
            )
            for module, counts in cells.items()
        }
        smallest = self._smallest
        return DelayPoint(sized.area, sized.delay, Synthesis(netlist, areas, smallest.yosys, smallest.log))

    @cached_property
    def _candidates(self) -> list[_Candidate]:
        """The mapping for area alone, and the combinations of mappings that sizing starts from."""
        if not self._fast:
            return [self._first]
        found = {**self._small.mapped, **self._fast}
        own = self._first.recipes
        modules = [module for module in own if module != f"{self._name}_top"]
        candidates = [self._first]
        for combination in dict.fromkeys(each.recipes for each in self._estimates(modules, found)):
            recipes = {**own, **dict(zip(modules, combination, strict=True))}
            if recipes != own:
                texts = {module: found[recipe][module].text for module, recipe in recipes.items()}
                parsed = {module: self._parsed[recipe][module] for module, recipe in recipes.items()}
                candidates.append(self._candidate(texts, recipes, parsed))
        if len(self._first.netlist.instances) >= _LARGE:
            return [*dict.fromkeys([self._first, *_best(candidates, 1)])]
        best = _best(candidates, _CANDIDATES), _spread(pareto(candidates), _SPREAD)
        return [*dict.fromkeys([self._first, *itertools.chain(*best)])]

    @cached_property
    def _first(self) -> _Candidate:
        """The mapping for area alone."""
        netlist = self._smallest.netlist
        recipes = {module: area.recipe for module, area in self._smallest.modules.items()}
        return self._candidate(split_modules(netlist), recipes, parse_verilog(netlist, "netlist.v").modules)

    @cached_property
    def _smallest(self) -> Synthesis:
        if self._is_large:
            return synthesize(self._design, self._name, self._pdk.library, timeout_s=self._timeout_s)
        return self._small.smallest()

    @property
    def _is_large(self) -> bool:
        """Return whether the design has modules in parts, which are mapped for area alone."""
        return any(map(is_part, split_modules(self._design)))

    @cached_property
    def _small(self) -> Variants:
        """Mappings of each module for area."""
        return self._mapped(MAPPING_RECIPES, self._pdk.library.liberty())

    @cached_property
    def _fast(self) -> Mapping[str, Mapping[str, Variant]]:
        """Mappings of each module for delay; none for a large design."""
        if self._is_large:
            return {}
        delays = load_timing(self._pdk).library
        return self._mapped(DELAY_RECIPES, timed_liberty(self._pdk.library, delays)).mapped

    def _mapped(self, recipes: Mapping[str, str], liberty: str) -> Variants:
        library, timeout_s = self._pdk.library, self._timeout_s
        return variants(self._design, self._name, library, recipes, liberty, timeout_s=timeout_s)

    @cached_property
    def _parsed(self) -> Mapping[str, Mapping[str, Module]]:
        """The modules of each recipe."""
        return {
            recipe: parse_verilog("\n".join(each.text for each in mapped.values()), "netlist.v").modules
            for recipe, mapped in {**self._small.mapped, **self._fast}.items()
        }

    def _candidate(
        self, texts: Mapping[str, str], recipes: Mapping[str, str], parsed: Mapping[str, Module]
    ) -> _Candidate:
        netlist = self._flat(parsed, f"{self._name}_top")
        delay = analyze(netlist, self._timing, self._around).delay
        area = area_of(each.cell for each in netlist.instances)
        return _Candidate(texts, recipes, netlist, area, delay)

    def _flat(self, parsed: Mapping[str, Module], top: str) -> FlatNetlist:
        return flat_netlist(Design("netlist.v", dict(parsed)), top, self._whole.library)

    def _estimates(
        self, modules: Sequence[str], found: Mapping[str, Mapping[str, Variant]]
    ) -> list[_Estimate]:
        """Return the combinations of recipes that seem best by the delays of the modules alone."""
        options: list[list[_Estimate]] = []
        for module in modules:
            each = []
            for recipe, mapped in found.items():
                netlist = self._flat(self._parsed[recipe], module)
                delay = analyze(netlist, self._timing, self._around).delay
                each.append(_Estimate((recipe,), mapped[module].area.area, delay))
            options.append(each)
        joined = max if self._pipeline else sum
        combined = [
            _Estimate(
                tuple(recipe for part in parts for recipe in part.recipes),
                sum(part.area for part in parts),
                float(joined([part.delay for part in parts])),
            )
            for parts in itertools.product(*options)
        ]
        return [*dict.fromkeys([*_best(combined, _ANALYZED), *_spread(pareto(combined), 3 * _SPREAD)])]
