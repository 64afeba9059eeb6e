"""The choice of an executor."""

from __future__ import annotations

from dwn_asic.execution.executor import Executor

__all__ = ["open_executor"]


def open_executor(jobs: int, scheduler: str | None = None) -> Executor:
    """Return the executor of a Dask cluster if a scheduler is given, else that of this machine.

    Parameters
    ----------
    jobs
        Maximum number of jobs that run at once on this machine; a cluster uses all its workers.
    scheduler
        Address of a Dask scheduler, for example ``tcp://10.0.0.1:8786``.

    Raises
    ------
    ToolError
        The scheduler does not answer, or the package ``distributed`` is not installed.
    """
    if scheduler is None:
        from dwn_asic.execution.processes import LocalProcesses

        return LocalProcesses(jobs)
    from dwn_asic.execution.cluster import DaskCluster

    return DaskCluster(scheduler)
