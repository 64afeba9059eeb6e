"""Independent jobs on several processes: those of this machine, or the workers of a Dask cluster.

An :class:`~dwn_asic.execution.executor.Executor` runs functions with their arguments and returns what became
of each. It does not know what a job does, and no folder of its own.
"""
