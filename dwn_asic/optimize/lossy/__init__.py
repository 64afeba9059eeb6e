"""Smaller circuits of about the same accuracy, guarded by data: annealing, votes, refit, front and choice."""
