"""The ellipse that has the second moments of area of an outline, exactly (Green's theorem)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class InertiaEllipses:
    """Ellipses of N outlines; NaN for one without area.

    Parameters
    ----------
    ellipse_major_px, ellipse_minor_px
        ``(N,)`` full axes.
    ellipse_angle_rad
        ``(N,)`` direction of the major axis, from the x axis towards the y axis, which points
        down, in [0, pi).
    """

    ellipse_major_px: NDArray[np.float64]
    ellipse_minor_px: NDArray[np.float64]
    ellipse_angle_rad: NDArray[np.float64]


def inertia_ellipses(outlines: NDArray[Any]) -> InertiaEllipses:
    """Return the ellipses of inertia of outlines.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons in px, or None; holes do not count.
    """
    rings = shapely.get_exterior_ring(outlines)
    points, row = shapely.get_coordinates(rings, return_index=True)
    offsets = np.searchsorted(row, np.arange(len(outlines) + 1))
    result = np.full((len(outlines), 3), np.nan)
    _fill_ellipses(points, offsets, shapely.area(outlines), result)
    return InertiaEllipses(*np.ascontiguousarray(result.T))


@njit(cache=True, nogil=True)
def _fill_ellipses(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    areas: NDArray[np.float64],
    result: NDArray[np.float64],
) -> None:
    for n in range(len(result)):
        if areas[n] > 0.0:
            xx, yy, xy = _covariance(points[offsets[n] : offsets[n + 1]])
            middle, half = 0.5 * (xx + yy), math.hypot(0.5 * (xx - yy), xy)
            result[n, 0] = 4.0 * math.sqrt(middle + half)
            # of a very thin outline the difference may fall below 0 by rounding
            result[n, 1] = 4.0 * math.sqrt(max((xx * yy - xy * xy) / (middle + half), 0.0))
            angle = 0.5 * math.atan2(2.0 * xy, xx - yy) % math.pi
            result[n, 2] = angle if angle < math.pi else 0.0


@njit(cache=True, nogil=True)
def _covariance(ring: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the variances of x and y over the area within a closed ring, and the covariance."""
    area, x, y, xx, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(ring) - 1):
        # triangles with the first vertex keep far-away outlines precise
        ax, ay = ring[i, 0] - ring[0, 0], ring[i, 1] - ring[0, 1]
        bx, by = ring[i + 1, 0] - ring[0, 0], ring[i + 1, 1] - ring[0, 1]
        twice = ax * by - bx * ay
        area += twice / 2.0
        x += twice * (ax + bx) / 6.0
        y += twice * (ay + by) / 6.0
        xx += twice * (ax * ax + ax * bx + bx * bx) / 12.0
        yy += twice * (ay * ay + ay * by + by * by) / 12.0
        xy += twice * (2.0 * ax * ay + ax * by + bx * ay + 2.0 * bx * by) / 24.0
    x, y = x / area, y / area
    return xx / area - x * x, yy / area - y * y, xy / area - x * y
