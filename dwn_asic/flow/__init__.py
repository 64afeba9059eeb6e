"""Flow files, the steps of a flow, and the engine that runs the steps whose inputs have changed.

This is the only package that uses build folders. All files of a flow are in ``build/NAME/``; records of what
each step was run with are in its subfolder ``.steps/``.
"""

from dwn_asic.flow.run import Flow, open_flow, run_flow
from dwn_asic.flow.step import Reporter

__all__ = ["Flow", "Reporter", "open_flow", "run_flow"]
