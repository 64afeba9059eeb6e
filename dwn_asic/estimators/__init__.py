"""scikit-learn estimators whose model is a circuit, with methods that return Verilog, area and a proof.

:class:`DwnClassifier` trains a network of lookup tables. :class:`CircuitClassifier` shrinks the circuit of
any method to a front of small circuits. Both accept data frames and labels of any kind, and work with
``Pipeline``, ``GridSearchCV`` and ``cross_val_score``.

>>> from sklearn.datasets import load_iris
>>> X, y = load_iris(return_X_y=True)
>>> model = CircuitClassifier("tree", proposals=5000, random_state=0).fit(X, y)
>>> model.score(X, y) > 0.9
True
>>> chip = model.implement()
>>> chip.area < 20
True
>>> [check.what for check in chip.proof.checks if check.how == "proof"]
['graph == minimized', 'graph == Verilog', 'graph == netlist']
"""

from dwn_asic.estimators.chip import Chip
from dwn_asic.estimators.circuit import CircuitClassifier
from dwn_asic.estimators.dwn import DwnClassifier

__all__ = ["Chip", "CircuitClassifier", "DwnClassifier"]
