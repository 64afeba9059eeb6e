"""Exact minimization: the smallest circuit of the same function, proved."""
