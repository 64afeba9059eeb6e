"""Flows: what a flow file says, its steps, and the engine that runs those whose inputs have changed.

The only package that knows folders. Everything of a flow lives in ``build/NAME/``; what its steps were made
from is in ``.steps/`` there.
"""

from dwn_asic.flow.engine import Reporter
from dwn_asic.flow.run import Flow, open_flow, run_flow

__all__ = ["Flow", "Reporter", "open_flow", "run_flow"]
