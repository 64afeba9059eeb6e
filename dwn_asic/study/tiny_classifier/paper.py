"""The limits that the paper sets, and the baselines that keep to them.

References
----------
Iordanou et al., Tiny Classifier Circuits: Evolving Accelerators for Tabular Data, arXiv:2303.00031.
"""

from __future__ import annotations

from dwn_asic.study.equal_accuracy import Comparison
from dwn_asic.study.tables import area_ratio, geometric_mean

__all__ = ["BASELINES", "BUDGET", "budget_ratios"]

BASELINES = ("tiny-paper-300g", "tiny-tenfold", "tiny-accuracy-tenfold", "tiny-equal-evaluations")
"""Names of the Tiny Classifiers: the paper's limits, ten times the generations, the same with accuracy in
place of balanced accuracy as fitness, as many circuits as our annealing."""
BUDGET = 300.0
"""Gates that the paper allows a Tiny Classifier, which are as many NAND2-equivalents in its count."""


def budget_ratios(compared: Comparison) -> dict[str, float]:
    """Return, for each data set, the geometric mean over seeds of the budget divided by our total area."""
    return {
        flow: geometric_mean(area_ratio(BUDGET, match.ours.total) for match in found)
        for flow, found in compared.matches.items()
    }
