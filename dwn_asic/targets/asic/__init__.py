"""Standard cells of an open PDK: Liberty, cell library, mapping with ABC and Yosys, areas.

The target itself is in ``target``; ``cost`` prices circuits, ``pdk`` finds the libraries.
"""

from dwn_asic.targets.asic.target import TARGET

__all__ = ["TARGET"]
