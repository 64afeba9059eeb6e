"""Facts that a project repository states about its chip, beyond the circuit itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ChipFacts", "FeatureFacts", "Rows", "Value"]

Value = float | str
"""Value of a feature as in the table: a number, or the text of a category."""


@dataclass(frozen=True)
class FeatureFacts:
    """A feature that the circuit reads.

    Attributes
    ----------
    index
        Index among all features.
    name
        Name of the table's column.
    width
        Width of its code in bits.
    lo, step
        Feature value of code 0, and difference between the values of neighbouring codes.
    categories
        Texts of a category column and their codes; empty for a numeric column.
    missing
        Code of a missing value; None if missing values have no code.
    """

    index: int
    name: str
    width: int
    lo: float
    step: float
    categories: tuple[tuple[str, int], ...] = ()
    missing: int | None = None

    @property
    def top(self) -> int:
        """Highest code of the feature."""
        return (1 << self.width) - 1


@dataclass(frozen=True)
class ChipFacts:
    """The facts of a chip that its repository states, all of them from its data sheet.

    Attributes
    ----------
    name
        Name of the design, prefix of the classifier's modules.
    label
        Model that the circuit was made from.
    features
        Features that the circuit reads, in the order of their indices.
    class_names
        Names of the classes in the order of their indices.
    figures
        Name and value of each number that the documentation shows.
    proofs
        What was shown about the circuit, one sentence each.
    origin
        Source of the data and command that reproduces the circuit, one sentence each.
    delay
        Delay of the mapped classifier in ns; 0 if it is not known.
    """

    name: str
    label: str
    features: tuple[FeatureFacts, ...]
    class_names: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    proofs: tuple[str, ...]
    origin: tuple[str, ...]
    delay: float = 0.0


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that the tests of a repository apply.

    Attributes
    ----------
    codes
        (N, F) codes of all features.
    expected
        (N,) class indices that the chip must answer.
    values
        For the first rows, the value of each feature that the circuit reads; may be empty.
    """

    codes: NDArray[np.int64]
    expected: NDArray[np.int64]
    values: tuple[tuple[Value, ...], ...] = ()
