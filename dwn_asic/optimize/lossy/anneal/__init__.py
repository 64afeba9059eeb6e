"""Annealing of circuits, guarded by data: gates, wiring and thresholds are improved together."""
