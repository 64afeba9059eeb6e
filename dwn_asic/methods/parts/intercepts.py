"""Intercepts for scores that are rounded already, since the rounding errors of many weights add up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

__all__ = ["fitted_intercepts"]


def fitted_intercepts(
    scores: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the (S,) intercepts of maximum likelihood for (N, S) scores that stay fixed.

    A single score separates class 1 from class 0. The (N,) weights of rows are equal if they are None.
    """
    if scores.shape[1] == 1:
        return fitted_intercepts(np.hstack([0.0 * scores, scores]), labels, weights)[1:]
    own = np.eye(scores.shape[1])[labels]
    each = np.ones((1, 1)) if weights is None else weights[:, None]

    def loss(intercepts: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        moved = scores + intercepts
        likelihood = log_softmax(moved, axis=1)
        return float(-(each * own * likelihood).sum(1).mean()), (each * (np.exp(likelihood) - own)).mean(0)

    found = minimize(loss, np.zeros(scores.shape[1]), jac=True).x
    return np.asarray(found - found[0])
