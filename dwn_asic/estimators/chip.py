"""The implementation of an estimator's circuit on a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.errors import DataError, DwnAsicError
from dwn_asic.report.datasheet.build import Chosen, data_sheet, provenance
from dwn_asic.report.datasheet.value import DataSheet
from dwn_asic.report.metrics import size_of
from dwn_asic.targets.base import Implementation, Proof, Technology

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
    graph
        The circuit before exact minimization.
    quantizer
        The quantizer that turns values into the codes that the chip reads.
    technology
        The technology that the chip is made in.
    label
        The model that the circuit was made from.
    """

    circuit: Circuit
    implementation: Implementation
    proof: Proof
    graph: BooleanGraph
    quantizer: Quantizer
    technology: Technology
    label: str

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
        """Total size in units of the target, for cells NAND2-equivalents: encoder, core and registers."""
        size = size_of(self.metrics)
        if size is None:
            raise DwnAsicError(f"the target does not measure a size, only {', '.join(self.metrics)}")
        return self.metrics[size.total]

    @property
    def verilog(self) -> str:
        """Structural Verilog of the circuit before it is mapped to cells."""
        return self._file("design.v")

    @property
    def netlist(self) -> str:
        """Verilog netlist of the cells that the circuit was mapped to."""
        return self._file("netlist.v")

    def datasheet(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> DataSheet:
        """Return the data sheet: ports, scaling of the features, classes, area and proof.

        Parameters
        ----------
        X, y
            (N, F) values and (N,) labels of rows that the model has not seen; with them the sheet says how
            accurate the chip is.

        Raises
        ------
        DataError
            X and y do not fit the chip: other columns, a value that is not finite, or a label that is none
            of its classes.
        """
        if (X is None) != (y is None):
            raise DataError("datasheet", "needs both X and y, or neither")
        dataset = self._rows(X, y)
        return data_sheet(
            Chosen(self.label),
            self.graph,
            self.circuit,
            self.implementation,
            self.proof,
            self.technology,
            dataset,
            self.graph.predict(dataset.codes),
            provenance(dataset),
        )

    def _rows(self, X: ArrayLike | None, y: ArrayLike | None) -> Dataset:
        """Return labelled rows as test rows of the chip; None stands for no rows."""
        interface = self.circuit.core.interface
        n_features, classes = len(interface.feature_names), interface.class_names
        values = np.empty((0, n_features)) if X is None else np.asarray(X, np.float64)
        names = [] if y is None else [str(label) for label in np.asarray(y).tolist()]
        if values.shape != (len(names), n_features):
            raise DataError(
                "X", f"has the shape {values.shape}, expected {len(names)} rows of {n_features} features"
            )
        if not np.isfinite(values).all():
            raise DataError("X", "a value is missing or infinite")
        unknown = sorted(set(names) - set(classes))
        if unknown:
            raise DataError("y", f"{unknown[0]!r} is no class of the chip, which knows {', '.join(classes)}")
        labels = np.array([classes.index(name) for name in names], np.int64)
        table = Table("X", values, labels, interface.feature_names, classes)
        none = np.empty(0, np.int64)
        return Dataset(table, Split(none, none, np.arange(len(names))), self.quantizer)

    def _file(self, name: str) -> str:
        if name not in self.files:
            raise DwnAsicError(f"the target does not make {name}, only {', '.join(self.files)}")
        return self.files[name]
