"""Distances to lines, for strokes with soft edges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def lower_to_segment(
    gap: NDArray[np.float32], ax: float, ay: float, bx: float, by: float, reach: float
) -> None:
    """Lower squared distances to those from a line segment.

    Parameters
    ----------
    gap
        ``(h, w)`` squared distance of each pixel centre to the lines so far, px², changed in place.
    ax, ay, bx, by
        Ends of the segment in px from the window's upper left corner.
    reach
        Distances beyond this are not looked at.
    """
    height, width = gap.shape
    dx, dy = bx - ax, by - ay
    square = max(dx * dx + dy * dy, 1e-9)
    length = math.sqrt(square)
    # the part of a row within reach: of the line where it is steep, of the segment's box elsewhere
    slope = dx / dy if abs(dy) > 1e-6 else 0.0
    half = reach * length / abs(dy) if abs(dy) > 1e-6 else width + length
    left, right = min(ax, bx) - reach, max(ax, bx) + reach
    for y in range(max(int(min(ay, by) - reach), 0), min(int(max(ay, by) + reach) + 1, height)):
        py = y + 0.5 - ay
        middle = ax + slope * py
        low = max(left, middle - half) if half < width else left
        high = min(right, middle + half) if half < width else right
        for x in range(max(int(low - 0.5), 0), min(int(high + 0.5) + 1, width)):
            px = x + 0.5 - ax
            t = min(max((px * dx + py * dy) / square, 0.0), 1.0)
            distance = (px - t * dx) ** 2 + (py - t * dy) ** 2
            if distance < gap[y, x]:
                gap[y, x] = distance
