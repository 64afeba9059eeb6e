"""An evolved circuit: the gates in use, as a numpy model and as logic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut
from dwn_asic.methods.parts.bucket_code import BucketCode
from dwn_asic.methods.tiny_classifier.evolution import active_gates

__all__ = ["Circuit"]

_TABLES = (0b1000, 0b1110, 0b0111, 0b0001)
"""Truth tables of and, or, nand, nor: :data:`dwn_asic.methods.tiny_classifier.evolution.FUNCTIONS`."""


@dataclass(frozen=True, eq=False)
class Circuit:
    """The gates in use of an evolved circuit.

    Attributes
    ----------
    inputs
        The input bits; node i is bit i.
    functions
        (K,) function number of each gate; gate k is node ``len(inputs) + k``.
    fanins
        (K, 2) fan-ins of each gate, which are earlier nodes.
    drivers
        (outputs,) node that drives each bit of the class index.
    """

    inputs: BucketCode
    functions: NDArray[np.int64]
    fanins: NDArray[np.int64]
    drivers: NDArray[np.int64]

    @classmethod
    def from_genes(cls, genes: NDArray[np.int64], inputs: BucketCode, n_gates: int) -> Circuit:
        """Build the circuit from genes, with only the gates that an output needs, renumbered."""
        n_inputs = len(inputs)
        active = active_gates(genes, n_gates, n_inputs)
        place = np.arange(n_inputs + n_gates)
        place[n_inputs + active] = n_inputs + np.arange(len(active))
        fanins = genes[n_gates : 3 * n_gates].reshape(n_gates, 2)
        return cls(inputs, genes[active], place[fanins[active]], place[genes[3 * n_gates :]])

    def predict(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Classify with numpy alone: (N, F) codes -> (N,) class indices, where C or more is no class."""
        nodes = list(self.inputs.encode(codes).T)
        for function, (a, b) in zip(self.functions, self.fanins, strict=True):
            value = nodes[a] | nodes[b] if function & 1 else nodes[a] & nodes[b]
            nodes.append(~value if function & 2 else value)
        bits = np.stack([nodes[driver] for driver in self.drivers], axis=1)
        index: NDArray[np.int64] = bits @ (1 << np.arange(len(self.drivers)))
        return index

    def graph(self, interface: Interface) -> BooleanGraph:
        """Return a graph with one node per gate, and the nodes that compute the input bits in use."""
        builder = GraphBuilder(interface)
        n_inputs = len(self.inputs)
        place: dict[int, int] = {}  # circuit node -> graph node
        for node in np.unique(np.concatenate([self.fanins.ravel(), self.drivers])):
            if node < n_inputs:
                place[int(node)] = self.inputs.add_line(int(node), builder)
        for k, (function, (a, b)) in enumerate(zip(self.functions, self.fanins, strict=True)):
            fanins = (place[int(a)], place[int(b)])
            place[n_inputs + k] = builder.add(Lut(fanins, _TABLES[function]))
        return builder.finish([place[int(driver)] for driver in self.drivers])
