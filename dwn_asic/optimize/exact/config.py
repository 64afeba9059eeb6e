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
    timeout_s: Positive = 600.0
    """Limit of each run of a tool in seconds of processor time. It is a protection against tools that hang:
    a script that exceeds it is skipped, and a proof that exceeds it is an error."""
    budget_s: Positive = 60.0
    """Limit of the search for core and encoder each, in nominal seconds: about the time that it takes on one
    core at 3 GHz. It is counted in operations, so the result depends on neither the machine nor its load."""
    merge: bool | None = None
    """Minimize core and encoder also as one circuit that reads code bits, and keep that circuit if it is
    smaller; its area then counts as core. By default this is tried only for an imported model
    (``model.file``), whose codes are as narrow as its thresholds allow."""
