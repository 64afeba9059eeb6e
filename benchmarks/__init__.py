"""Benchmark suites (`make bench`), and measurements for reports/figures.csv (`make figures`)."""
