"""Reports on disk: runs are read from their build folders, and report files are written atomically."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dwn_asic.errors import DataError
from dwn_asic.report.result import Result, write_atomically
from dwn_asic.study.runs import Run, Study, study_of
from dwn_asic.study.write import ELSEWHERE, report_files, study_files

__all__ = ["load_run", "load_study", "write_reports"]


def load_run(folder: Path) -> Run:
    """Read the finished run in a build folder; raises DataError if there is none."""
    return Run(Result.load(folder / "result.json"), folder.as_posix(), partial(_text, folder))


def _text(folder: Path, name: str) -> str | None:
    path = folder / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def load_study(folder: Path) -> Study:
    """Read all runs ``folder/seed-*/FLOW`` of a study, whose name is that of the folder.

    Raises
    ------
    DataError
        There is no result, a result is damaged, or two results of a flow have the same seed.
    """
    runs = [load_run(file.parent) for file in sorted(folder.glob("seed-*/*/result.json"))]
    if not runs:
        raise DataError(folder, "contains no seed-*/FLOW/result.json")
    return study_of(folder.name, runs)


def write_reports(flows: Sequence[Run], studies: Sequence[Study], folder: Path) -> tuple[Path, ...]:
    """Write the reports of single flows and of studies, the index and the page.

    Reports of other flows and studies in the folder are not changed. A single study in a folder of its name
    is written to this folder itself, without an index.

    Parameters
    ----------
    flows, studies
        Runs and studies, as in :func:`dwn_asic.study.write.report_files`.
    folder
        Folder to write to, usually ``reports``.

    Returns
    -------
    tuple of Path
        Paths of the files that were written.
    """
    if not flows and len(studies) == 1 and studies[0].name == folder.name:
        files = study_files(studies[0])
    else:
        files = report_files(flows, studies, [name for name in ELSEWHERE if (folder / name).exists()])
    for name, content in files.items():
        write_atomically(folder / name, content)
    return tuple(folder / name for name in files)
