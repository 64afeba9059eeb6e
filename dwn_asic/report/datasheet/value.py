"""A data sheet as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dwn_asic.data.confusion import ClassScores
from dwn_asic.data.table import Part
from dwn_asic.equivalence.check import Check
from dwn_asic.metrics import Metric
from dwn_asic.targets.base import Technology
from dwn_asic.verilog.writer import Registers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Accuracy",
    "Comparison",
    "DataSheet",
    "Example",
    "Kind",
    "PartAccuracy",
    "Provenance",
    "SheetInput",
]

Kind = Literal["exact", "shrunk", ""]
"""A circuit that computes what its trained model computes, or one that was shrunk; empty if not known."""


@dataclass(frozen=True)
class Comparison:
    """A threshold: ``code >= constant``.

    Attributes
    ----------
    constant
        The smallest code that reaches the threshold.
    value
        The smallest feature value that reaches it, rounded by at most a hundredth of a step and never past a
        value of the data.
    """

    constant: int
    value: float


@dataclass(frozen=True)
class SheetInput:
    """A feature that the circuit reads.

    Attributes
    ----------
    name
        Name of the table's column.
    port
        Name of its port.
    width
        Bits of the port.
    bits
        Bits of the port that the circuit reads, descending.
    lo, step
        Value of code 0, and difference of values between neighbouring codes.
    thresholds
        Comparisons that decide the class, ascending.
    categories
        Texts of a category column and their codes, in order; empty for a numeric column.
    missing
        Code of a missing value; None where the data set has no substitute for one.
    """

    name: str
    port: str
    width: int
    bits: tuple[int, ...]
    lo: float
    step: float
    thresholds: tuple[Comparison, ...]
    categories: tuple[tuple[str, int], ...] = ()
    missing: int | None = None

    @property
    def top(self) -> int:
        """The highest code."""
        return (1 << self.width) - 1


@dataclass(frozen=True)
class Example:
    """A row of the data, from its values to the class.

    Attributes
    ----------
    row
        Number of the row in the table, counted from 1.
    part
        Part of the split that the row is in.
    values
        Value of each input, as the table has it: a number, or the text of a category.
    codes
        Code of each input.
    answer
        Class index that the circuit returns.
    label
        Class index of the row's label.
    """

    row: int
    part: Part
    values: tuple[float | str, ...]
    codes: tuple[int, ...]
    answer: int
    label: int


@dataclass(frozen=True)
class PartAccuracy:
    """Rows of a part of the split, and those of them that are classified correctly.

    Attributes
    ----------
    part
        Which part.
    rows, hits
        Its rows, and those that are classified correctly.
    low, high
        Ends of the 95% confidence interval of the share.
    balanced
        Mean recall of the classes.
    """

    part: Part
    rows: int
    hits: int
    low: float
    high: float
    balanced: float


@dataclass(frozen=True, eq=False)
class Accuracy:
    """Correct and wrong answers on rows of data.

    Attributes
    ----------
    parts
        Every part of the split that has rows.
    detailed
        The part that matrix and scores are of: test rows, where there are some.
    matrix
        (C, C + 1) rows by label and predicted class; the last column counts answers that are no class.
    scores
        Scores of each class.
    """

    parts: tuple[PartAccuracy, ...]
    detailed: Part
    matrix: NDArray[np.int64]
    scores: tuple[ClassScores, ...]


@dataclass(frozen=True)
class Provenance:
    """The origin of a circuit, and how to make it again.

    Attributes
    ----------
    source
        The data, as the flow file names it.
    rows
        Number of rows.
    digest
        SHA-256 of the rows; empty without rows.
    versions
        Version of each tool.
    flow_file
        Path of the flow file; empty where there is none.
    command
        What makes the circuit again; empty where there is no such command.
    seed
        Seed of split, training and annealing; None where it is not known.
    """

    source: str
    rows: int
    digest: str
    versions: Mapping[str, str]
    flow_file: str = ""
    command: str = ""
    seed: int | None = None


@dataclass(frozen=True, eq=False)
class DataSheet:
    """Everything that a user of a chip needs to know beside its files.

    Attributes
    ----------
    name
        Name of the design, prefix of its modules.
    label
        The model that the circuit was made from.
    kind
        Whether the circuit computes what that model computes, or was shrunk.
    folder
        Where the files are, below the folder that holds all runs; empty where there is none.
    other
        Page of the sheet of the same design's other circuit, without suffix; empty without one.
    imported
        Whether the model was trained elsewhere, on rows that are not known.
    files
        Names of the files that the target made.
    technology
        What the circuit was built for.
    inputs
        Features that the circuit reads, in port order.
    unused
        Names of the features that it does not read.
    merged
        Whether comparators and logic behind them were minimized as one.
    class_names
        Names of the classes in the order of their indices.
    class_bits
        Bits of the class index.
    tie
        How the model decides between classes of equal count; empty where it counts nothing.
    registers
        Where values are held in flip-flops.
    metrics
        What the target measured: each metric and its value.
    accuracy
        None without rows.
    example
        None without rows.
    checks
        The comparisons that held.
    provenance
        How the circuit came about.
    """

    name: str
    label: str
    kind: Kind
    folder: str
    other: str
    imported: bool
    files: tuple[str, ...]
    technology: Technology
    inputs: tuple[SheetInput, ...]
    unused: tuple[str, ...]
    merged: bool
    class_names: tuple[str, ...]
    class_bits: int
    tie: str
    registers: Registers
    metrics: tuple[tuple[Metric, float], ...]
    accuracy: Accuracy | None
    example: Example | None
    checks: tuple[Check, ...]
    provenance: Provenance

    def markdown(self) -> str:
        """Return the sheet as Markdown; equal sheets return equal texts."""
        from dwn_asic.report.datasheet.render import datasheet_markdown

        return datasheet_markdown(self)

    def html(self) -> str:
        """Return the sheet as one HTML page that needs no network; equal sheets return equal texts."""
        from dwn_asic.report.datasheet.render import datasheet_html

        return datasheet_html(self)

    def _repr_markdown_(self) -> str:
        """Return what a notebook shows."""
        return self.markdown()
