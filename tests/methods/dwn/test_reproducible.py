"""Training is the same on every CPU: no setting of :mod:`cpu_settings` changes a network or a loss."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cpu_settings import PLAIN, together
from tiny_trainings import CASES


def trained(folder, settings):
    """Train the tiny networks in a process with these settings, and return their bytes and losses by name."""
    folder.mkdir()
    environment = {**os.environ, **PLAIN, **settings}
    threads = environment["OMP_NUM_THREADS"]
    command = [sys.executable, str(Path(__file__).parent / "tiny_trainings.py"), str(folder), threads]
    subprocess.run(command, check=True, env=environment)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("trained") / "plain", {})


@pytest.mark.parametrize("name", together())
def test_no_setting_changes_a_network_or_a_loss(name, plain, tmp_path):
    found = trained(tmp_path / "found", together()[name])
    assert set(found) == {f"{case}.{kind}" for case in CASES for kind in ("npz", "txt")}
    differing = [file for file in plain if plain[file] != found[file]]
    assert not differing
