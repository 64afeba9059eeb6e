"""The section ``minimize`` of a flow file."""

from __future__ import annotations

from typing import Literal

from dwn_asic.configuration import Positive, Strict

__all__ = ["MinimizeConfig"]


class MinimizeConfig(Strict):
    """Exact minimization: the same function in fewer gates, proved equal."""

    effort: Literal["low", "medium", "high"] = "medium"
    """Effort of the search: ``low`` tries few starting points and moves and takes seconds, ``medium`` suits
    most flows, ``high`` tries roughly ten times as many as ``medium``."""
    timeout_s: Positive = 120.0
    """Time limit of each run of a tool in seconds. A script that exceeds it is skipped; a proof that exceeds
    it is an error."""
    budget_s: Positive = 60.0
    """Time limit of the search in seconds, for core and encoder each. A search that reaches it depends on the
    machine's speed, so raise it where results must be reproducible."""
    merge: bool | None = None
    """Minimize core and encoder also as one circuit that reads code bits, and keep that circuit if it is
    smaller; its area then counts as core. By default this is tried only for an imported model
    (``model.file``), whose codes are as narrow as its thresholds allow."""
