"""Measurements: benchmark suites (`make bench`) and the figures of reports/figures.csv (`make figures`)."""
