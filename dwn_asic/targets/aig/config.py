"""The section ``synthesis`` of a flow file with the target ``aig``."""

from __future__ import annotations

from dwn_asic.configuration import Positive, Strict

__all__ = ["AigConfig"]


class AigConfig(Strict):
    """Options of the target ``aig``: a limit for the proofs."""

    timeout_s: Positive = 300.0
    """Time limit in seconds of each proof, greater than 0. The default suffices for circuits of some thousand
    AND nodes."""
