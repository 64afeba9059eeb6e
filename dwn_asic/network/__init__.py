"""The trained model as plain arrays (LutNetwork), as a Boolean graph, and its bit-parallel simulation."""
