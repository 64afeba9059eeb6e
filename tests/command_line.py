"""The command line as tests call it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from dwn_asic import cli


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Call the command and return its exit code."""
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sys, "argv", ["dwn-asic", *map(str, arguments)])
    try:
        with pytest.raises(SystemExit) as caught:
            cli.main()
    finally:
        signal.signal(signal.SIGTERM, handler)
    return int(caught.value.code or 0)
