"""The command line ``dwn-asic``. Each command imports what it needs, so that ``--help`` answers at once.

Each module holds related commands, and ``--help`` lists them in the order of these imports.
"""

from dwn_asic.cli.application import app, main

from dwn_asic.cli import flows, results, circuits, layout, tinytapeout, librelane, models, installed  # isort: skip

__all__ = [
    "app",
    "circuits",
    "flows",
    "installed",
    "layout",
    "librelane",
    "main",
    "models",
    "results",
    "tinytapeout",
]
