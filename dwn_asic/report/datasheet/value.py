"""The facts of a data sheet, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dwn_asic.data.confusion import ClassScores
from dwn_asic.data.table import Part
from dwn_asic.equivalence.check import Check
from dwn_asic.metrics import Metric
from dwn_asic.targets.base import Technology
from dwn_asic.verilog.writer import Registers, latency

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.report.datasheet.form import Section

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
"""``exact`` for a circuit that computes its trained model, ``shrunk``, or empty if unknown."""


@dataclass(frozen=True)
class Comparison:
    """A threshold: ``code >= constant``.

    Attributes
    ----------
    constant
        Smallest code that reaches the threshold.
    value
        Smallest feature value that reaches the threshold, rounded by at most a hundredth of a step and never
        past a value of the data.
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
        Width of the port in bits.
    bits
        Numbers of the bits that the circuit reads, descending.
    lo, step
        Feature value of code 0, and difference between the values of neighbouring codes.
    thresholds
        Comparisons with the feature's code, ascending.
    categories
        Texts of a category column and their codes, in order; empty for a numeric column.
    missing
        Code of a missing value; None if the data set does not replace missing values.
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
        """Highest code of the feature."""
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
        Value of each input as in the table: a number, or the text of a category.
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
    """The accuracy on the rows of one part of the split.

    Attributes
    ----------
    part
        Part of the split.
    rows, hits
        Number of rows, and number of rows that are classified correctly.
    low, high
        Ends of the 95% confidence interval of the accuracy.
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
    """The accuracy of a circuit on rows of data.

    Attributes
    ----------
    parts
        Accuracy on each part of the split that has rows.
    detailed
        Part of the split that matrix and scores are computed for: ``test`` if it has rows.
    matrix
        (C, C + 1) number of rows by label and predicted class; the last column counts answers of no class.
    scores
        Scores of each class.
    objective
        Name of the score that choices were made by.
    """

    parts: tuple[PartAccuracy, ...]
    detailed: Part
    matrix: NDArray[np.int64]
    scores: tuple[ClassScores, ...]
    objective: str


@dataclass(frozen=True)
class Provenance:
    """The origin of a circuit, and how to reproduce it.

    Attributes
    ----------
    source
        Source of the data as written in the flow file.
    rows
        Number of rows.
    digest
        SHA-256 of the rows; empty without rows.
    versions
        Version of each tool.
    flow_file
        Path of the flow file; empty if there is none.
    command
        Command that reproduces the circuit; empty if there is none.
    seed
        Seed of split, training and annealing; None if it is unknown.
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
    """Everything that a user of a chip needs to know in addition to its files.

    Attributes
    ----------
    name
        Name of the design, prefix of its modules.
    label
        The model that the circuit was made from.
    kind
        Whether the circuit is exact or shrunk.
    folder
        Folder of the files, relative to the folder of all runs; empty if there is none.
    other
        Path of the data sheet of the design's other circuit (exact or shrunk), without suffix; empty if there
        is none.
    imported
        Whether the model was trained elsewhere, on unknown rows.
    files
        Names of the files that the target made.
    technology
        Technology that the circuit was built for.
    inputs
        Features that the circuit reads, in port order.
    unused
        Names of the features that the circuit does not read.
    merged
        Whether the comparators and the logic behind them were minimized as one.
    class_names
        Names of the classes in the order of their indices.
    class_bits
        Width of the class index in bits.
    tie
        Rule of the model for ties between classes, as sentences; empty if there are no ties.
    registers, pipeline
        Ports whose values are held in flip-flops, and whether the thermometer bits are too.
    metrics
        Each metric that the target measured, and its value.
    accuracy
        Accuracy on the rows; None without rows.
    example
        Example row; None without rows.
    checks
        Checks of the verification, none of which failed.
    provenance
        Origin of the circuit.
    layout
        Section on the layout; None without one.
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
    pipeline: bool
    metrics: tuple[tuple[Metric, float], ...]
    accuracy: Accuracy | None
    example: Example | None
    checks: tuple[Check, ...]
    provenance: Provenance
    layout: Section | None = None

    @property
    def latency(self) -> int:
        """Clock cycles from the codes to the class index; 0 for a combinational circuit."""
        return latency(self.registers, pipeline=self.pipeline)

    def markdown(self) -> str:
        """Return the sheet as Markdown; equal sheets return equal texts."""
        from dwn_asic.report.datasheet.render import datasheet_markdown

        return datasheet_markdown(self)

    def html(self) -> str:
        """Return the sheet as one HTML page without external resources; equal sheets return equal texts."""
        from dwn_asic.report.datasheet.render import datasheet_html

        return datasheet_html(self)

    def _repr_markdown_(self) -> str:
        """Return the Markdown that a notebook shows."""
        return self.markdown()
