"""Compiled code that is kept on disk must not outlive the files that it was made of."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dwn_asic

PACKAGE = Path(dwn_asic.__file__).parent
CODE = """
from dwn_asic.optimize.lossy.anneal.state import block_size
from dwn_asic.boolean.words import below
from numba import njit
import numpy as np
size = njit(lambda block: block_size(block))
below(np.array([1], np.uint64), 5)
print(size(1), sum(below.stats.cache_hits.values()))
"""


def test_a_changed_constant_of_another_file_compiles_again(tmp_path: Path) -> None:
    copy = tmp_path / "dwn_asic"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def run() -> list[str]:
        command = [sys.executable, "-c", CODE]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=120
        )
        return done.stdout.split()

    assert run() == ["64", "0"]
    assert run() == ["64", "1"]
    state = copy / "optimize" / "lossy" / "anneal" / "state.py"
    state.write_text(state.read_text().replace("FIRST_BLOCK, BLOCK = 8, 64", "FIRST_BLOCK, BLOCK = 8, 32"))
    assert run() == ["32", "0"]
