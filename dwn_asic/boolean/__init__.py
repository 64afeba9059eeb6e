"""Boolean graphs, LUT networks, and-inverter graphs, bit-parallel simulation, arithmetic blocks."""
