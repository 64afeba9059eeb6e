"""Searches in folders: trials are flows that run side by side, and the best circuits are proved.

A search is kept in ``build/NAME_search``: the storage of the sampler, the flow file and the build folder of
every trial, and the front with a flow file and a build folder of each circuit on it.
"""
