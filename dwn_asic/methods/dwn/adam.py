"""The optimizer Adam, compiled on a CPU, torch operations elsewhere.

References
----------
Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, arXiv:1412.6980.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from dwn_asic.compiled import kernel
from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.kernels import in_ranges

__all__ = ["Adam"]

_DECAYS = 0.9, 0.999
_EPSILON = 1e-8


class Adam:
    """Adam with its usual constants, for parameters that all have a gradient before each step.

    Parameters
    ----------
    parameters
        The parameters to train; their first axis may be one of starts, see :meth:`keep`.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self.parameters = tuple(parameters)
        self._means = [torch.zeros_like(parameter.data) for parameter in self.parameters]
        self._squares = [torch.zeros_like(parameter.data) for parameter in self.parameters]
        self._left = [1.0, 1.0]  # share of the initial zeros in each running mean

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Change the parameters by their gradients, and discard the gradients."""
        for i, decay in enumerate(_DECAYS):
            self._left[i] *= decay
        rate = learning_rate / (1.0 - self._left[0])
        scale = 1.0 / math.sqrt(1.0 - self._left[1])
        for parameter, mean, square in zip(self.parameters, self._means, self._squares, strict=True):
            assert parameter.grad is not None
            grad = parameter.grad
            if kernels.on_cpu(grad):
                rows = [x.reshape(-1, x.shape[-1]).numpy() for x in (parameter.data, grad, mean, square)]
                in_ranges(adam_step, len(rows[0]), grad.numel(), torch.get_num_threads(), *rows, rate, scale)
            else:
                mean.lerp_(grad, 1.0 - _DECAYS[0])
                square.mul_(_DECAYS[1]).addcmul_(grad, grad, value=1.0 - _DECAYS[1])
                parameter.addcdiv_(mean, square.sqrt().mul_(scale).add_(_EPSILON), value=-rate)
            parameter.grad = None

    def keep(self, starts: Tensor) -> None:
        """Keep the state of these starts only, in this order; the parameters must be changed likewise."""
        for state in (self._means, self._squares):
            state[:] = [values.index_select(0, starts) for values in state]


@kernel
def adam_step(first, end, values, grads, means, squares, rate, scale):  # type: ignore[no-untyped-def]
    """Change a range of rows of parameters (P, Q), and the running means of gradients and their squares."""
    number = values.dtype.type
    fresh, kept = number(1.0 - _DECAYS[0]), number(_DECAYS[1])
    fresh_square, epsilon = number(1.0 - _DECAYS[1]), number(_EPSILON)
    rate, scale = number(rate), number(scale)
    for row in range(first, end):
        for i in range(values.shape[1]):
            grad = grads[row, i]
            mean = means[row, i] + fresh * (grad - means[row, i])
            square = kept * squares[row, i] + fresh_square * (grad * grad)
            means[row, i], squares[row, i] = mean, square
            values[row, i] -= rate * mean / (np.sqrt(square) * scale + epsilon)
