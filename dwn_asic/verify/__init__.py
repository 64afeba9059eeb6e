"""Proofs that model, graph, Verilog and netlist agree: by simulation on every row and by SAT."""
