"""The stages in order, what each reads and writes, and when a stage has nothing to do.

Everything of a flow lives in ``build/NAME/``; the rivals' circuits in ``build/NAME/baselines/RIVAL/``. A
stage's part of the flow file is ``config/STAGE.json``, rewritten only when it changes, and its manifest
``.manifest/STAGE.json`` holds the digest of what the outputs were made from.
"""

from dwn_asic.flow.context import Flow, Reporter, Stage
from dwn_asic.flow.run import configure, is_current, open_flow, run_flow, run_stage
from dwn_asic.flow.stages import STAGES

__all__ = [
    "STAGES",
    "Flow",
    "Reporter",
    "Stage",
    "configure",
    "is_current",
    "open_flow",
    "run_flow",
    "run_stage",
]
