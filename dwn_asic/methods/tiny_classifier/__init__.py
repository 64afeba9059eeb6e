"""Tiny Classifier circuits: a few hundred evolved gates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from dwn_asic.configuration import Count, as_list
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.methods.parts.bucket_code import Code, Cuts

__all__ = ["METHOD", "Fitness", "Inputs", "TinyClassifier", "TinyClassifierConfig"]

Fitness = Literal["balanced_accuracy", "accuracy", "objective"]


class TinyClassifierConfig(MethodConfig):
    """Evolved graphs of two-input gates (Iordanou et al., arXiv:2303.00031)."""

    kind: Literal["tiny_classifier"] = "tiny_classifier"
    """Kind of the method; selects these keys."""
    name: Annotated[str, Field(pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$")] = ""
    """Name that distinguishes this entry from other Tiny Classifiers, lower-case words joined by hyphens, for
    example ``tenfold``. Empty by default."""
    bits: Annotated[tuple[Literal[2, 4], ...], Field(strict=False), BeforeValidator(as_list)] = (2, 4)
    """Maximum number of bits per feature, 2 or 4. A list tries each of them."""
    cuts: Annotated[tuple[Literal["quantile", "equal_width"], ...], Field(min_length=1, strict=False)] = (
        "quantile",
    )
    """Rule for cutting a feature's range into buckets: ``quantile`` into equal shares of the training rows,
    ``equal_width`` into equal parts of the range. A list tries each of them."""
    codes: Annotated[
        tuple[Literal["thermometer", "onehot", "binary", "gray"], ...], Field(min_length=1, strict=False)
    ] = ("thermometer",)
    """Codes of the bucket's number in ``bits`` bits: ``thermometer``, which needs no gates beside the
    comparators, or ``onehot``, ``binary`` or ``gray``. A list tries each of them."""
    keep: Literal["each", "best"] = "each"
    """``each`` gives a circuit for each combination of bits, cuts and codes; ``best`` gives only the circuit
    of the combination that is best on validation rows, as in the paper."""
    functions: Literal["all", "nand"] = "all"
    """Functions of the gates: ``all`` for AND, OR, NAND and NOR, or ``nand`` for NAND alone."""
    fitness: Fitness | None = None
    """Fitness of a circuit: ``balanced_accuracy`` as in the paper, ``accuracy``, or ``objective`` for
    accuracy with the weights of classes by the flow's objective. The default is the paper's, unless the
    flow's objective is ``f1`` or ``cost``: then it is ``objective``."""
    gates: Annotated[tuple[Count, ...], Field(min_length=1, strict=False), BeforeValidator(as_list)] = (300,)
    """Maximum number of gates. A list gives circuits for each of them; the default is the paper's."""
    rows: Count = 32_768
    """Maximum number of training rows on which circuits are scored; a larger training set is sampled, as
    shrinking does."""
    generations: Count = 200_000
    """Maximum number of generations. Evolution ends earlier after ``patience`` generations without a better
    validation score."""
    patience: Count = 50_000
    """Number of generations without a better validation score after which evolution ends."""
    trial: Count | None = None
    """Number of generations after which only the best combination of bits, cuts and codes continues. It takes
    effect with ``keep: best`` only; by default all of them run to the end."""


@dataclass(frozen=True)
class Inputs:
    """One encoding of the inputs, see :class:`dwn_asic.methods.parts.bucket_code.BucketCode`."""

    bits: int
    cuts: Cuts = "quantile"
    code: Code = "thermometer"

    def __str__(self) -> str:
        return f"{self.bits} {self.code} bits, {self.cuts.replace('_', '-')}"


@dataclass(frozen=True)
class TinyClassifier:
    """Evolution of a circuit with at most ``gates`` two-input gates.

    As in the paper: functions AND, OR, NAND, NOR, or NAND alone; 300 gates by default; a (1+4) evolution
    strategy that accepts equal fitness; balanced accuracy as fitness; mutations of functions and of edges,
    active or not, whose only constraint is that the graph stays acyclic (EGGP); the circuit that scores best
    on rows that the fitness does not see is kept, and evolution ends when that score stops improving; if
    there are several encodings of the inputs, the one whose circuit scores best on those rows is chosen.

    Deviations, all of which serve to compare circuits rather than flows:

    - The cuts of the buckets are comparators of the features' integer codes, as for every circuit here. The
      gates that turn their outputs into a binary, Gray or one-hot code count as part of the core. Thermometer
      bits, which need no such gates, are an additional encoding that the paper does not try.
    - The flow's own training and validation rows replace halves of the training data. A very large training
      set is sampled, down to the number of rows that shrinking scores on.
    - The number of mutations of a child is drawn once for functions, edges and outputs together, from a
      binomial distribution with a rate of ``3 / genes``. Its mean is that of mutating each function and edge
      with probability 1/gates.
    - Any gain counts as an improvement, so evolution ends later. Among circuits with the same validation
      score the one with the fewest gates is kept, since neutral drift lets circuits grow. Both favour the
      method.

    Attributes
    ----------
    inputs
        Encodings to try.
    gates
        Maximum number of gates.
    generations
        Maximum number of generations.
    patience
        Number of generations without a better validation score after which evolution ends.
    trial
        Number of generations after which only the best of several encodings continues; None to run all to the
        end.
    nand_only
        Whether all gates are NANDs.
    rows
        Maximum number of training rows to score on; a larger training set is sampled.
    fitness
        Balanced accuracy as in the paper, accuracy, or the objective of the data set; None for the paper's,
        or the objective's where that is F1 or costs.

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
    fitness: Fitness | None = None

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Evolve a circuit; the same seed returns the same circuit."""
        from dwn_asic.methods.tiny_classifier.run import fit

        return fit(self, dataset, seed, progress)


def _plans(config: TinyClassifierConfig) -> Iterator[Plan]:
    """Yield, for each gate budget, a plan per encoding or one plan with the best of them."""
    encodings = [
        Inputs(bits, cuts, code) for bits in config.bits for cuts in config.cuts for code in config.codes
    ]
    nand_only = config.functions == "nand"
    fitness = [config.fitness] if config.fitness in {"accuracy", "objective"} else []
    for gates in config.gates:
        budget = [f"{gates}g"] if len(config.gates) > 1 else []
        which = ["nand"] * nand_only + fitness + [config.name] * bool(config.name) + budget
        more = ["nand only"] * nand_only + [f"{each} as fitness" for each in fitness]
        more += [config.name.replace("-", " ")] * bool(config.name)
        more += [f"{gates} gates"] * bool(budget)
        evolve = partial(
            TinyClassifier,
            gates=gates,
            generations=config.generations,
            patience=config.patience,
            trial=config.trial,
            nand_only=nand_only,
            rows=config.rows,
            fitness=config.fitness,
        )
        if config.keep == "best":
            label = f"Tiny Classifier, best of {len(encodings)} encodings"
            plans = [("tiny", label, evolve(tuple(encodings)))]
        else:
            plans = [(*_encoding_names(config, inputs), evolve((inputs,))) for inputs in encodings]
        for name, label, fitter in plans:
            yield Plan("-".join([name, *which]), ", ".join([label, *more]), config.kind, fitter)


def _encoding_names(config: TinyClassifierConfig, inputs: Inputs) -> tuple[str, str]:
    """Return name and label of the Tiny Classifier with this encoding."""
    if len(config.cuts) * len(config.codes) == 1 and inputs == Inputs(inputs.bits):
        return f"tiny-{inputs.bits}bit", f"Tiny Classifier, {inputs.bits} bits per feature"
    cuts = inputs.cuts.replace("_", "-")
    return f"tiny-{inputs.bits}bit-{inputs.code}-{cuts}", f"Tiny Classifier, {inputs}"


METHOD = Method(
    "tiny_classifier",
    TinyClassifierConfig,
    _plans,
    Look("Tiny Classifier", "#009E73", "^"),
    "Iordanou et al., Tiny Classifier Circuits: Evolving Accelerators for Tabular Data, arXiv:2303.00031",
    rank=20,
    sizes=True,
    objective="fit",
    packages=("numpy", "scipy", "numba"),
)
