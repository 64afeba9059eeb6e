"""The interface of a target, which prices, implements, verifies and measures circuits.

A target is a package below :mod:`dwn_asic.targets` that defines ``TARGET``, or an entry point of the group
``dwn_asic.targets``. :mod:`dwn_asic.targets.registry` finds both, so targets are listed nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, runtime_checkable

from dwn_asic.configuration import Strict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.equivalence.check import Check
    from dwn_asic.metrics import Metric, Size
    from dwn_asic.optimize.cost import CostModel
    from dwn_asic.verilog.config import HardwareConfig
    from dwn_asic.verilog.writer import Registers

__all__ = [
    "CrossChecked",
    "Depth",
    "Implementation",
    "Proof",
    "Specification",
    "Target",
    "TargetKind",
    "Technology",
    "Vectors",
]

Config = TypeVar("Config", bound=Strict)
Depth = Literal["basic", "usual", "full"]
"""Depth of a verification: ``basic`` has all proofs that are required, ``usual`` also quick checks by other
tools, and ``full`` everything that installed tools can check."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Test vectors for a self-checking testbench.

    Attributes
    ----------
    codes
        (N, F) feature codes to apply.
    expected
        (N,) class indices that the circuit must output.
    """

    codes: NDArray[np.int64]
    expected: NDArray[np.int64]

    @classmethod
    def drawn(cls, circuit: Circuit, rows: int = 500) -> Vectors:
        """Draw random codes, for use without data; the circuit itself defines the expected classes."""
        import numpy as np

        widths = np.array(circuit.core.interface.widths, np.int64)
        codes = np.random.default_rng(0).integers(0, 1 << widths, (rows, len(widths)), np.int64)
        return cls(codes, circuit.graph.predict(codes))


@dataclass(frozen=True)
class Implementation:
    """The result of implementing a circuit on a target.

    Attributes
    ----------
    name
        Prefix of the module or function names.
    files
        Name and text of each text file.
    metrics
        Name and value of each metric that the target declares, in the declared unit.
    summary
        One line for the user, for example with the area of each module.
    log
        Output of the tools.
    registers, pipeline
        Where the implementation holds values in flip-flops, and whether it does between encoder and core.
    binaries
        Name and content of each file that is not text.
    """

    name: str
    files: Mapping[str, str]
    metrics: Mapping[str, float]
    summary: str
    log: str = ""
    registers: Registers = "none"
    binaries: Mapping[str, bytes] = field(default_factory=dict)
    pipeline: bool = False


@dataclass(frozen=True, eq=False)
class Specification:
    """The function that an implementation must compute.

    Attributes
    ----------
    graph
        Boolean graph of the model, from thresholds or code bits to the class index.
    circuit
        The minimized circuit that was implemented.
    codes
        (N, F) codes of all rows of the data; N is 0 without data.
    predictions
        (N,) class indices that the model predicts.
    network
        The model, if it is a LUT network that is at hand.
    shrunk
        Whether the graph was shrunk, so that it is a model of its own.
    """

    graph: BooleanGraph
    circuit: Circuit
    codes: NDArray[np.int64]
    predictions: NDArray[np.int64]
    network: LutNetwork | None = None
    shrunk: bool = False


@dataclass(frozen=True)
class Proof:
    """The checks of a verification, none of which failed.

    Attributes
    ----------
    checks
        What was compared, by which means, and how long it took. A check that was not run, for example
        because no simulator is installed, has the reason as its verdict.
    """

    checks: tuple[Check, ...]

    def lines(self) -> Iterator[str]:
        """Yield one line per check: stage, what was shown and how, tool, and time."""
        rows = [
            (each.stage, each.summary, each.tool or "-", f"{each.seconds:.2f} s" if each.tool else "-")
            for each in self.checks
        ]
        rows.insert(0, ("stage", "check", "tool", "time"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            *texts, seconds = (text.ljust(width) for text, width in zip(row, widths, strict=True))
            yield "  ".join((*texts, seconds.strip().rjust(widths[-1])))


@dataclass(frozen=True)
class Technology:
    """The technology of a target, as reports name it.

    Attributes
    ----------
    name, library, corner
        Names of the PDK or device, its cell library, and the corner; empty where there is none.
    origin
        Source of the library's data: names without paths, so that reports are the same on every machine.
    """

    name: str
    library: str
    corner: str
    origin: str


class Target(Protocol):
    """A target with its options, ready for use."""

    @property
    def technology(self) -> Technology:
        """Technology as reports name it."""

    @property
    def cost(self) -> CostModel:
        """Cost model that optimization minimizes."""

    def implement(self, circuit: Circuit, name: str, vectors: Vectors) -> Implementation:
        """Implement a circuit; raises ToolError if a tool fails."""

    def verify(self, built: Implementation, wanted: Specification) -> Proof:
        """Compare an implementation with the model; raises VerificationError with a counterexample."""


@runtime_checkable
class CrossChecked(Protocol):
    """A target that can check an implementation once more with other tools than those of ``verify``."""

    def cross_check(self, built: Implementation, wanted: Specification, depth: Depth) -> Iterable[Check]:
        """Run the checks of depth ``basic``, or those that a greater depth adds to them.

        Raises
        ------
        VerificationError
            There is a difference.
        """


@dataclass(frozen=True)
class TargetKind(Generic[Config]):
    """The definition of a target, from which flow files and the API open one.

    Attributes
    ----------
    kind
        Name of the target in flow files, as in ``target: asic``.
    config
        Pydantic model of the section ``synthesis`` of flow files with this target.
    open
        Function that returns the target with the given options; raises PdkError or ConfigError if it is not
        available.
    cost_options
        Keys of the configuration that affect the cost of circuits. If only other keys change, optimized
        circuits stay up to date.
    files
        Names of the text files that ``implement`` makes.
    metrics
        Metrics of an implementation.
    environment
        Function that returns everything else that results depend on, as texts: the content of PDK files, the
        versions of tools.
    binaries
        Names of the other files that ``implement`` makes.
    circuits
        Names of those of its files that a finished run names, since they hold the circuit.
    size
        Unit and metrics of the size of circuits; None if the metrics do not include one.
    measured_by
        Function that returns what the metrics depend on beyond ``environment``, as texts: files that
        implementations are measured with, but not made from.
    """

    kind: str
    config: type[Config]
    open: Callable[[Config, HardwareConfig], Target] = field(repr=False)
    cost_options: tuple[str, ...]
    files: tuple[str, ...]
    metrics: tuple[Metric, ...]
    environment: Callable[[Config], Mapping[str, str]] = field(repr=False)
    binaries: tuple[str, ...] = ()
    circuits: tuple[str, ...] = ()
    size: Size | None = None
    measured_by: Callable[[Config], Mapping[str, str]] | None = field(default=None, repr=False)
