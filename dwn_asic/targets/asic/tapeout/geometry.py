"""Rectangles with integer coordinates in nm."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Box", "around", "nm"]


class Box(NamedTuple):
    """A rectangle; all coordinates are in nm."""

    left: int
    bottom: int
    right: int
    top: int

    def moved(self, x: int, y: int) -> Box:
        """Return the rectangle moved by (x, y)."""
        return Box(self.left + x, self.bottom + y, self.right + x, self.top + y)

    def grown(self, x: int, y: int) -> Box:
        """Return the rectangle with its vertical edges moved outwards by x, its horizontal ones by y."""
        return Box(self.left - x, self.bottom - y, self.right + x, self.top + y)

    def touches(self, other: Box) -> bool:
        """Return whether the rectangles overlap or share an edge."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.bottom <= other.top
            and other.bottom <= self.top
        )

    @property
    def width(self) -> int:
        """Extent in x."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Extent in y."""
        return self.top - self.bottom

    @property
    def center(self) -> tuple[int, int]:
        """Point in the middle, rounded down to nm."""
        return (self.left + self.right) // 2, (self.bottom + self.top) // 2


def around(x: int, y: int, half_x: int, half_y: int) -> Box:
    """Return the rectangle with this center and these half extents."""
    return Box(x - half_x, y - half_y, x + half_x, y + half_y)


def nm(micrometres: float | str) -> int:
    """Return a length in um as whole nm.

    >>> nm("0.46")
    460
    """
    return round(float(micrometres) * 1000)
