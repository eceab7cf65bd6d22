"""Rectangles in sky coordinates, along the axes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """A rectangle in sky coordinates, sky pixel; its sides may be infinite."""

    x_min: float
    x_max: float
    y_min: float
    y_max: float

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.x_min < self.x_max and self.y_min < self.y_max)

    def intersect(self, other: Extent) -> Extent:
        """Return what is in both."""
        return Extent(
            max(self.x_min, other.x_min),
            min(self.x_max, other.x_max),
            max(self.y_min, other.y_min),
            min(self.y_max, other.y_max),
        )

    def union(self, other: Extent) -> Extent:
        """Return the smallest rectangle around both."""
        return Extent(
            min(self.x_min, other.x_min),
            max(self.x_max, other.x_max),
            min(self.y_min, other.y_min),
            max(self.y_max, other.y_max),
        )


WHOLE_SKY = Extent(-math.inf, math.inf, -math.inf, math.inf)
"""The extent of what is not limited."""

NOTHING = Extent(math.inf, -math.inf, math.inf, -math.inf)
"""The extent of what is empty: its union with another is the other."""
