"""The choice of an executor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dwn_asic.execution.executor import Executor
from dwn_asic.execution.worker import PATIENCE_S

__all__ = ["Resources"]


@dataclass(frozen=True)
class Resources:
    """The processes that run jobs: those of this machine, or the workers of a Dask cluster.

    Attributes
    ----------
    jobs
        Maximum number of jobs that run at once on this machine; a cluster uses all its workers.
    scheduler
        Address of a Dask scheduler, for example ``tcp://10.0.0.1:8786``, or None for this machine.
    """

    jobs: int
    scheduler: str | None = None

    def open(
        self,
        *,
        isolated: bool = True,
        threads: int = 1,
        locks: Sequence[int] = (),
        patience_s: float = PATIENCE_S,
    ) -> Executor:
        """Return an executor.

        Parameters
        ----------
        isolated
            Whether jobs run in processes of their own even if there is only one at a time. They must for jobs
            with a deadline.
        threads, locks, patience_s
            As in :class:`~dwn_asic.execution.processes.LocalProcesses`; a cluster does not use them.

        Raises
        ------
        ToolError
            The scheduler does not answer, or the package ``distributed`` is not installed.
        """
        if self.scheduler is not None:
            from dwn_asic.execution.cluster import DaskCluster

            return DaskCluster(self.scheduler)
        from dwn_asic.execution.processes import LocalProcesses, ThisProcess

        if self.jobs == 1 and not isolated:
            return ThisProcess()
        return LocalProcesses(self.jobs, threads=threads, locks=locks, patience_s=patience_s)
