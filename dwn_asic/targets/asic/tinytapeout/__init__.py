"""Tiny Tapeout: a complete project repository around a classifier, and an offline check of its rules.

Codes of features are loaded through the eight inputs of a Tiny Tapeout design, the class is read from its
eight outputs. :mod:`~dwn_asic.targets.asic.tinytapeout.protocol` says how, and everything else follows it:
Verilog, tests, documentation, and the code for the demo board.
"""
