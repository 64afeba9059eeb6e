"""Optimization of circuits: exact minimization, and lossy shrinking guarded by data."""
