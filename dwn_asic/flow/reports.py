"""Reports on disk: runs are read from their folders, files written whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dwn_asic.errors import DataError
from dwn_asic.report.result import Result, write_atomically
from dwn_asic.study.runs import Run, Study, study_of
from dwn_asic.study.write import ELSEWHERE, report_files

__all__ = ["load_run", "load_study", "write_reports"]


def load_run(folder: Path) -> Run:
    """The finished run of a folder; raises DataError where there is none."""
    return Run(Result.load(folder / "result.json"), folder.as_posix(), partial(_text, folder))


def _text(folder: Path, name: str) -> str | None:
    path = folder / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def load_study(folder: Path) -> Study:
    """Read ``folder/seed-*/FLOW/result.json``; the folder's name becomes the study's.

    Raises
    ------
    DataError
        There is no result, one is damaged, or two of a flow have the same seed.
    """
    runs = [load_run(file.parent) for file in sorted(folder.glob("seed-*/*/result.json"))]
    if not runs:
        raise DataError(folder, "holds no seed-*/FLOW/result.json")
    return study_of(folder.name, runs)


def write_reports(flows: Sequence[Run], studies: Sequence[Study], folder: Path) -> tuple[Path, ...]:
    """Write reports of single flows, of each study, and the page; folders of others are left as they are.

    Parameters
    ----------
    flows, studies
        As in :func:`dwn_asic.study.write.report_files`.
    folder
        Usually ``reports``.

    Returns
    -------
    tuple of Path
        The files.
    """
    present = [name for name in ELSEWHERE if (folder / name).exists()]
    files = report_files(flows, studies, present)
    for name, content in files.items():
        write_atomically(folder / name, content)
    return tuple(folder / name for name in files)
