"""Turn a table of labelled data into the smallest verified classifier chip.

Each step from arrays to Verilog and a proof is a function, and every value is immutable:

>>> import dwn_asic
>>> from sklearn.datasets import load_iris
>>> iris = load_iris()
>>> dataset = dwn_asic.Dataset.from_arrays(
...     iris.data, iris.target, feature_names=["sepal_l", "sepal_w", "petal_l", "petal_w"], input_bits=6
... )

Fit a model by any method. It comes with its circuit, which was compared with the software on every row:

>>> tree = dwn_asic.fit(dataset, "decision_tree", leaves=4)
>>> [str(node) for _, node in tree.graph.inputs][0]
'Threshold(feature=2, constant=43)'

Shrink the circuit to a front of circuits of many sizes. Validation rows choose one of them, which is then
minimized exactly:

>>> front = dwn_asic.shrink(tree, dataset, proposals=5000)
>>> circuit = dwn_asic.minimize(front.chosen, effort="low")
>>> "module classifier_top (" in dwn_asic.to_verilog(circuit)
True

Map it to the cells of a library, and prove that the netlist computes what the chosen circuit computes:

>>> chip = dwn_asic.implement(circuit, dataset=dataset)
>>> chip.metrics["area__nand2_equivalent"] < 20
True
>>> proof = dwn_asic.verify(chip, front.chosen, circuit, dataset=dataset)
>>> [check.what for check in proof.checks if check.how == "proof"]
['graph == minimized', 'graph == Verilog', 'graph == netlist']

Its data sheet says which bits to apply for a row, and what the answer means:

>>> sheet = dwn_asic.datasheet(chip, front.chosen, circuit, proof, dataset=dataset)
>>> "x3_petal_w" in [given.port for given in sheet.inputs]
True

The scikit-learn estimators :class:`DwnClassifier` and :class:`CircuitClassifier` do all of this in one line
each. :func:`load` opens a run that ``dwn-asic run`` or ``make run`` has finished.

This module imports a submodule only when one of its names is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dwn_asic.api import (
        datasheet,
        delay_front,
        fit,
        implement,
        librelane,
        manufacturing_test,
        minimize,
        read_data,
        shrink,
        sign_off,
        target,
        tiny_tapeout,
        to_verilog,
        verify,
    )
    from dwn_asic.api.place_and_route import layout
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.errors import DwnAsicError
    from dwn_asic.estimators import Chip, CircuitClassifier, DwnClassifier
    from dwn_asic.flow.finished import Run, load
    from dwn_asic.manufacturing.value import ManufacturingTest
    from dwn_asic.methods.base import Classifier
    from dwn_asic.optimize.lossy.front import Front
    from dwn_asic.report.datasheet.value import DataSheet
    from dwn_asic.report.result import Result
    from dwn_asic.targets.asic.layout_checks.check import check_layout
    from dwn_asic.targets.asic.signoff.metrics import Signoff
    from dwn_asic.targets.asic.tapeout.layout import Layout
    from dwn_asic.targets.asic.tapeout.template import Template
    from dwn_asic.targets.base import Implementation, Proof, Target

__version__ = "0.3.0"

__all__ = [
    "BooleanGraph",
    "Chip",
    "Circuit",
    "CircuitClassifier",
    "Classifier",
    "DataSheet",
    "Dataset",
    "DwnAsicError",
    "DwnClassifier",
    "Front",
    "Implementation",
    "Layout",
    "ManufacturingTest",
    "Proof",
    "Result",
    "Run",
    "Signoff",
    "Target",
    "Template",
    "__version__",
    "check_layout",
    "datasheet",
    "delay_front",
    "fit",
    "implement",
    "layout",
    "librelane",
    "load",
    "manufacturing_test",
    "minimize",
    "read_data",
    "shrink",
    "sign_off",
    "target",
    "tiny_tapeout",
    "to_verilog",
    "verify",
]

_HOMES = {
    "api": (
        "datasheet",
        "delay_front",
        "fit",
        "implement",
        "librelane",
        "manufacturing_test",
        "minimize",
        "read_data",
        "shrink",
        "sign_off",
        "target",
        "tiny_tapeout",
        "to_verilog",
        "verify",
    ),
    "api.place_and_route": ("layout",),
    "boolean.compose": ("Circuit",),
    "boolean.graph": ("BooleanGraph",),
    "data.dataset": ("Dataset",),
    "errors": ("DwnAsicError",),
    "estimators": ("Chip", "CircuitClassifier", "DwnClassifier"),
    "flow.finished": ("Run", "load"),
    "manufacturing.value": ("ManufacturingTest",),
    "methods.base": ("Classifier",),
    "optimize.lossy.front": ("Front",),
    "report.datasheet.value": ("DataSheet",),
    "report.result": ("Result",),
    "targets.asic.layout_checks.check": ("check_layout",),
    "targets.asic.signoff.metrics": ("Signoff",),
    "targets.asic.tapeout.layout": ("Layout",),
    "targets.asic.tapeout.template": ("Template",),
    "targets.base": ("Implementation", "Proof", "Target"),
}
"""Each submodule and the names that this package re-exports from it."""
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value  # so that later uses do not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
