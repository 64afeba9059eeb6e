"""The command line ``dwn-asic``. Each command imports what it needs, so that ``--help`` answers at once.

Each module holds related commands, and ``--help`` lists them in the order of these imports.
"""

from dwn_asic.cli.application import app, main

# isort: off
from dwn_asic.cli import (
    flows,
    search,
    study,
    results,
    circuits,
    layout,
    layout_checks,
    tinytapeout,
    librelane,
    models,
    installed,
)

# isort: on

__all__ = [
    "app",
    "circuits",
    "flows",
    "installed",
    "layout",
    "layout_checks",
    "librelane",
    "main",
    "models",
    "results",
    "search",
    "study",
    "tinytapeout",
]
