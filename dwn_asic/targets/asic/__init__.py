"""Standard cells of an open PDK: Liberty, cell library, mapping with Yosys and ABC."""
