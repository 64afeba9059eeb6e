"""The optional package klayout, on which all checks of layouts build."""

from __future__ import annotations

from importlib.util import find_spec

from dwn_asic.errors import DwnAsicError

__all__ = ["require_klayout"]


def require_klayout() -> None:
    """Raise DwnAsicError, which names the extra to install, if the package klayout is missing."""
    if find_spec("klayout") is None:
        raise DwnAsicError("layouts need the package klayout: pip install 'dwn-asic[layout]'")
