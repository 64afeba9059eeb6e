"""Labelled tables: their sources, their checks, and the seeded stratified split."""
