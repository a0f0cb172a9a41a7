"""Plane geometry of outlines, for numba kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def row_span(corners: NDArray[np.float64], y: float) -> tuple[float, float]:
    """Return where a horizontal line enters and leaves a convex polygon; (1, 0) if it misses.

    Parameters
    ----------
    corners
        ``(N, 2)`` in order.
    y
        Height of the line.
    """
    low, high = np.inf, -np.inf
    for i in range(len(corners)):
        j = (i + 1) % len(corners)
        ya, yb = corners[i, 1], corners[j, 1]
        if (ya <= y) != (yb <= y):
            x = corners[i, 0] + (y - ya) / (yb - ya) * (corners[j, 0] - corners[i, 0])
            low, high = min(low, x), max(high, x)
    if low > high:
        return 1.0, 0.0
    return low, high
