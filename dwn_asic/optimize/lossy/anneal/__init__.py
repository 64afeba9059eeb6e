"""Lossy minimization guarded by data: gates, wiring and thresholds of a circuit improved together."""
