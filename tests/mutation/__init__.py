"""Mutation testing of the checks: faults in every form of a circuit, and whether verification finds them."""
