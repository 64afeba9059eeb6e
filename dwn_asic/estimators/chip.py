"""Chips: what an estimator's circuit became on a target."""

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
    """An implemented circuit, and the proof that it computes what the model does.

    Attributes
    ----------
    circuit
        The minimized circuit that it was built of.
    implementation
        Its files, metrics, and what the tools printed.
    proof
        The comparisons that held.
    """

    circuit: Circuit
    implementation: Implementation
    proof: Proof

    @property
    def files(self) -> Mapping[str, str]:
        """File name -> text."""
        return self.implementation.files

    @property
    def metrics(self) -> Mapping[str, float]:
        """Everything that the target measures, by name."""
        return self.implementation.metrics

    @property
    def area(self) -> float:
        """Area of the whole in NAND2-equivalents: encoder, core and registers."""
        if TOTAL not in self.metrics:
            raise DwnAsicError(f"the target measures no {TOTAL}; it measures {', '.join(self.metrics)}")
        return self.metrics[TOTAL]

    @property
    def verilog(self) -> str:
        """The structural Verilog, before mapping."""
        return self._file("design.v")

    @property
    def netlist(self) -> str:
        """The cells that it was mapped to, as Verilog."""
        return self._file("netlist.v")

    def _file(self, name: str) -> str:
        if name not in self.files:
            raise DwnAsicError(f"the target makes no {name}; it makes {', '.join(self.files)}")
        return self.files[name]
