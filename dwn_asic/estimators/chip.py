"""The implementation of an estimator's circuit on a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dwn_asic.boolean.compose import Circuit
from dwn_asic.errors import DwnAsicError
from dwn_asic.metrics import TOTAL
from dwn_asic.targets.base import Implementation, Proof

__all__ = ["Chip"]


@dataclass(frozen=True)
class Chip:
    """An implemented circuit, and the proof that it computes what the model computes.

    Attributes
    ----------
    circuit
        The minimized circuit that was implemented.
    implementation
        The target's files, its metrics, and the output of its tools.
    proof
        The checks that were made, all of which succeeded.
    """

    circuit: Circuit
    implementation: Implementation
    proof: Proof

    @property
    def files(self) -> Mapping[str, str]:
        """Name and text of each file of the implementation."""
        return self.implementation.files

    @property
    def metrics(self) -> Mapping[str, float]:
        """Name and value of each metric that the target measures."""
        return self.implementation.metrics

    @property
    def area(self) -> float:
        """Total area in NAND2-equivalents: encoder, core and registers."""
        if TOTAL not in self.metrics:
            raise DwnAsicError(f"the target does not measure {TOTAL}, only {', '.join(self.metrics)}")
        return self.metrics[TOTAL]

    @property
    def verilog(self) -> str:
        """Structural Verilog of the circuit before it is mapped to cells."""
        return self._file("design.v")

    @property
    def netlist(self) -> str:
        """Verilog netlist of the cells that the circuit was mapped to."""
        return self._file("netlist.v")

    def _file(self, name: str) -> str:
        if name not in self.files:
            raise DwnAsicError(f"the target does not make {name}, only {', '.join(self.files)}")
        return self.files[name]
