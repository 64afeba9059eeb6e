"""Tiny Classifier circuits: a few hundred gates, evolved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from dwn_asic.baselines.evolution import LabelledWords, active_gates, advance, random_genes
from dwn_asic.baselines.interface import Detail, Fitting, Progress, interface_of
from dwn_asic.data.dataset import Dataset
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.network.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold

__all__ = ["Circuit", "TinyClassifier"]

_TABLES = (0b1000, 0b1110, 0b0111, 0b0001)
"""Truth tables of and, or, nand, nor: :data:`dwn_asic.baselines.evolution.FUNCTIONS`."""
_MUTATIONS_PER_CHILD = 3.0
_GENERATIONS_PER_CALL = 2_000


@dataclass(frozen=True, eq=False)
class Circuit:
    """The gates that an evolved circuit uses.

    Attributes
    ----------
    thermometer
        The inputs: node i is thermometer bit i.
    functions
        (K,) number of the gate's function; gate k is node ``len(thermometer) + k``.
    fanins
        (K, 2) nodes before the gate.
    drivers
        (outputs,) node that drives each bit of the class index.
    """

    thermometer: Thermometer
    functions: NDArray[np.int64]
    fanins: NDArray[np.int64]
    drivers: NDArray[np.int64]

    @classmethod
    def from_genes(cls, genes: NDArray[np.int64], thermometer: Thermometer, n_gates: int) -> Circuit:
        """Only the gates that an output needs, renumbered."""
        n_inputs = len(thermometer)
        active = active_gates(genes, n_gates, n_inputs)
        place = np.arange(n_inputs + n_gates)
        place[n_inputs + active] = n_inputs + np.arange(len(active))
        fanins = genes[n_gates : 3 * n_gates].reshape(n_gates, 2)
        return cls(thermometer, genes[active], place[fanins[active]], place[genes[3 * n_gates :]])

    def predict(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N, F) codes -> (N,) class indices, by numpy alone; an index of C or more is no class."""
        nodes = list(self.thermometer.encode(codes).T)
        for function, (a, b) in zip(self.functions, self.fanins, strict=True):
            value = nodes[a] | nodes[b] if function & 1 else nodes[a] & nodes[b]
            nodes.append(~value if function & 2 else value)
        bits = np.stack([nodes[driver] for driver in self.drivers], axis=1)
        index: NDArray[np.int64] = bits @ (1 << np.arange(len(self.drivers)))
        return index

    def graph(self, interface: Interface) -> BooleanGraph:
        """One node per gate and per thermometer bit in use."""
        builder = GraphBuilder(interface)
        n_inputs = len(self.thermometer)
        place: dict[int, int] = {}  # circuit node -> graph node
        for node in np.unique(np.concatenate([self.fanins.ravel(), self.drivers])):
            if node < n_inputs:
                feature, constant = self.thermometer.feature[node], self.thermometer.constant[node]
                place[int(node)] = builder.add(Threshold(int(feature), int(constant)))
        for k, (function, (a, b)) in enumerate(zip(self.functions, self.fanins, strict=True)):
            fanins = (place[int(a)], place[int(b)])
            place[n_inputs + k] = builder.add(Lut(fanins, _TABLES[function]))
        return builder.finish([place[int(driver)] for driver in self.drivers])


@dataclass(frozen=True)
class TinyClassifier:
    """Evolution of a circuit of at most ``gates`` two-input gates.

    As in the paper: functions and, or, nand, nor; 300 gates by default; (1+4) evolution strategy that
    accepts equal fitness; balanced accuracy as fitness; mutation of functions and of edges, active or not,
    that keeps the graph acyclic and nothing else (EGGP); the circuit kept is the one that scored best on
    rows that the fitness does not see, and evolution ends when that score stops improving.

    Deviations, all for comparing circuits and not flows:

    - Inputs are the ``bits`` thermometer bits per feature at equal shares of the training rows, the same
      comparators that every circuit here gets, in place of a bucket number in binary, Gray or one-hot code.
    - The flow's own training and validation rows, in place of halves of the training data.
    - The number of mutations of a child is drawn once for functions, edges and outputs together, binomial
      with a rate of ``3 / genes``: the mean that 1/gates for each function and edge gives.
    - Many more generations, and no least gain that counts as better: evolution ends later. Of circuits with
      the same validation score the one with the fewest gates is kept, since neutral drift lets circuits
      grow. Both are to the rival's advantage.

    Attributes
    ----------
    bits
        Thermometer bits per feature.
    gates
        Most gates.
    generations
        Most generations.
    patience
        Generations without a better validation score after which evolution ends.

    References
    ----------
    Iordanou et al., Tiny Classifier Circuits: Evolving Accelerators for Tabular Data, arXiv:2303.00031.
    Atkinson, Plump and Stepney, Evolving Graphs by Graph Programming, EuroGP 2018.
    """

    bits: int
    gates: int
    generations: int
    patience: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Evolve; the same seed gives the same circuit."""
        codes = dataset.part("train")[0]
        thermometer = Thermometer.fit(codes, dataset.quantizer.bits, kind="distributive", bits=self.bits)
        interface = interface_of(dataset)
        if not len(thermometer):
            return _most_frequent(dataset, interface)
        genes, scores, done = self._evolve(dataset, thermometer, interface.class_bits, seed, progress)
        circuit = Circuit.from_genes(genes, thermometer, self.gates)
        graph = circuit.graph(interface)
        details: dict[str, Detail] = {
            "gates": len(circuit.functions),
            "gates_allowed": self.gates,
            "thresholds": len(graph.inputs),
            "thresholds_allowed": len(thermometer),
            "generations": done,
            "balanced_accuracy_val": float(scores[1]),
        }
        return Fitting(graph, circuit.predict(dataset.codes), details)

    def _evolve(
        self, dataset: Dataset, thermometer: Thermometer, n_outputs: int, seed: int, progress: Progress
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
        """The best genes, the last scores (:func:`advance`), and the generations done."""
        train, val = (
            LabelledWords.pack(
                thermometer.encode(codes),
                labels,
                n_classes=dataset.table.n_classes,
                n_gates=self.gates,
                n_outputs=n_outputs,
            )
            for codes, labels in (dataset.part("train"), dataset.part("val"))
        )
        generator = np.random.default_rng(seed)
        genes = random_genes(len(thermometer), self.gates, n_outputs, generator)
        best = genes.copy()
        state = generator.integers(1, 1 << 63, size=1, dtype=np.uint64)
        scores = np.array([-1.0, -1.0, 0.0])
        rate = min(1.0, _MUTATIONS_PER_CHILD / len(genes))
        mutations = binom.cdf(np.arange(len(genes)), len(genes), rate)
        done = 0
        while done < self.generations and scores[2] < self.patience:
            wanted = min(_GENERATIONS_PER_CALL, self.generations - done)
            done += advance(
                genes,
                best,
                scores,
                state,
                train=train,
                val=val,
                n_gates=self.gates,
                mutations=mutations,
                generations=wanted,
                patience=self.patience,
            )
            progress(
                f"generation {done} of at most {self.generations}: balanced accuracy "
                f"{scores[0]:.4f} in training, at best {scores[1]:.4f} in validation"
            )
        return best, scores, done


def _most_frequent(dataset: Dataset, interface: Interface) -> Fitting:
    """Without a single input bit all that is left to choose is one class."""
    index = int(np.bincount(dataset.part("train")[1]).argmax())
    builder = GraphBuilder(interface)
    drivers = [builder.add(Constant(bool(index >> k & 1))) for k in range(interface.class_bits)]
    predictions = np.full(len(dataset.codes), index, np.int64)
    return Fitting(builder.finish(drivers), predictions, {"gates": 0, "thresholds": 0, "generations": 0})
