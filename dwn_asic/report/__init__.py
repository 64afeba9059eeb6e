"""Comparison tables and figures made from result files."""
