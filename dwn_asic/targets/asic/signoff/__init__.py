"""Timing and power of mapped netlists, from the full tables of a Liberty library."""
