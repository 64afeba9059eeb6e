"""The optional package ``klayout``, with the message of what to install where it is missing."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from dwn_asic.errors import ToolError

if TYPE_CHECKING:
    from klayout import db

__all__ = ["klayout_db"]


def klayout_db() -> type[db] | ModuleType:
    """Return the module ``klayout.db``; raises ToolError, which names the extra, if it is not installed."""
    try:
        from klayout import db
    except ImportError as error:
        raise ToolError("klayout", "is not installed: pip install 'dwn-asic[layout]'") from error
    return db
