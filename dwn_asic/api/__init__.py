"""The steps of a flow as functions on values, for notebooks and scripts; none of them uses a build folder.

Each function checks its arguments and then calls the package that does the work. Options are the keys of the
corresponding section of a flow file; an unknown key or a wrong value is an error that lists what is allowed.
``target`` defaults to the result of :func:`target` without arguments: sky130 cells, no registers.
"""

from __future__ import annotations

from dwn_asic.api.circuits import minimize, shrink, to_verilog
from dwn_asic.api.handoff import librelane, tiny_tapeout
from dwn_asic.api.hardware import datasheet, implement, target, target_or_default, verify
from dwn_asic.api.models import Goal, fit, plans, read_data
from dwn_asic.api.signoff import delay_front, manufacturing_test, sign_off

__all__ = [
    "Goal",
    "datasheet",
    "delay_front",
    "fit",
    "implement",
    "librelane",
    "manufacturing_test",
    "minimize",
    "plans",
    "read_data",
    "shrink",
    "sign_off",
    "target",
    "target_or_default",
    "tiny_tapeout",
    "to_verilog",
    "verify",
]
