"""Tiny Classifier circuits: a few hundred gates, evolved."""

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

Fitness = Literal["balanced_accuracy", "accuracy"]


class TinyClassifierConfig(MethodConfig):
    """Evolved graph of two-input gates (Iordanou et al., arXiv:2303.00031)."""

    kind: Literal["tiny_classifier"] = "tiny_classifier"
    name: Annotated[str, Field(pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$")] = ""
    """What tells it from others, for example ``tenfold``."""
    bits: Annotated[tuple[Literal[2, 4], ...], Field(strict=False), BeforeValidator(as_list)] = (2, 4)
    """Per feature, at most."""
    cuts: Annotated[tuple[Literal["quantile", "equal_width"], ...], Field(min_length=1, strict=False)] = (
        "quantile",
    )
    """Buckets of equal shares of the training rows, or of equal parts of the range."""
    codes: Annotated[
        tuple[Literal["thermometer", "onehot", "binary", "gray"], ...], Field(min_length=1, strict=False)
    ] = ("thermometer",)
    """Of the bucket's number, in ``bits`` bits."""
    keep: Literal["each", "best"] = "each"
    """A circuit for each combination of bits, cuts and codes, or only the best on validation rows."""
    functions: Literal["all", "nand"] = "all"
    """And, or, nand, nor; or nand alone."""
    fitness: Fitness = "balanced_accuracy"
    """The paper's; or what tables of accuracies compare, which on uneven classes is something else."""
    gates: Annotated[tuple[Count, ...], Field(min_length=1, strict=False), BeforeValidator(as_list)] = (300,)
    """Budget; a circuit for each."""
    rows: Count = 32_768
    """Training rows to judge on, at most; of more these are drawn, as shrink does."""
    generations: Count = 200_000
    """Limit; evolution stops earlier after ``patience`` generations without a better validation score."""
    patience: Count = 50_000
    trial: Count | None = None
    """With ``keep: best``: generations after which only the best encoding goes on, default all of them."""


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
      the one with the fewest gates is kept, since neutral drift lets circuits grow. Both are to the
      method's advantage.

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

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Evolve; the same seed returns the same circuit."""
        from dwn_asic.methods.tiny_classifier.run import fit

        return fit(self, dataset, seed, progress)


def _plans(config: TinyClassifierConfig) -> Iterator[Plan]:
    """Of each gate budget one for each encoding, or one with the best of them."""
    encodings = [
        Inputs(bits, cuts, code) for bits in config.bits for cuts in config.cuts for code in config.codes
    ]
    nand_only, plain = config.functions == "nand", config.fitness == "accuracy"
    for gates in config.gates:
        budget = [f"{gates}g"] if len(config.gates) > 1 else []
        which = ["nand"] * nand_only + ["accuracy"] * plain + [config.name] * bool(config.name) + budget
        more = ["nand only"] * nand_only + ["accuracy as fitness"] * plain
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
    """Name and label of the Tiny Classifier with this encoding."""
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
    packages=("numpy", "scipy", "numba"),
)
