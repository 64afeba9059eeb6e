"""Structural Verilog: writing, reading, elaboration and simulation."""
