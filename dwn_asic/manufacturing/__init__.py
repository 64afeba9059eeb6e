"""Manufacturing test of a mapped netlist: stuck-at faults, and a small set of patterns that detects them.

A fault is a pin that is stuck at 0 or 1. Patterns come from rows of data, random codes and a SAT solver,
which also proves the other faults untestable.
"""
