"""Exact Boolean minimization: folding, the bridge to and-inverter graphs, and ABC."""
