"""The optional package ``klayout``; without it, this module raises a ToolError that names the extra."""

from __future__ import annotations

from dwn_asic.errors import ToolError

try:
    from klayout import db
except ImportError as error:
    raise ToolError("klayout", "is not installed: pip install 'dwn-asic[layout]'") from error

__all__ = ["db"]
