"""Work for the executor of searches, which worker processes import."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from dwn_asic.errors import DataError
from dwn_asic.flow.step import Reporter


@dataclass(frozen=True)
class Task:
    """Write a file, fail, die or sleep, as the name says."""

    name: str
    folder: Path

    def run(self, reporter: Reporter) -> None:
        reporter.message(f"begin {self.name}")
        if self.name == "fail":
            raise DataError("table.csv", "is bad")
        if self.name == "die":
            os._exit(7)
        if self.name == "sleep":
            time.sleep(600)
        (self.folder / self.name).write_text(str(os.getpid()))
