"""The target ``aig``: and-inverter graphs, in which logic contests and papers count circuits.

Module ``target`` defines the target, and ``cost`` prices circuits in AND nodes.
"""

from dwn_asic.targets.aig.target import TARGET

__all__ = ["TARGET"]
