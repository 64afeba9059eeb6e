"""The whole chain of checks from the model to the implementation."""

from __future__ import annotations

from collections.abc import Iterator

from dwn_asic.equivalence.check import Check
from dwn_asic.equivalence.model import check_model, model_not_at_hand, same_by_definition
from dwn_asic.targets.base import CrossChecked, Depth, Implementation, Proof, Specification, Target

__all__ = ["prove"]

_FORMS = ("model", "graph", "minimized", "Verilog", "netlist", "layout", "simulation")
"""Forms of a circuit in the order of the chain, each of which a stage may lead from or to."""


def prove(target: Target, built: Implementation, wanted: Specification, depth: Depth) -> Proof:
    """Compare model, graph, minimized circuit and implementation, and return the checks in this order.

    Parameters
    ----------
    target
        Target that the circuit was built for.
    built
        The implementation.
    wanted
        The function that it must compute.
    depth
        How deep to go beyond what :meth:`dwn_asic.targets.base.Target.verify` checks in any case.

    Raises
    ------
    VerificationError
        Two descriptions differ; the error has the first counterexample.
    ToolError
        A tool fails, or a required proof reaches the time limit.
    """
    checks = [*target.verify(built, wanted).checks, *_model_checks(wanted, depth)]
    if depth != "basic" and isinstance(target, CrossChecked):
        checks += target.cross_check(built, wanted, depth)
    return Proof(tuple(sorted(checks, key=_place)))


def _model_checks(wanted: Specification, depth: Depth) -> Iterator[Check]:
    if depth == "basic":
        return
    if wanted.network is not None:
        yield from check_model(wanted.network, wanted.graph)
    elif wanted.shrunk:
        yield same_by_definition()
    else:
        yield model_not_at_hand()


def _place(check: Check) -> tuple[int, ...]:
    """Return the places of the two forms in the chain; stages that other targets name come last."""
    return tuple(_FORMS.index(form) if form in _FORMS else len(_FORMS) for form in check.stage.split(" -> "))
