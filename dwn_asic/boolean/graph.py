"""BooleanGraph: typed nodes in topological order, the form between the trained model and the gates.

A :class:`GraphBuilder` builds a graph; the finished graph never changes:

>>> interface = Interface(("height",), (8,), ("small", "tall"))
>>> builder = GraphBuilder(interface)
>>> low, high = builder.add(Threshold(0, 64)), builder.add(Threshold(0, 128))
>>> only_low = builder.add(Lut((low, high), 0b0010))  # address 1: low is set, high is not
>>> graph = builder.finish([only_low])
>>> graph.predict(np.array([[10], [100], [200]])).tolist()
[0, 1, 0]
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.packed import FlatLogic, pack_rows, simulate, unpack_rows
from dwn_asic.errors import DataError

__all__ = [
    "BooleanGraph",
    "CodeBit",
    "Constant",
    "GraphBuilder",
    "Input",
    "Interface",
    "Lut",
    "Module",
    "Node",
    "Output",
    "Threshold",
]

_FORMAT = 1
_MOST_VALUES = 1 << 32
"""Number of values, nodes times rows, that are simulated at once: half a gigabyte."""


@dataclass(frozen=True, order=True, slots=True)
class Threshold:
    """An input of a core: whether the code of a feature is at least a constant."""

    feature: int
    constant: int


@dataclass(frozen=True, order=True, slots=True)
class CodeBit:
    """An input of an encoder: one bit of a feature's code; bit 0 is the least significant."""

    feature: int
    bit: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A node that is always 0 or always 1."""

    value: bool


@dataclass(frozen=True, slots=True)
class Lut:
    """A lookup table: any function of its fan-ins.

    Attributes
    ----------
    fanins
        Node ids; fan-in 0 is the least significant bit of the address.
    table
        Truth table; bit a is the output at address a.
    """

    fanins: tuple[int, ...]
    table: int


@dataclass(frozen=True, slots=True)
class Output:
    """Output number ``index``; in a classifier, bit ``index`` of the class index."""

    index: int
    fanin: int


@dataclass(frozen=True, slots=True)
class Module:
    """A part of a large graph: its LUTs from node ``first`` to node ``last - 1``.

    Attributes
    ----------
    first, last
        The range of node ids.
    outputs
        The LUTs of the module that other modules, or outputs of the graph, read.
    """

    first: int
    last: int
    outputs: tuple[int, ...]


Input = Threshold | CodeBit
Node = Input | Constant | Lut | Output


@dataclass(frozen=True)
class Interface:
    """The meaning of a circuit's ports.

    Attributes
    ----------
    feature_names
        (F,) names.
    widths
        (F,) widths of the codes in bits.
    class_names
        (C,) names in the order of the class indices.
    """

    feature_names: tuple[str, ...]
    widths: tuple[int, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.feature_names) != len(self.widths):
            raise ValueError(f"{len(self.feature_names)} feature names, {len(self.widths)} widths")

    @property
    def class_bits(self) -> int:
        """Width of the class index in bits."""
        return max(1, (len(self.class_names) - 1).bit_length())

    def fixed_value(self, node: Input) -> bool | None:
        """Return the value that an input has on every code, or None if it depends on the code.

        A threshold at or below 0 is always reached; one above all codes of its feature never is.
        """
        if isinstance(node, CodeBit) or 0 < node.constant < 1 << self.widths[node.feature]:
            return None
        return node.constant <= 0


class BooleanGraph:
    """An immutable Boolean network.

    Node ids are 0..len-1 in topological order: the fan-ins of a node have smaller ids than the node. A
    :class:`GraphBuilder` makes sure of that.

    Attributes
    ----------
    interface
        The meaning of inputs and outputs.
    modules
        The modules of a large graph, which hold all LUTs that outputs need; empty for other graphs. See
        :mod:`dwn_asic.boolean.modules`.
    """

    def __init__(self, nodes: Sequence[Node], interface: Interface, modules: Sequence[Module] = ()) -> None:
        self._nodes = tuple(nodes)
        self.interface = interface
        self.modules = tuple(modules)

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, index: int) -> Node:
        """Return the node with this id."""
        return self._nodes[index]

    def nodes(self) -> Iterator[tuple[int, Node]]:
        """Yield all pairs (id, node) in topological order."""
        return enumerate(self._nodes)

    @cached_property
    def digraph(self) -> nx.DiGraph[int]:
        """The graph as a frozen networkx DiGraph, whose edges run from fan-in to reader.

        Each node has the attributes ``node`` (one of the classes above) and ``kind`` (its class name in lower
        case).
        """
        digraph: nx.DiGraph[int] = nx.DiGraph()
        for index, node in self.nodes():
            digraph.add_node(index, node=node, kind=type(node).__name__.lower())
            digraph.add_edges_from((fanin, index) for fanin in _fanins(node))
        return nx.freeze(digraph)

    @cached_property
    def inputs(self) -> tuple[tuple[int, Input], ...]:
        """The inputs (thresholds or code bits) with their ids, in ascending order."""
        return tuple((i, node) for i, node in self.nodes() if isinstance(node, Threshold | CodeBit))

    @cached_property
    def luts(self) -> tuple[tuple[int, Lut], ...]:
        """The LUTs with their ids, in ascending order."""
        return tuple((i, node) for i, node in self.nodes() if isinstance(node, Lut))

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The ids of the nodes that drive output 0, 1, ..."""
        found = [node for _, node in self.nodes() if isinstance(node, Output)]
        return tuple(node.fanin for node in sorted(found, key=lambda node: node.index))

    @cached_property
    def depth(self) -> int:
        """The largest number of nodes that follow one another, without the first."""
        depth: list[int] = []
        for _, node in self.nodes():
            depth.append(1 + max((depth[fanin] for fanin in _fanins(node)), default=-1))
        return max(depth, default=0)

    @cached_property
    def flat(self) -> FlatLogic:
        """The logic as flat arrays, for the simulation kernels."""
        fanins = [node.fanins if isinstance(node, Lut) else () for _, node in self.nodes()]
        tables = [
            node.table if isinstance(node, Lut) else int(isinstance(node, Constant) and node.value)
            for _, node in self.nodes()
        ]
        is_input = [isinstance(node, Threshold | CodeBit) for _, node in self.nodes()]
        return FlatLogic.build(fanins, tables, is_input)

    def input_bits(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Evaluate the inputs: (N, F) codes -> (N, I) values in the order of :attr:`inputs`."""
        columns = [
            codes[:, node.feature] >= node.constant
            if isinstance(node, Threshold)
            else (codes[:, node.feature] >> node.bit) & 1
            for _, node in self.inputs
        ]
        return np.stack(columns, axis=1).astype(bool) if columns else np.zeros((len(codes), 0), bool)

    def simulate(self, input_bits: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Simulate the graph: (N, I) input values -> (N, O) output values."""
        rows = max(64, _MOST_VALUES // max(1, len(self)))
        found = [
            unpack_rows(simulate(self.flat, pack_rows(some))[list(self.outputs)], len(some))
            for some in np.split(input_bits, range(rows, len(input_bits), rows))
        ]
        return np.concatenate(found)

    def predict(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Classify rows: (N, F) codes -> (N,) class indices."""
        outputs = self.simulate(self.input_bits(codes))
        return outputs @ (1 << np.arange(outputs.shape[1]))

    def accuracy(self, codes: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
        """Return the share of rows, (N, F) codes, predicted as their (N,) labels; NaN without rows."""
        return float(np.mean(self.predict(codes) == labels)) if len(labels) else math.nan

    def with_modules(self, modules: Sequence[Module]) -> BooleanGraph:
        """Return the same graph with these modules."""
        return BooleanGraph(self._nodes, self.interface, modules)

    def save(self, path: Path) -> None:
        """Write JSON with one node per line; equal graphs have equal bytes."""
        lines = ",\n".join(json.dumps(_to_json(node)) for _, node in self.nodes())
        head = {"format": _FORMAT, "interface": asdict(self.interface)}
        if self.modules:
            head["modules"] = [astuple(module) for module in self.modules]
        keys = "".join(f'"{key}": {json.dumps(value)},\n' for key, value in head.items())
        path.write_text(f'{{{keys}"nodes": [\n{lines}\n]}}\n')

    @classmethod
    def load(cls, path: Path) -> BooleanGraph:
        """Read a file that :meth:`save` wrote; raises DataError if it is not a graph."""
        try:
            content = json.loads(path.read_text())
            if content["format"] != _FORMAT:
                raise DataError(path, f"graph format {content['format']}, this version reads {_FORMAT}")
            interface = Interface(**{key: tuple(value) for key, value in content["interface"].items()})
            builder = GraphBuilder(interface)
            drivers = {}
            for index, entry in enumerate(content["nodes"]):
                node = _from_json(entry)
                if isinstance(node, Output):
                    drivers[node.index] = node.fanin
                elif builder.add(node) != index:
                    raise ValueError(f"node {index} repeats an earlier input or follows an output")
            modules = [
                Module(first, last, tuple(outputs)) for first, last, outputs in content.get("modules", ())
            ]
            return builder.finish([drivers[i] for i in range(len(drivers))], modules)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(path, f"not a graph file: {error!r}") from error


class GraphBuilder:
    """A builder that collects nodes in topological order; :meth:`finish` returns the graph."""

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self._nodes: list[Node] = []
        self._inputs: dict[Input, int] = {}

    def add(self, node: Input | Constant | Lut) -> int:
        """Add a node and return its id; an input that was added before keeps its id.

        Raises
        ------
        ValueError
            The input belongs to no feature of the interface, a fan-in has not been added yet, or the table is
            too large for the fan-ins.
        """
        if isinstance(node, Threshold | CodeBit):
            if not 0 <= node.feature < len(self.interface.widths):
                raise ValueError(f"{node} is outside the {len(self.interface.widths)} features")
            if node in self._inputs:
                return self._inputs[node]
            self._inputs[node] = len(self._nodes)
        elif isinstance(node, Lut):
            if node.fanins and not 0 <= min(node.fanins) <= max(node.fanins) < len(self._nodes):
                raise ValueError(
                    f"fan-ins {node.fanins} are not all among the {len(self._nodes)} earlier nodes"
                )
            if not 0 <= node.table < 1 << (1 << len(node.fanins)):
                raise ValueError(f"table {node.table:#x} does not fit {len(node.fanins)} fan-ins")
        self._nodes.append(node)
        return len(self._nodes) - 1

    def node(self, index: int) -> Node:
        """Return a node that was added earlier."""
        return self._nodes[index]

    def __len__(self) -> int:
        return len(self._nodes)

    def finish(self, outputs: Sequence[int], modules: Sequence[Module] = ()) -> BooleanGraph:
        """Return the graph whose output i is driven by node ``outputs[i]``, with these modules.

        Raises
        ------
        ValueError
            There is no such node.
        """
        if any(not 0 <= fanin < len(self._nodes) for fanin in outputs):
            raise ValueError(f"outputs {tuple(outputs)} are not all among the {len(self._nodes)} nodes")
        nodes = [*self._nodes, *(Output(i, fanin) for i, fanin in enumerate(outputs))]
        return BooleanGraph(nodes, self.interface, modules)


def _fanins(node: Node) -> Iterable[int]:
    if isinstance(node, Lut):
        return node.fanins
    return (node.fanin,) if isinstance(node, Output) else ()


def _to_json(node: Node) -> list[Any]:
    match node:
        case Threshold(feature, constant):
            return ["threshold", feature, constant]
        case CodeBit(feature, bit):
            return ["code_bit", feature, bit]
        case Constant(value):
            return ["constant", int(value)]
        case Lut(fanins, table):
            return ["lut", list(fanins), f"{table:#x}"]
        case Output(index, fanin):
            return ["output", index, fanin]


def _from_json(entry: list[Any]) -> Node:
    match entry:
        case ["threshold", feature, constant]:
            return Threshold(int(feature), int(constant))
        case ["code_bit", feature, bit]:
            return CodeBit(int(feature), int(bit))
        case ["constant", value]:
            return Constant(bool(value))
        case ["lut", fanins, table]:
            return Lut(tuple(map(int, fanins)), int(table, 16))
        case ["output", index, fanin]:
            return Output(int(index), int(fanin))
    raise ValueError(f"unknown node {entry!r}")
