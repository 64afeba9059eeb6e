"""Tiny Classifier circuits: a few hundred gates, evolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.split import drawn
from dwn_asic.methods.base import Detail, Fitting, Progress, interface_of, most_frequent
from dwn_asic.methods.parts.bucket_code import BucketCode, Code, Cuts
from dwn_asic.methods.parts.evolution import LabelledWords, active_gates, advance, random_genes

__all__ = ["Circuit", "Fitness", "Inputs", "TinyClassifier"]

Fitness = Literal["balanced_accuracy", "accuracy"]

_TABLES = (0b1000, 0b1110, 0b0111, 0b0001)
"""Truth tables of and, or, nand, nor: :data:`dwn_asic.methods.parts.evolution.FUNCTIONS`."""
_MUTATIONS_PER_CHILD = 3.0
_GENERATIONS_PER_CALL = 2_000


@dataclass(frozen=True, eq=False)
class Circuit:
    """The gates that an evolved circuit uses.

    Attributes
    ----------
    inputs
        Node i is bit i.
    functions
        (K,) number of the gate's function; gate k is node ``len(inputs) + k``.
    fanins
        (K, 2) nodes before the gate.
    drivers
        (outputs,) node that drives each bit of the class index.
    """

    inputs: BucketCode
    functions: NDArray[np.int64]
    fanins: NDArray[np.int64]
    drivers: NDArray[np.int64]

    @classmethod
    def from_genes(cls, genes: NDArray[np.int64], inputs: BucketCode, n_gates: int) -> Circuit:
        """Only the gates that an output needs, renumbered."""
        n_inputs = len(inputs)
        active = active_gates(genes, n_gates, n_inputs)
        place = np.arange(n_inputs + n_gates)
        place[n_inputs + active] = n_inputs + np.arange(len(active))
        fanins = genes[n_gates : 3 * n_gates].reshape(n_gates, 2)
        return cls(inputs, genes[active], place[fanins[active]], place[genes[3 * n_gates :]])

    def predict(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N, F) codes -> (N,) class indices, by numpy alone; an index of C or more is no class."""
        nodes = list(self.inputs.encode(codes).T)
        for function, (a, b) in zip(self.functions, self.fanins, strict=True):
            value = nodes[a] | nodes[b] if function & 1 else nodes[a] & nodes[b]
            nodes.append(~value if function & 2 else value)
        bits = np.stack([nodes[driver] for driver in self.drivers], axis=1)
        index: NDArray[np.int64] = bits @ (1 << np.arange(len(self.drivers)))
        return index

    def graph(self, interface: Interface) -> BooleanGraph:
        """One node per gate, and those that make the input bits in use."""
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


@dataclass(frozen=True)
class Inputs:
    """What a circuit reads: see :class:`dwn_asic.methods.parts.bucket_code.BucketCode`."""

    bits: int
    cuts: Cuts = "quantile"
    code: Code = "thermometer"

    def __str__(self) -> str:
        return f"{self.bits} {self.code} bits, {self.cuts.replace('_', '-')}"


@dataclass(frozen=True)
class TinyClassifier:
    """Evolution of a circuit of at most ``gates`` two-input gates.

    As in the paper: functions and, or, nand, nor, or nand alone; 300 gates by default; (1+4) evolution
    strategy that accepts equal fitness; balanced accuracy as fitness; mutation of functions and of edges,
    active or not, that keeps the graph acyclic and nothing else (EGGP); the circuit kept is the one that
    scored best on rows that the fitness does not see, and evolution ends when that score stops improving; of
    several encodings of the inputs the one whose circuit scores best on those rows.

    Deviations, all for comparing circuits and not flows:

    - The buckets' cuts are comparators of the features' integer codes, as every circuit here gets them, and
      the gates that make a binary, Gray or one-hot code of them are counted as part of the core. Thermometer
      bits, which need no such gates, are an encoding more than the paper tries.
    - The flow's own training and validation rows, in place of halves of the training data; of very many
      training rows a part, as large as the part that shrink judges on.
    - The number of mutations of a child is drawn once for functions, edges and outputs together, binomial
      with a rate of ``3 / genes``: the mean that 1/gates for each function and edge gives.
    - No least gain that counts as better: evolution ends later. Of circuits with the same validation score
      the one with the fewest gates is kept, since neutral drift lets circuits grow. Both are to the rival's
      advantage.

    Attributes
    ----------
    inputs
        Encodings to try.
    gates
        Most gates.
    generations
        Most generations.
    patience
        Generations without a better validation score after which evolution ends.
    trial
        Generations after which only the best of several encodings goes on; None for no such end.
    nand_only
        Only nand gates.
    rows
        Training rows to judge on, at most; of more these are drawn.
    fitness
        Balanced accuracy as in the paper, or the accuracy that tables compare.

    References
    ----------
    Iordanou et al., Tiny Classifier Circuits: Evolving Accelerators for Tabular Data, arXiv:2303.00031.
    Atkinson, Plump and Stepney, Evolving Graphs by Graph Programming, EuroGP 2018.
    """

    inputs: tuple[Inputs, ...]
    gates: int
    generations: int
    patience: int
    trial: int | None = None
    nand_only: bool = False
    rows: int = 32_768
    fitness: Fitness = "balanced_accuracy"

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Evolve; the same seed gives the same circuit."""
        codes = dataset.part("train")[0]
        interface = interface_of(dataset)
        runs: list[_Run] = []
        for inputs in self.inputs:
            bits = BucketCode.fit(
                codes, dataset.quantizer.bits, cuts=inputs.cuts, code=inputs.code, bits=inputs.bits
            )
            if len(bits):
                runs.append(_Run(self, inputs, bits, dataset, seed))
        if not runs:
            return most_frequent(dataset, interface)
        for run in runs:
            run.advance(min(self.trial or self.generations, self.generations), progress)
        best = max(runs, key=lambda run: (run.score, -run.gates))
        best.advance(self.generations, progress)
        circuit = Circuit.from_genes(best.best, best.bits, self.gates)
        graph = circuit.graph(interface)
        details: dict[str, Detail] = {
            "inputs": str(best.inputs),
            "encodings": len(runs),
            "gates": len(circuit.functions),
            "gates_allowed": self.gates,
            "thresholds": len(graph.inputs),
            "thresholds_allowed": len(best.bits.thermometer),
            "generations": best.done,
            "generations_of_all": sum(run.done for run in runs),
            f"{self.fitness}_val": best.score,
        }
        return Fitting(graph, circuit.predict(dataset.codes), details)


class _Run:
    """The evolution of one circuit, which can go on.

    Attributes
    ----------
    best
        Genes of the circuit kept.
    done
        Generations.
    """

    def __init__(
        self, options: TinyClassifier, inputs: Inputs, bits: BucketCode, dataset: Dataset, seed: int
    ) -> None:
        self.options, self.inputs, self.bits, self.done = options, inputs, bits, 0
        n_outputs = interface_of(dataset).class_bits
        self._train, self._val = (
            LabelledWords.pack(
                bits.encode(codes),
                labels,
                n_classes=dataset.table.n_classes,
                n_gates=options.gates,
                n_outputs=n_outputs,
            )
            for codes, labels in (drawn(dataset.part("train"), options.rows, seed), dataset.part("val"))
        )
        generator = np.random.default_rng(seed)
        self._genes = random_genes(
            len(bits), options.gates, n_outputs, generator, nand_only=options.nand_only
        )
        self.best = self._genes.copy()
        self._state = generator.integers(1, 1 << 63, size=1, dtype=np.uint64)
        self._scores = np.array([-1.0, -1.0, 0.0])
        n_mutable = len(self._genes) - (options.gates if options.nand_only else 0)
        rate = min(1.0, _MUTATIONS_PER_CHILD / n_mutable)
        self._mutations = binom.cdf(np.arange(n_mutable), n_mutable, rate)

    @property
    def score(self) -> float:
        """Fitness of the circuit kept on the validation rows."""
        return float(self._scores[1])

    @property
    def gates(self) -> int:
        """Of the circuit kept."""
        return len(active_gates(self.best, self.options.gates, len(self.bits)))

    def advance(self, end: int, progress: Progress) -> None:
        """Go on to this generation, unless patience runs out before."""
        options = self.options
        while self.done < end and self._scores[2] < options.patience:
            self.done += advance(
                self._genes,
                self.best,
                self._scores,
                self._state,
                train=self._train,
                val=self._val,
                n_gates=options.gates,
                mutations=self._mutations,
                generations=min(_GENERATIONS_PER_CALL, end - self.done),
                patience=options.patience,
                nand_only=options.nand_only,
                balanced=options.fitness == "balanced_accuracy",
            )
            progress(
                f"{self.inputs}: generation {self.done} of at most {options.generations}: "
                f"{options.fitness.replace('_', ' ')} {self._scores[0]:.4f} in training, "
                f"at best {self.score:.4f} in validation"
            )
