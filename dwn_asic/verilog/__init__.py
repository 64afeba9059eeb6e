"""Structural Verilog: written, read back, elaborated and simulated."""
