"""Comparison tables and pictures made from result files."""
