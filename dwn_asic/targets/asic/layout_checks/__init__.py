"""Checks of a layout from its GDS file alone: design rules, transistors against the netlist, and function.

They share nothing with a router: rules and connections come from ``pdk_configs/NAME.checks.yaml``. Each check
returns an immutable verdict, which says what was found, where, and how long it took.
"""
