"""Routing by negotiated congestion: all nets are routed, and those that share a resource are routed again.

Each round raises the price of shared resources, until no resource is used by two nets (PathFinder: McMurchie
and Ebeling, FPGA 1995).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.targets.asic.tapeout.cell_access import Access
from dwn_asic.targets.asic.tapeout.grid import RoutingGrid
from dwn_asic.targets.asic.tapeout.search import LAYERS, resources_of_tree, route_net

__all__ = ["NetRoute", "Progress", "Routing", "route"]

Progress = Callable[[int, int, int], None]
"""Called after each round with its number, the shared resources, and the number of nets to route again."""
_ROUNDS = 80
_MARGIN = 12
"""Crossings around the pins of a net that its wires may take at first."""
_FIRST_PRESSURE, _PRESSURE_FACTOR, _MOST_PRESSURE = 0.5, 1.4, 1000.0
_STALE = 25
"""Rounds without fewer shared resources after which a routing gives up."""
_TRIAL, _PROMISING = 8, 0.25
"""Rounds after which at most this share of the first shared resources is left, or a routing gives up."""


@dataclass(frozen=True)
class NetRoute:
    """The wires of a net.

    Attributes
    ----------
    edges
        (E, 2) nodes of each step along a wire or through a via, the lower number first.
    accesses
        Node and way of each pin, in the order of the net's pins.
    """

    edges: NDArray[np.int64]
    accesses: tuple[tuple[int, Access | None], ...]


@dataclass(frozen=True, eq=False)
class Routing:
    """Routes of all nets.

    Attributes
    ----------
    grid
        Grid that they are on.
    routes
        Route of each net.
    overused
        Resources that several nets use; empty for a routing that keeps the rules.
    failed
        Nets with a pin that cannot be reached.
    rounds
        (shared resources, nets to route again) after each round.
    """

    grid: RoutingGrid
    routes: dict[str, NetRoute]
    overused: int
    failed: tuple[str, ...]
    rounds: tuple[tuple[int, int], ...]


@dataclass
class _State:
    """A net that is being routed."""

    net: str
    number: int
    pin_start: NDArray[np.int64]
    node: NDArray[np.int64]
    beside: NDArray[np.int64]
    pad: NDArray[np.bool_]
    ways: list[Access | None]
    span: int
    margin: int = _MARGIN
    edges: NDArray[np.int64] | None = None
    chosen: NDArray[np.int64] | None = None
    resources: NDArray[np.int64] | None = None
    connected: bool = False


def route(
    grid: RoutingGrid, *, seed: int = 0, rounds: int = _ROUNDS, progress: Progress | None = None
) -> Routing:
    """Route all nets of a grid.

    Parameters
    ----------
    grid
        Grid with the pins of all nets.
    seed
        Seed of the order in which nets are routed again.
    rounds
        Largest number of rounds.
    progress
        Called after each round.
    """
    return _Router(grid, seed).run(rounds, progress)


class _Router:
    """The arrays of a routing."""

    def __init__(self, grid: RoutingGrid, seed: int) -> None:
        self._grid, self._generator = grid, np.random.default_rng(seed)
        size, resources = grid.size, len(grid.owner)
        self._use = np.zeros(resources, np.int32)
        self._history = np.zeros(resources)
        nodes = LAYERS * size
        self._scratch = (
            np.zeros(nodes),
            np.zeros(nodes, np.int64),
            np.zeros(nodes, np.int64),
            np.zeros(nodes, np.int64),
        )
        self._heap = np.zeros(10 * nodes + 1000), np.zeros(10 * nodes + 1000, np.int64)
        self._tree, self._edges = np.zeros(nodes, np.int64), np.zeros((nodes, 2), np.int64)
        self._marks, self._found = np.zeros(resources, np.int64), np.zeros(resources, np.int64)
        self._generation, self._mark = 0, 0
        self._states = sorted(map(self._state, grid.nets), key=lambda state: (state.span, state.number))

    def _state(self, net: str) -> _State:
        pins = self._grid.nets[net]
        flat = [access for pin in pins for access in pin.accesses]
        nodes = np.array([node for node, _ in flat], np.int64)
        columns, lines = (
            nodes % self._grid.size % self._grid.columns,
            nodes % self._grid.size // self._grid.columns,
        )
        return _State(
            net,
            self._grid.numbers[net],
            np.cumsum([0, *(len(pin.accesses) for pin in pins)]).astype(np.int64),
            nodes,
            np.array([0 if way is None else way.beside for _, way in flat], np.int64),
            np.array([way is not None and way.has_cut and not way.layer for _, way in flat], np.bool_),
            [way for _, way in flat],
            int(np.ptp(columns) + np.ptp(lines)),
        )

    def run(self, rounds: int, progress: Progress | None) -> Routing:
        pressure, todo, log = _FIRST_PRESSURE, list(self._states), list[tuple[int, int]]()
        fewest, since = len(self._use), 0
        for number in range(rounds):
            for state in todo:
                self._route(state, pressure)
            over = self._use > 1
            shared = int(over.sum())
            self._history[over] += self._use[over] - 1
            todo = [state for state in self._states if not state.connected or self._shares(state, over)]
            log.append((shared, len(todo)))
            if progress is not None:
                progress(number + 1, shared, len(todo))
            if not todo:
                break
            since = 0 if shared < fewest else since + 1
            fewest = min(fewest, shared)
            if since >= _STALE or (number + 1 == _TRIAL and shared > _PROMISING * log[0][0]):
                break
            pressure = min(pressure * _PRESSURE_FACTOR, _MOST_PRESSURE)
            order = self._generator.permutation(len(todo))
            todo = [todo[i] for i in order]
        failed = tuple(state.net for state in self._states if not state.connected)
        return Routing(
            self._grid,
            {s.net: _finished(s) for s in self._states},
            log[-1][0] if log else 0,
            failed,
            tuple(log),
        )

    def _shares(self, state: _State, over: NDArray[np.bool_]) -> bool:
        return state.resources is not None and bool(over[state.resources].any())

    def _route(self, state: _State, pressure: float) -> None:
        grid = self._grid
        if state.resources is not None:
            self._use[state.resources] -= 1
        chosen = np.full(len(state.pin_start) - 1, -1, np.int64)
        while True:
            window = self._window(state)
            nodes, steps, self._generation, state.connected = route_net(
                state.number,
                state.pin_start,
                state.node,
                state.beside,
                state.pad,
                grid.columns,
                grid.lines,
                grid.technology.layers[3].stride,
                grid.technology.layers[2].stride,
                window,
                self._use,
                self._history,
                grid.owner,
                pressure,
                *self._scratch,
                self._generation,
                *self._heap,
                self._tree,
                self._edges,
                chosen,
            )
            if state.connected or state.margin > grid.columns + grid.lines:
                break
            state.margin *= 4
        self._mark += 1
        state.edges = np.sort(self._edges[:steps], axis=1)
        state.chosen = chosen
        count = resources_of_tree(
            self._tree[:nodes],
            state.edges,
            chosen,
            state.node,
            state.beside,
            state.pad,
            grid.columns,
            grid.lines,
            self._marks,
            self._mark,
            self._found,
        )
        state.resources = self._found[:count].copy()
        self._use[state.resources] += 1
        state.margin += 2  # a net that has to be routed again may go further

    def _window(self, state: _State) -> NDArray[np.int64]:
        grid = self._grid
        columns, lines = state.node % grid.size % grid.columns, state.node % grid.size // grid.columns
        return np.array(
            [
                max(0, columns.min() - state.margin),
                min(grid.columns - 1, columns.max() + state.margin),
                max(0, lines.min() - state.margin),
                min(grid.lines - 1, lines.max() + state.margin),
            ],
            np.int64,
        )


def _finished(state: _State) -> NetRoute:
    assert state.edges is not None
    assert state.chosen is not None
    accesses = tuple((int(state.node[i]), state.ways[i]) for i in state.chosen if i >= 0)
    return NetRoute(state.edges, accesses)
