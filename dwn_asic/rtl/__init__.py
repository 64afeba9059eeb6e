"""Structural Verilog: encoder, core, top and testbench written; modules and netlists read back."""
