"""Sizing: drive strengths and buffers that make a mapped netlist faster, judged by static timing.

The method is greedy, as TILOS (Fishburn and Dunlop, 1985): of all exchanges of a cell on the critical path
for another of its drive strengths, those that shorten the delay most for their area are made, until none
helps. Then buffers are tried, which take load off a net of the path. At last every cell whose drive strength
is not needed for the delay becomes as small as it can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dwn_asic.targets.asic.signoff.incremental import IncrementalTiming
from dwn_asic.targets.asic.signoff.library import TimingLibrary
from dwn_asic.targets.asic.signoff.timing import Environment
from dwn_asic.verilog.cell import Cell, FlipFlop
from dwn_asic.verilog.flat_netlist import FlatNetlist, Gate, Pin

__all__ = ["BUFFER", "Sized", "Sizes", "area_of", "faster", "smaller", "with_buffer"]

BUFFER = "buffer_"
"""Start of the names of buffers that sizing adds."""
_BUFFER_FUNCTION = (1, 0b10)
_STEPS = 2
"""Number of larger and of smaller drive strengths that are tried for a cell."""
_MOVES = 4
"""Largest number of exchanges that one ranking leads to."""
_PATIENCE = 6
"""Number of exchanges in a row that may fail to shorten the delay."""
_FANOUT = 3
"""Smallest number of pins on a net that may get a buffer."""
_LEAST = 1e-6
"""Smallest gain of a delay that counts, in ns."""

Sizes = Mapping[str, tuple[Cell | FlipFlop, ...]]
"""Name of each cell, and all cells of its function and pins, the smallest first."""


@dataclass(frozen=True, eq=False)
class Sized:
    """A netlist with its area (um2) and its delay (ns)."""

    netlist: FlatNetlist
    area: float
    delay: float


@dataclass(frozen=True)
class _Move:
    """An exchange of an instance's cell, the delay (ns) that it leads to, and the area (um2) that it adds."""

    index: int
    cell: Cell | FlipFlop
    delay: float
    area: float


@dataclass(frozen=True)
class _Relief:
    """A buffer on a net, the pins it would drive, and the delay (ns) gained if it had no delay itself."""

    net: int
    pins: list[Pin]
    cell: Cell
    gain: float


def faster(
    netlist: FlatNetlist, sizes: Sizes, library: TimingLibrary, environment: Environment, target: float = 0.0
) -> list[Sized]:
    """Make a netlist faster, step by step.

    Parameters
    ----------
    netlist
        Netlist to start from.
    sizes
        Drive strengths of its cells; those of buffers are used for new buffers.
    library, environment
        As for :func:`~dwn_asic.targets.asic.signoff.timing.analyze`, whose errors are raised.
    target
        Delay in ns that suffices; 0 for the shortest one.

    Returns
    -------
    list of Sized
        The netlist itself, then ever faster ones. The last one meets the target or is the fastest that was
        found, and it is as small as single exchanges make it at that delay.
    """
    sizer = _Sizer(netlist, sizes, library, environment)
    found = [sizer.state(), *sizer.states(target)]
    limit = max(target, found[-1].delay)
    return [*found[:-1], smaller(found[-1], sizes, library, environment, limit)]


def smaller(
    sized: Sized,
    sizes: Sizes,
    library: TimingLibrary,
    environment: Environment,
    limit: float | None = None,
) -> Sized:
    """Return a netlist with the smallest drive strengths, one after the other, that keep its delay.

    Parameters and errors are those of :func:`faster`; ``limit`` is the delay to keep in ns, by default the
    netlist's own.
    """
    timing, limit = IncrementalTiming(sized.netlist, library, environment), limit or sized.delay
    savings = {index: cell.area - sizes[cell.name][0].area for index, cell in enumerate(timing.cells)}
    for index in sorted(savings, key=lambda each: (-savings[each], each)):
        for cell in sizes[timing.cells[index].name]:
            if cell.area >= timing.cells[index].area:
                break
            if timing.is_size(index, cell) and timing.delay_with(index, cell) <= limit:
                timing.exchange(index, cell)
                break
    return Sized(timing.result(), area_of(timing.cells), timing.delay)


def with_buffer(netlist: FlatNetlist, net: int, pins: Iterable[Pin], cell: Cell, name: str) -> FlatNetlist:
    """Return a netlist in which a new buffer reads a net and drives some of the pins that the net drove.

    Parameters
    ----------
    netlist, net, pins
        Netlist, the net, and pins that it drives, at least one.
    cell, name
        Cell of the buffer, and its hierarchical name.
    """
    moved = set(pins)
    place = min(index for index, _ in moved)
    base = len(netlist.net_names) - len(netlist.instances)
    new = base + place

    def renumbered(index: int) -> int:
        return index + (index >= new)

    instances = [*netlist.instances[:place]]  # which read no net after the new one
    for number, each in enumerate(netlist.instances[place:], place):
        inputs = tuple(
            new if (number, pin) in moved else renumbered(read) for pin, read in enumerate(each.inputs)
        )
        instances.append(replace(each, inputs=inputs, output=renumbered(each.output)))
    instances.insert(place, Gate(name, cell, (renumbered(net),), new))
    names = netlist.net_names
    return replace(
        netlist,
        net_names=(*names[:new], f"{name}.{cell.output}", *names[new:]),
        outputs={bit: renumbered(driven) for bit, driven in netlist.outputs.items()},
        instances=tuple(instances),
    )


def area_of(cells: Iterable[Cell | FlipFlop]) -> float:
    """Return the total area of cells in um2."""
    return sum(cell.area for cell in cells)


class _Sizer:
    """A netlist that is being sized."""

    def __init__(
        self, netlist: FlatNetlist, sizes: Sizes, library: TimingLibrary, environment: Environment
    ) -> None:
        self._sizes, self._library, self._environment = sizes, library, environment
        self._timing = IncrementalTiming(netlist, library, environment)
        groups = {id(each): each for each in sizes.values()}.values()
        self._buffers = [
            cell
            for cells in groups
            for cell in cells
            if isinstance(cell, Cell) and (len(cell.inputs), cell.table) == _BUFFER_FUNCTION
        ][: _STEPS + 1]
        self._added = 0

    def state(self) -> Sized:
        """Return the present netlist."""
        return Sized(self._timing.result(), area_of(self._timing.cells), self._timing.delay)

    def states(self, target: float) -> Iterator[Sized]:
        """Make the netlist faster until it meets the target; yield each one that is the fastest so far."""
        best, idle, tried = self._timing.delay, 0, set[tuple[int, str]]()
        while self._timing.delay > target and idle <= _PATIENCE:
            if not (self._shortened() or self._buffered() or self._loosened(tried)):
                return
            idle += 1
            if self._timing.delay < best - _LEAST:
                best, idle = self._timing.delay, 0
                yield self.state()

    def _shortened(self) -> bool:
        """Make the exchanges on the critical path that shorten the delay most; return whether one does."""
        timing, now, done = self._timing, self._timing.delay, set[int]()
        good = [move for move in self._moves() if move.delay < now - _LEAST]
        for move in sorted(good, key=lambda each: self._worth(each, now), reverse=True)[: 2 * _MOVES]:
            if move.index in done or len(done) == _MOVES:
                continue
            # After the first exchange the others may help less than they did alone.
            if not done or timing.delay_with(move.index, move.cell) < timing.delay - (now - move.delay) / 2:
                timing.exchange(move.index, move.cell)
                done.add(move.index)
        return bool(done)

    def _loosened(self, tried: set[tuple[int, str]]) -> bool:
        """Make the exchange for a larger cell that lengthens the delay least, if there is one not yet tried.

        Others may then shorten it, for example where two paths are critical.
        """
        moves = [each for each in self._moves() if each.area > 0.0]
        moves = [each for each in moves if (each.index, each.cell.name) not in tried]
        if not moves:
            return False
        move = min(moves, key=lambda each: (each.delay, each.area, each.index))
        tried.add((move.index, move.cell.name))
        self._timing.exchange(move.index, move.cell)
        return True

    def _worth(self, move: _Move, now: float) -> tuple[bool, float]:
        """Return how good a move is: the gain for its area, or the gain alone if it costs none."""
        gain = now - move.delay
        return move.area <= 0.0, gain if move.area <= 0.0 else gain / move.area

    def _moves(self) -> Iterator[_Move]:
        """Yield the exchanges of cells on the critical path."""
        timing = self._timing
        for index in timing.path():
            cell = timing.cells[index]
            sizes = self._sizes[cell.name]
            place = sizes.index(cell)
            for other in sizes[max(0, place - _STEPS) : place + _STEPS + 1]:
                if other is not cell and timing.is_size(index, other):
                    yield _Move(index, other, timing.delay_with(index, other), other.area - cell.area)

    def _buffered(self) -> bool:
        """Add the buffer that shortens the delay most for its area; return whether there is one.

        What a buffer takes off the net bounds what it gains, so most buffers need no timing of their own.
        """
        netlist, now = self._timing.result(), self._timing.delay
        bounds = sorted(self._relieving(netlist), key=lambda each: each.gain / each.cell.area, reverse=True)
        best: tuple[float, IncrementalTiming] | None = None
        for each in bounds:
            if best is not None and each.gain / each.cell.area <= best[0]:
                break
            scope = netlist.instances[each.pins[0][0]].name.rpartition(".")[0]
            name = f"{scope}.{BUFFER}{self._added}".lstrip(".")
            buffered = with_buffer(netlist, each.net, each.pins, each.cell, name)
            timing = IncrementalTiming(buffered, self._library, self._environment)
            gain = now - timing.delay
            if gain > _LEAST and (best is None or gain / each.cell.area > best[0]):
                best = gain / each.cell.area, timing
        if best is None:
            return False
        self._timing = best[1]
        self._added += 1
        return True

    def _relieving(self, netlist: FlatNetlist) -> Iterator[_Relief]:
        """Yield the buffers that take load off a net of the critical path."""
        timing = self._timing
        for net, pins in self._loaded(netlist):
            moved = sum(timing.capacitance(netlist.instances[index].cell, pin) for index, pin in pins)
            for cell in self._buffers:
                gain = timing.delay - timing.delay_with_load(net, timing.capacitance(cell, 0) - moved)
                if gain > _LEAST:
                    yield _Relief(net, pins, cell, gain)

    def _loaded(self, netlist: FlatNetlist) -> Iterator[tuple[int, list[Pin]]]:
        """Yield nets of the critical path, and pins that a buffer could drive: all, or all but the critical.

        All of them are in one module, where the buffer is.
        """
        path = self._timing.path()
        for index, after in zip(path, [*path[1:], -1], strict=True):
            net = netlist.instances[index].output
            readers = netlist.readers[net]
            if len(readers) < _FANOUT:
                continue
            scopes = [netlist.instances[pin[0]].name.rpartition(".")[0] for pin in readers]
            scope = max(scopes, key=scopes.count)
            inside = [pin for pin, its in zip(readers, scopes, strict=True) if its == scope]
            others = [pin for pin in inside if pin[0] != after]
            yield net, others or inside
            if 0 < len(others) < len(inside):
                yield net, inside
