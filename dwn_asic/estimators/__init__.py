"""scikit-learn estimators whose model is a circuit: fit, predict, and ask for Verilog, area and a proof.

:class:`DwnClassifier` trains a network of lookup tables; :class:`CircuitClassifier` shrinks any method's
circuit to a front of small ones. They take data frames and texts as labels, and work with ``Pipeline``,
``GridSearchCV`` and ``cross_val_score``.

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
