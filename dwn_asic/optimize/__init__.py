"""From a circuit to a smaller one: exactly, or guarded by data."""
