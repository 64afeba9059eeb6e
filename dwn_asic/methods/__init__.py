"""Classifiers that become circuits, and software ceilings; each method is one module."""
