"""Work on a flow that is done in one go, in whichever process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dwn_asic.flow.run import Flow, run_flow
from dwn_asic.flow.step import Reporter

__all__ = ["Files", "WholeRun", "Work"]


class Work(Protocol):
    """Work on a flow that can be pickled; its results are files in the flow's folder.

    Equal work leaves equal files, and work that was done before ends at once.
    """

    def done(self, flow: Flow) -> bool:
        """Return whether nothing would change."""

    def run(self, flow: Flow, reporter: Reporter) -> list[str]:
        """Do the work, one step at a time, and return the titles of the steps that ran."""


@dataclass(frozen=True)
class WholeRun:
    """All steps of a flow."""

    def done(self, flow: Flow) -> bool:
        """Return whether every step is up to date."""
        return flow.engine.up_to_date()

    def run(self, flow: Flow, reporter: Reporter) -> list[str]:
        """Run the steps that are not."""
        return run_flow(flow, reporter)


@dataclass(frozen=True)
class Files:
    """The steps that lead to some files.

    Attributes
    ----------
    places
        Paths of the files inside the flow's folder.
    """

    places: tuple[str, ...]

    def done(self, flow: Flow) -> bool:
        """Return whether these steps are up to date."""
        return flow.engine.up_to_date(self.places)

    def run(self, flow: Flow, reporter: Reporter) -> list[str]:
        """Run those that are not."""
        return run_flow(flow, reporter, targets=self.places)
