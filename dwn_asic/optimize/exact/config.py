"""The section ``minimize`` of a flow file."""

from __future__ import annotations

from typing import Literal

from dwn_asic.configuration import Positive, Strict

__all__ = ["MinimizeConfig"]


class MinimizeConfig(Strict):
    """Exact minimization."""

    effort: Literal["low", "medium", "high"] = "medium"
    timeout_s: Positive = 120.0
    """Limit of each tool run; a script that exceeds it is left out."""
    budget_s: Positive = 60.0
    """Limit of the search for core and encoder each. A search that it ends depends on the machine's speed."""
    merge: bool | None = None
    """Try core and encoder as one circuit too, which reads code bits, and keep it where it is smaller; its
    area then counts as core. Default: only for a trained model (``model.file``), whose codes are as narrow as
    its thresholds allow."""
