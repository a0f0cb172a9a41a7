"""Extents of outlines: Feret diameters and the box of least area, by rotating calipers.

Both live on the convex hull. Its least width and its rectangle of least area have a side along an
edge (Freeman and Shapira, 1975), and its diameter joins two vertices that parallel lines of
support touch (Shamos, 1978), so one turn around the hull finds all three, exactly and in O(n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TIE = 1e-9  # of areas that differ by rounding only


@dataclass(frozen=True, eq=False)
class Extents:
    """Extents of N outlines; NaN for one without area.

    Angles are from the x axis towards the y axis, which points down, and lie in [0, pi).

    Parameters
    ----------
    feret_max_px, feret_max_angle_rad
        ``(N,)`` largest distance of two points, and its direction.
    feret_min_px, feret_min_angle_rad
        ``(N,)`` least distance of two parallel lines of support, and the direction across them.
    box_length_px, box_width_px, box_angle_rad
        ``(N,)`` sides of the enclosing rectangle of least area, and the direction of the longer.
    """

    feret_max_px: NDArray[np.float64]
    feret_max_angle_rad: NDArray[np.float64]
    feret_min_px: NDArray[np.float64]
    feret_min_angle_rad: NDArray[np.float64]
    box_length_px: NDArray[np.float64]
    box_width_px: NDArray[np.float64]
    box_angle_rad: NDArray[np.float64]


def hull_extents(hulls: NDArray[Any]) -> Extents:
    """Measure the extents of convex polygons.

    Parameters
    ----------
    hulls
        ``(N,)`` convex shapely polygons in px, as `shapely.convex_hull` returns them.
    """
    points, row = shapely.get_coordinates(hulls, return_index=True)
    offsets = np.searchsorted(row, np.arange(len(hulls) + 1))
    result = np.full((len(hulls), 7), np.nan)
    _fill_extents(points, offsets, result)
    return Extents(*np.ascontiguousarray(result.T))


@njit(cache=True, nogil=True)
def _fill_extents(
    points: NDArray[np.float64], offsets: NDArray[np.int64], result: NDArray[np.float64]
) -> None:
    for n in range(len(result)):
        ring = points[offsets[n] : offsets[n + 1] - 1]  # without the closing vertex
        area = 0.0
        for i in range(2, len(ring)):
            area += _cross(ring[i - 1] - ring[0], ring[i] - ring[0])
        if area > 0.0:
            _turn(ring, result[n])
        elif area < 0.0:
            _turn(ring[::-1], result[n])


@njit(cache=True, nogil=True)
def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return a[0] * b[1] - a[1] * b[0]


@njit(cache=True, nogil=True)
def _half_turn(y: float, x: float) -> float:
    """Return the angle of an undirected line in [0, pi)."""
    angle = math.atan2(y, x) % math.pi
    return angle if angle < math.pi else 0.0


@njit(cache=True, nogil=True)
def _rise(ring: NDArray[np.float64], k: int, ux: float, uy: float) -> float:
    """Return how far vertex k + 1 lies beyond vertex k in a direction."""
    size = len(ring)
    a, b = k % size, (k + 1) % size
    return (ring[b, 0] - ring[a, 0]) * ux + (ring[b, 1] - ring[a, 1]) * uy


@njit(cache=True, nogil=True)
def _along(ring: NDArray[np.float64], k: int, i: int, ux: float, uy: float) -> float:
    """Return how far vertex k lies beyond vertex i in a direction."""
    size = len(ring)
    a, b = i % size, k % size
    return (ring[b, 0] - ring[a, 0]) * ux + (ring[b, 1] - ring[a, 1]) * uy


@njit(cache=True, nogil=True)
def _longest(
    ring: NDArray[np.float64], i: int, k: int, best: float, by: float, bx: float
) -> tuple[float, float, float]:
    """Return the longer of the best pair so far and vertices i and k, with its direction."""
    size = len(ring)
    dx = ring[k % size, 0] - ring[i % size, 0]
    dy = ring[k % size, 1] - ring[i % size, 1]
    length = math.hypot(dx, dy)
    return (length, dy, dx) if length > best else (best, by, bx)


@njit(cache=True, nogil=True)
def _turn(ring: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Turn calipers once around a ring whose interior lies to the left (x right, y up)."""
    size = len(ring)
    right, far, left = 1, 1, 1
    longest, long_y, long_x = 0.0, 0.0, 0.0
    least_width, least_area = np.inf, np.inf
    for i in range(size):
        dx = ring[(i + 1) % size, 0] - ring[i, 0]
        dy = ring[(i + 1) % size, 1] - ring[i, 1]
        edge = math.hypot(dx, dy)
        if edge == 0.0:
            continue
        ux, uy = dx / edge, dy / edge
        right = max(right, i + 1)
        while right < i + size and _rise(ring, right, ux, uy) > 0.0:
            right += 1
        far = max(far, right)
        longest, long_y, long_x = _longest(ring, i, far, longest, long_y, long_x)
        while far < i + size and _rise(ring, far, -uy, ux) > 0.0:
            far += 1
            longest, long_y, long_x = _longest(ring, i, far, longest, long_y, long_x)
        longest, long_y, long_x = _longest(ring, i + 1, far, longest, long_y, long_x)
        left = max(left, far)
        while left < i + size and _rise(ring, left, -ux, -uy) > 0.0:
            left += 1
        width = _along(ring, far, i, -uy, ux)
        length = _along(ring, right, left, ux, uy)
        if width < least_width:
            least_width = width
            out[2], out[3] = width, _half_turn(ux, -uy)
        area, narrow = width * length, min(length, width)
        # of rectangles of one area, as around any triangle, the narrowest
        tied = area <= least_area * (1.0 + _TIE)
        if area < least_area * (1.0 - _TIE) or (tied and narrow < out[5]):
            least_area = min(area, least_area)
            out[4], out[5] = max(length, width), narrow
            out[6] = _half_turn(uy, ux) if length >= width else _half_turn(ux, -uy)
    out[0], out[1] = longest, _half_turn(long_y, long_x)
