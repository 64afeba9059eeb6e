"""Equivalence of two circuits: on rows of data, by random simulation, by exhaustive simulation and by SAT."""
