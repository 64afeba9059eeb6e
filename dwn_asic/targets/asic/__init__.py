"""The target ``asic``: standard cells of an open PDK, to which Yosys and ABC map circuits.

Module ``target`` defines the target, ``cost`` prices circuits, and ``pdk`` finds cell libraries.
"""

from dwn_asic.targets.asic.target import TARGET

__all__ = ["TARGET"]
