"""The manufacturing test of a classifier: codes to apply, classes to expect, and the faults it detects."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import Interface
from dwn_asic.boolean.ports import CLASS_PORT, feature_of_port, feature_port
from dwn_asic.errors import DataError, shortened
from dwn_asic.manufacturing.generate import PatternSet
from dwn_asic.verilog.flat_netlist import FlatNetlist

__all__ = ["ManufacturingTest", "codes_of", "patterns_of"]


@dataclass(frozen=True, eq=False)
class ManufacturingTest:
    """A test of each manufactured chip.

    Attributes
    ----------
    name
        Prefix of the module names.
    library
        Library and corner of the cells.
    interface
        Feature names and widths.
    latency
        Clock cycles from the inputs to the class index. Each pattern is held for that long.
    n_cells
        Number of cells, flip-flops included.
    features
        Indices of the features that are ports of the chip.
    codes
        (P, F) feature codes to apply; features that are no ports are 0.
    expected
        (P,) class indices of a chip without faults.
    detected
        Which faults the patterns detect.
    testbench
        Verilog text of a self-checking testbench, which applies the patterns to module NAME_top.
    """

    name: str
    library: str
    interface: Interface
    latency: int
    n_cells: int
    features: tuple[int, ...]
    codes: NDArray[np.int64]
    expected: NDArray[np.int64]
    detected: PatternSet
    testbench: str

    def patterns_csv(self) -> str:
        """Return the patterns as CSV: one column per input port, in codes, and the class index."""
        names = self.interface.feature_names
        ports = [feature_port(feature, names[feature]) for feature in self.features]
        rows = np.column_stack([self.codes[:, list(self.features)], self.expected]).tolist()
        return _csv([*ports, CLASS_PORT], rows)

    def faults_csv(self) -> str:
        """Return all faults as CSV.

        The columns are pin, value that it is stuck at, number of its class, status (detected, untestable or
        aborted), and the first pattern that detects it, counted from 0.
        """
        found, rows = self.detected, []
        for fault, number in zip(found.faults.faults, found.faults.classes.tolist(), strict=True):
            first = int(found.first[number])
            status = "untestable" if found.untestable[number] else "aborted"
            if first >= 0:
                status = "detected"
            rows.append([fault.pin, int(fault.value), number, status, first if first >= 0 else ""])
        return _csv(["pin", "stuck_at", "class", "status", "first_pattern"], rows)

    def summary(self) -> Mapping[str, object]:
        """Return the numbers of cells, faults and patterns, coverages (0..1), and the untestable faults."""
        coverage = self.detected.coverage
        return {
            "name": self.name,
            "library": self.library,
            "cells": self.n_cells,
            "latency": self.latency,
            "faults": coverage.total,
            "fault_classes": coverage.classes,
            "detected": coverage.detected,
            "untestable": coverage.untestable,
            "aborted": coverage.aborted,
            "coverage_of_testable": round(coverage.of_testable, 6),
            "coverage_of_all": round(coverage.of_all, 6),
            "patterns": len(self.codes),
            "untestable_faults": [str(fault) for fault in self.detected.untestable_faults],
        }

    def lines(self) -> list[str]:
        """Return what the user wants to know: faults, coverage and patterns, in one line each."""
        found = self.detected.coverage
        lines = [
            f"{self.n_cells} cells of {self.library}",
            f"{found.total} stuck-at faults, {found.classes} classes of equivalent ones",
            f"{found.detected} detected, {found.untestable} proved untestable, {found.aborted} aborted",
            f"coverage {found.of_testable:.2%} of testable faults, {found.of_all:.2%} of all",
            f"{len(self.codes)} patterns",
        ]
        values: dict[str, list[str]] = {}
        for fault in self.detected.untestable_faults:
            values.setdefault(fault.pin, []).append(str(int(fault.value)))
        pins = [f"{pin} stuck at {' or '.join(stuck)}" for pin, stuck in values.items()]
        return [*lines, f"untestable: {shortened(pins)}"] if pins else lines

    def files(self) -> dict[str, str]:
        """Return name and text of each file: the patterns, the faults, the summary and the testbench."""
        return {
            "patterns.csv": self.patterns_csv(),
            "faults.csv": self.faults_csv(),
            "summary.json": json.dumps(self.summary(), indent=1) + "\n",
            "testbench.v": self.testbench,
        }


def patterns_of(netlist: FlatNetlist, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (N, I) values of a netlist's inputs for (N, F) codes; raises DataError for an unknown port."""
    columns = [codes[:, _feature(netlist, port)] >> bit & 1 for port, bit in netlist.inputs]
    return np.stack(columns, axis=1).astype(bool) if columns else np.zeros((len(codes), 0), bool)


def codes_of(netlist: FlatNetlist, patterns: NDArray[np.bool_], n_features: int) -> NDArray[np.int64]:
    """Return the (N, F) codes of (N, I) values of a netlist's inputs; raises DataError as above."""
    codes = np.zeros((len(patterns), n_features), np.int64)
    for (port, bit), column in zip(netlist.inputs, patterns.T, strict=True):
        codes[:, _feature(netlist, port)] |= column.astype(np.int64) << bit
    return codes


def _feature(netlist: FlatNetlist, port: str) -> int:
    feature = feature_of_port(port)
    if feature is None:
        raise DataError(netlist.source, f"port {port} of {netlist.top} is not a feature")
    return feature


def _csv(header: list[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
