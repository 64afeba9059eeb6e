"""All metrics that a result may hold: those of the data, of circuits, and of every target."""

from __future__ import annotations

from collections.abc import Mapping

from dwn_asic.boolean import measure
from dwn_asic.data import scores
from dwn_asic.errors import DwnAsicError
from dwn_asic.metrics import Metric, Size
from dwn_asic.targets.registry import target_kinds

__all__ = ["check_metrics", "metrics", "size_of"]


def metrics() -> Mapping[str, Metric]:
    """Return all metrics by name, in the order in which reports show them."""
    of_targets = [metric for target in target_kinds().values() for metric in target.metrics]
    return {metric.name: metric for metric in (*of_targets, *measure.METRICS, *scores.METRICS)}


def size_of(found: Mapping[str, float]) -> Size | None:
    """Return how the target that measured these metrics counts sizes; None without a size among them."""
    sizes = (target.size for target in target_kinds().values())
    return next((size for size in sizes if size is not None and size.total in found), None)


def check_metrics(found: Mapping[str, object]) -> None:
    """Raise DwnAsicError where nothing measures a name or a value is not a number."""
    known = metrics()
    for name, value in found.items():
        if name not in known:
            raise DwnAsicError(f"metric {name!r} is not declared by the data, a circuit or a target")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DwnAsicError(f"metric {name!r} is {value!r}, not a number")
