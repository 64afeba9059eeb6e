"""The whole evolution: over several encodings of the inputs, and the choice of the circuit to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom

from dwn_asic.data.dataset import Dataset
from dwn_asic.data.split import drawn
from dwn_asic.methods.base import Detail, Fitted, Progress
from dwn_asic.methods.parts.bucket_code import BucketCode
from dwn_asic.methods.parts.fitting_steps import most_frequent
from dwn_asic.methods.tiny_classifier.circuit import Circuit
from dwn_asic.methods.tiny_classifier.evolution import LabelledWords, active_gates, advance, random_genes

if TYPE_CHECKING:
    from dwn_asic.methods.tiny_classifier import Inputs, TinyClassifier

__all__ = ["fit"]

_MUTATIONS_PER_CHILD = 3.0
_GENERATIONS_PER_CALL = 2_000


def fit(options: TinyClassifier, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
    """Evolve a circuit; the same seed returns the same circuit."""
    codes = dataset.part("train")[0]
    runs: list[_Run] = []
    for inputs in options.inputs:
        bits = BucketCode.fit(
            codes, dataset.quantizer.bits, cuts=inputs.cuts, code=inputs.code, bits=inputs.bits
        )
        if len(bits):
            runs.append(_Run(options, inputs, bits, dataset, seed))
    if not runs:
        return most_frequent(dataset)
    for run in runs:
        run.advance(min(options.trial or options.generations, options.generations), progress)
    best = max(runs, key=lambda run: (run.score, -run.gates))
    best.advance(options.generations, progress)
    circuit = Circuit.from_genes(best.best, best.bits, options.gates)
    graph = circuit.graph(dataset.interface)
    details: dict[str, Detail] = {
        "inputs": str(best.inputs),
        "encodings": len(runs),
        "gates": len(circuit.functions),
        "gates_allowed": options.gates,
        "thresholds": len(graph.inputs),
        "thresholds_allowed": len(best.bits.thermometer),
        "generations": best.done,
        "generations_of_all": sum(run.done for run in runs),
        f"{_fitness(options, dataset)}_val": best.score,
    }
    return Fitted(graph, circuit.predict(dataset.codes), details)


def _fitness(options: TinyClassifier, dataset: Dataset) -> str:
    """Return the fitness: that of the options, or the paper's, or the objective's where it has costs."""
    if options.fitness is not None:
        return options.fitness
    return "objective" if dataset.objective.metric in {"f1", "cost"} else "balanced_accuracy"


class _Run:
    """The evolution of one circuit, which can be continued.

    Attributes
    ----------
    best
        Genes of the circuit that is kept.
    done
        Number of generations done.
    fitness
        What circuits are scored by.
    """

    def __init__(
        self, options: TinyClassifier, inputs: Inputs, bits: BucketCode, dataset: Dataset, seed: int
    ) -> None:
        self.options, self.inputs, self.bits, self.done = options, inputs, bits, 0
        n_outputs, n_classes = dataset.interface.class_bits, dataset.table.n_classes
        self.fitness = _fitness(options, dataset)
        train = drawn(dataset.part("train"), options.rows, seed)
        costs = dataset.objective.total_costs(train[1], n_classes).totals
        self._train, self._val = (
            LabelledWords.pack(
                bits.encode(codes),
                labels,
                n_classes=n_classes,
                n_gates=options.gates,
                n_outputs=n_outputs,
                weights=costs if self.fitness == "objective" else None,
            )
            for codes, labels in (train, dataset.part("val"))
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
        """Fitness of the circuit that is kept, on the validation rows."""
        return float(self._scores[1])

    @property
    def gates(self) -> int:
        """Number of gates of the circuit that is kept."""
        return len(active_gates(self.best, self.options.gates, len(self.bits)))

    def advance(self, end: int, progress: Progress) -> None:
        """Evolve up to this generation, unless patience runs out before."""
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
                balanced=self.fitness == "balanced_accuracy",
            )
            progress(
                f"{self.inputs}: generation {self.done} of at most {options.generations}: "
                f"{self.fitness.replace('_', ' ')} {self._scores[0]:.4f} in training, "
                f"at best {self.score:.4f} in validation"
            )
