"""Simulated annealing of whole circuits: chains at a range of prices find a front of area against errors.

A chain keeps the price of a misclassified row fixed and lowers the temperature; chains at other prices end at
other sizes. Each chain records, for every size it passes, the circuit with the fewest errors. One search thus
finds circuits of all sizes, and validation rows choose among them (:mod:`dwn_asic.optimize.lossy.front`).
"""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph, Input
from dwn_asic.data.objective import Costs
from dwn_asic.optimize.cost import GatePrices
from dwn_asic.optimize.lossy.anneal.bridge import empty_archive, start, to_graph
from dwn_asic.optimize.lossy.anneal.candidates import InputTable
from dwn_asic.optimize.lossy.anneal.evaluate import evaluate_all
from dwn_asic.optimize.lossy.anneal.loop import Archive, anneal_slice
from dwn_asic.optimize.lossy.anneal.moves import MOVE_WEIGHTS, MOVES
from dwn_asic.optimize.lossy.anneal.scored_rows import ScoredRows
from dwn_asic.optimize.lossy.anneal.state import AREA, ERRORS, UNIT

__all__ = ["Chain", "Found", "Schedule", "anneal", "areas", "assess", "by_start"]

_SLICES = 64
_SAVE_SECONDS = 5.0
_BUCKET = 0.5
"""Width of a bucket in NAND2-equivalents: among circuits that close in size only the best is recorded."""


@dataclass(frozen=True)
class Schedule:
    """Length and temperatures of a chain.

    Attributes
    ----------
    proposals
        Number of proposals of the chain.
    hot, cold
        Temperature at the start and at the end, in units of the target; it falls geometrically. At 2 a
        starting circuit dissolves; at 0.3 it is kept and improved.
    """

    proposals: int
    hot: float
    cold: float = 0.1


@dataclass(frozen=True)
class Chain:
    """One run of the annealing.

    Attributes
    ----------
    graph
        The starting circuit, from any source.
    price
        Area in units of the target that one percentage point of the score is worth.
    schedule
        Length and temperatures.
    seed
        Seed of the random numbers.
    start
        Name of the starting circuit, which the circuits it leads to carry; may be empty.
    """

    graph: BooleanGraph
    price: float
    schedule: Schedule
    seed: int
    start: str = ""


@dataclass(frozen=True)
class Found:
    """A circuit that a chain recorded.

    Attributes
    ----------
    graph
        The circuit, folded, as two-input gates.
    area
        Area by the gate prices, in units of the target.
    errors
        Number of misclassified rows among those it was scored on, or their total cost.
    score
        Score on these rows: 1 less the errors as a share of those that are worth one unit of score.
    start
        Name of the circuit from which its chain started; empty without a name or without a chain.
    """

    graph: BooleanGraph
    area: float
    errors: int
    score: float
    start: str = ""


def anneal(
    chains: Sequence[Chain],
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    prices: GatePrices,
    *,
    costs: Costs | None = None,
    jobs: int = 1,
    checkpoints: MutableMapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Found, ...]:
    """Run the chains and return the recorded circuits that no other one beats in both area and errors.

    Only circuits of the same start are compared, since one that generalizes better may have more training
    errors than one of another start. The starts follow each other in the order of the chains.

    Equal arguments return equal circuits, whatever ``jobs`` is and however often the search is interrupted.

    Parameters
    ----------
    chains
        Independent chains.
    codes, labels
        (N, F) codes and (N,) class indices of the rows to score circuits on, in any order.
    prices
        Prices of gates; their sum, the area, is minimized along with the errors.
    costs
        Cost of each wrong prediction, of which errors are the sum; by default 1.
    jobs
        Number of threads.
    checkpoints
        Store of unfinished and finished chains, from which a call with equal arguments resumes.
    progress
        Called with the number of slices done and the number of all slices.
    """
    rows = ScoredRows.arranged(codes, labels, costs or Costs.errors(len(labels), 1))
    done = [0] * len(chains)
    tables: dict[tuple[Input, ...], InputTable] = {}
    for chain in chains:
        inputs = tuple(node for _, node in chain.graph.inputs)
        if inputs not in tables:
            tables[inputs] = InputTable.build(rows.codes, chain.graph.interface, inputs)
    stop = Event()

    def run(number: int) -> list[Found]:
        def tell(slices: int) -> None:
            done[number] = slices
            if progress is not None:
                progress(sum(done), _SLICES * len(chains))

        return _Run(chains[number], tables, rows, prices, checkpoints, stop).finish(tell)

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        futures = [pool.submit(run, number) for number in range(len(chains))]
        try:
            found = [circuit for future in futures for circuit in future.result()]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(circuit for group in by_start(found) for circuit in _undominated(group))


def by_start(found: Sequence[Found]) -> list[list[Found]]:
    """Return the circuits of each start, in the order in which the starts first appear."""
    groups: dict[str, list[Found]] = {}
    for circuit in found:
        groups.setdefault(circuit.start, []).append(circuit)
    return [*groups.values()]


def assess(
    graphs: Sequence[BooleanGraph],
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    prices: GatePrices,
    *,
    costs: Costs | None = None,
) -> tuple[Found, ...]:
    """Measure circuits as they are; returns them in ascending order of area by the gate prices."""
    rows = ScoredRows.arranged(codes, labels, costs or Costs.errors(len(labels), 1), shuffled=False)
    found = []
    for graph in graphs:
        table = InputTable.of(graph, rows.codes)
        memory = start(graph, table, table.candidates.prices(prices), rows, seed=0)
        errors = int(memory.c[ERRORS])
        found.append(Found(graph, float(memory.c[AREA]) * UNIT, errors, 1.0 - errors / rows.scale))
    return tuple(sorted(found, key=lambda circuit: (circuit.area, circuit.errors)))


def areas(graphs: Sequence[BooleanGraph], prices: GatePrices) -> list[float]:
    """Return the area of each circuit by the gate prices, in NAND2-equivalents."""
    return [assess([graph], *_no_rows(graph), prices)[0].area for graph in graphs]


def _no_rows(graph: BooleanGraph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.zeros((0, len(graph.interface.widths)), np.int64), np.zeros(0, np.int64)


def _undominated(found: Sequence[Found]) -> tuple[Found, ...]:
    kept: list[Found] = []
    for circuit in sorted(found, key=lambda c: (c.area, c.errors)):
        if not kept or circuit.errors < kept[-1].errors:
            kept.append(circuit)
    return tuple(kept)


class _Run:
    """The execution of one chain."""

    def __init__(
        self,
        chain: Chain,
        tables: Mapping[tuple[Input, ...], InputTable],
        rows: ScoredRows,
        prices: GatePrices,
        checkpoints: MutableMapping[str, bytes] | None,
        stop: Event,
    ) -> None:
        self._chain, self._stop = chain, stop
        table = tables[tuple(node for _, node in chain.graph.inputs)]
        self._candidates = table.candidates
        self._memory = start(chain.graph, table, table.candidates.prices(prices), rows, seed=chain.seed)
        self._archive = empty_archive(self._memory, round(_BUCKET / UNIT))
        self._counts = np.zeros((len(MOVES), 3), np.int64)
        self._scale = rows.scale
        self._price = chain.price / UNIT / (rows.scale / 100)
        self._checkpoints, self._key = checkpoints, ""
        if checkpoints is not None:
            arrays = [self._memory.c, self._memory.words, self._memory.values]
            sums = [int(a.view(np.uint64).sum(dtype=np.uint64)) for a in arrays]
            text = repr((chain.price, chain.schedule, chain.seed, prices, sums))
            self._key = hashlib.sha256(text.encode()).hexdigest()[:32]

    def finish(self, tell: Callable[[int], None]) -> list[Found]:
        """Run the chain to its end, or until the stop event, and save its state."""
        done, saved = self._load(), time.monotonic()
        try:
            while done < _SLICES and not self._stop.is_set():
                self._slice(done)
                done += 1
                if time.monotonic() - saved > _SAVE_SECONDS:
                    self._save(done)
                    saved = time.monotonic()
                tell(done)
        finally:
            self._save(done)
        if done < _SLICES:
            return []
        tell(_SLICES)
        archive = self._archive
        return [
            Found(
                to_graph(archive.kind[i], archive.literal[i], self._candidates),
                float(archive.area[i]) * UNIT,
                int(archive.errors[i]),
                1.0 - int(archive.errors[i]) / self._scale,
                self._chain.start,
            )
            for i in _improving(archive)
        ]

    def _slice(self, number: int) -> None:
        memory, schedule = self._memory, self._chain.schedule
        steps = schedule.proposals * (number + 1) // _SLICES - schedule.proposals * number // _SLICES
        if not steps:
            return
        ratio = schedule.cold / schedule.hot
        hot, cold = (schedule.hot * ratio ** (n / _SLICES) / UNIT for n in (number, number + 1))
        plan = np.array([[hot, cold], [self._price, self._price]])
        weights = np.cumsum(MOVE_WEIGHTS) / sum(MOVE_WEIGHTS)
        anneal_slice(memory.c, memory.words, memory.values, self._archive, weights, self._counts, plan, steps)

    def _save(self, done: int) -> None:
        if self._checkpoints is None:
            return
        file = io.BytesIO()
        np.savez(file, done=done, c=self._memory.c, words=self._memory.words, **self._archive._asdict())
        self._checkpoints[self._key] = file.getvalue()

    def _load(self) -> int:
        """Return the number of slices done before; a checkpoint that cannot be read counts as none."""
        if self._checkpoints is None or self._key not in self._checkpoints:
            return 0
        try:
            with np.load(io.BytesIO(self._checkpoints[self._key])) as file:
                content = dict(file)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
            return 0
        memory = self._memory
        memory.c[:], memory.words[:] = content["c"], content["words"]
        for name, array in self._archive._asdict().items():
            array[...] = content[name]
        errors = int(memory.c[ERRORS])
        evaluate_all(memory.c, memory.words, memory.values)
        assert errors == memory.c[ERRORS]
        return int(content["done"])


def _improving(archive: Archive) -> list[int]:
    """Return the buckets with fewer errors than all smaller circuits."""
    best, kept = np.iinfo(np.int64).max, []
    for i in np.flatnonzero(archive.errors >= 0):
        if archive.errors[i] < best:
            best = archive.errors[i]
            kept.append(int(i))
    return kept
