"""Exact minimization: the smallest circuit with the same function, proved equal."""
