"""How the loops are compiled."""

from __future__ import annotations

from numba import njit

__all__ = ["kernel"]

# No reference counts: with a state of a dozen arrays, counting them at every call takes longer than the work.
# Such functions can't allocate arrays.
kernel = njit(cache=True, nogil=True, _nrt=False)
leaf = njit(cache=True, nogil=True, _nrt=False, forceinline=True)
