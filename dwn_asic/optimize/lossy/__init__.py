"""Smaller circuits of about the same accuracy, guarded by data: annealing, refit, front and choice."""
