"""What a target is: how it prices circuits, builds them, verifies what it built, and which metrics it gives.

A target is one package below :mod:`dwn_asic.targets` (or an entry point of the group ``dwn_asic.targets``)
that defines ``TARGET``; nothing else lists targets (:mod:`dwn_asic.targets.registry`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from dwn_asic.configuration import Strict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.equivalence.check import Check
    from dwn_asic.metrics import Metric
    from dwn_asic.optimize.cost import CostModel
    from dwn_asic.verilog.config import HardwareConfig
    from dwn_asic.verilog.writer import Registers

__all__ = ["Implementation", "Proof", "Specification", "Target", "TargetKind", "Technology", "Vectors"]

Config = TypeVar("Config", bound=Strict)


@dataclass(frozen=True, eq=False)
class Vectors:
    """Rows for a self-checking testbench.

    Attributes
    ----------
    codes
        (N, F) feature codes.
    expected
        (N,) class indices.
    """

    codes: NDArray[np.int64]
    expected: NDArray[np.int64]

    @classmethod
    def drawn(cls, circuit: Circuit, rows: int = 500) -> Vectors:
        """Random codes, for a circuit without data; the circuit says what is expected."""
        import numpy as np

        widths = np.array(circuit.core.interface.widths, np.int64)
        codes = np.random.default_rng(0).integers(0, 1 << widths, (rows, len(widths)), np.int64)
        return cls(codes, circuit.graph.predict(codes))


@dataclass(frozen=True)
class Implementation:
    """What a target built of a circuit.

    Attributes
    ----------
    name
        Prefix of modules or functions.
    files
        File name -> text.
    metrics
        By the names that the target declares, in their units.
    summary
        One line for people, for example the area of each module.
    log
        What the tools printed.
    registers
        Where the implementation holds values in flip-flops.
    """

    name: str
    files: Mapping[str, str]
    metrics: Mapping[str, float]
    summary: str
    log: str = ""
    registers: Registers = "none"


@dataclass(frozen=True, eq=False)
class Specification:
    """What an implementation has to compute.

    Attributes
    ----------
    graph
        The model's graph, from thresholds or code bits to the class index.
    circuit
        Its minimized form, which the implementation was made of.
    codes
        (N, F) codes of all rows of the data; there may be none.
    predictions
        (N,) the model's class index of each row.
    """

    graph: BooleanGraph
    circuit: Circuit
    codes: NDArray[np.int64]
    predictions: NDArray[np.int64]


@dataclass(frozen=True)
class Proof:
    """The comparisons that held.

    Attributes
    ----------
    checks
        What was shown, how, and how long it took.
    notes
        What was not looked at, and why, for example because a simulator is not installed.
    """

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Technology:
    """What reports say that circuits were built for.

    Attributes
    ----------
    name, library, corner
        Of the PDK or device.
    origin
        Where its figures come from; names, not paths: reports say the same on every machine.
    """

    name: str
    library: str
    corner: str
    origin: str


class Target(Protocol):
    """A target with its options."""

    @property
    def technology(self) -> Technology:
        """For reports."""

    @property
    def cost(self) -> CostModel:
        """What circuits cost; optimization works for it."""

    def implement(self, circuit: Circuit, name: str, vectors: Vectors) -> Implementation:
        """Build a circuit; raises ToolError where a tool fails."""

    def verify(self, built: Implementation, wanted: Specification) -> Proof:
        """Compare what was built with the model; raises VerificationError with a counterexample."""


@dataclass(frozen=True)
class TargetKind(Generic[Config]):
    """How a flow file gets a target.

    Attributes
    ----------
    kind
        Name in flow files: ``target: asic``.
    config
        Model of the flow file's section ``synthesis``.
    open
        The target with these options; raises PdkError or ConfigError where it can't be had.
    cost_options
        Keys of the configuration that decide what circuits cost; a change of another key leaves optimized
        circuits as they are.
    files
        Names of the files that ``implement`` makes.
    metrics
        What its implementations measure.
    environment
        What decides its results beside the configuration: content of PDK files, versions of tools.
    """

    kind: str
    config: type[Config]
    open: Callable[[Config, HardwareConfig], Target] = field(repr=False)
    cost_options: tuple[str, ...]
    files: tuple[str, ...]
    metrics: tuple[Metric, ...]
    environment: Callable[[Config], Mapping[str, str]] = field(repr=False)
