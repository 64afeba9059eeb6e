"""The search for architectures and options: its space, its sampler, its pruning, and its front.

Everything here is a pure function on values; :mod:`dwn_asic.flow.search` runs the trials in folders.
"""
