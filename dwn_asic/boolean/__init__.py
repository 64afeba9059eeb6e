"""Boolean graphs, LUT networks, and-inverter graphs, bit-parallel simulation and arithmetic blocks."""
