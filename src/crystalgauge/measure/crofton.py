"""Perimeter as the pixel lattice sees it, by Crofton's formula in four directions.

The length of a curve is half the integral of the number of its crossings with lines, over the
distance and the direction of the lines (Crofton, 1868). On the lattice the lines are those through
pixel centres along rows, columns and both diagonals, 1 or 1 / sqrt(2) px apart, and a crossing is a
change from inside to outside between neighbours (Serra, *Image Analysis and Mathematical
Morphology*, 1982; Ohser and Muecklich, *Statistical Analysis of Microstructures*, 2000).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numba import njit

from crystalgauge.measure.rings import packed_rings

if TYPE_CHECKING:
    from numpy.typing import NDArray


def crofton_perimeters(outlines: NDArray[Any]) -> NDArray[np.float64]:
    """Return the Crofton perimeter of outlines on the lattice of pixel centres.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons in px, or None; holes do not count.

    Returns
    -------
    perimeter_px
        ``(N,)``; 0 for one that holds no pixel centre, NaN for one without area.
    """
    points, offsets = packed_rings(outlines)
    perimeters = np.full(len(outlines), np.nan)
    _fill_perimeters(points, offsets, shapely.area(outlines), perimeters)
    return perimeters


@njit(cache=True, nogil=True)
def _fill_perimeters(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    areas: NDArray[np.float64],
    perimeters: NDArray[np.float64],
) -> None:
    for n in range(len(perimeters)):
        if areas[n] > 0.0:
            perimeters[n] = _perimeter(points[offsets[n] : offsets[n + 1]])


@njit(cache=True, nogil=True)
def _centres_from(position: float) -> int:
    """Return the first pixel whose centre is at or beyond a position."""
    return math.ceil(position - 0.5)


@njit(cache=True, nogil=True)
def _runs(ring: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where rows of pixel centres enter and leave a ring, row after row.

    The second array says where each row begins, with an empty row before and after all others.
    """
    first, last = _centres_from(ring[:, 1].min()), _centres_from(ring[:, 1].max())
    starts = np.zeros(last - first + 4, np.int64)  # of rows first - 1 ... last
    for i in range(len(ring) - 1):
        low, high = min(ring[i, 1], ring[i + 1, 1]), max(ring[i, 1], ring[i + 1, 1])
        for row in range(_centres_from(low), _centres_from(high)):
            starts[row - first + 2] += 1
    starts = np.cumsum(starts)
    filled = starts[:-1].copy()
    columns = np.empty(starts[-1], np.int64)
    for i in range(len(ring) - 1):
        x0, y0, x1, y1 = ring[i, 0], ring[i, 1], ring[i + 1, 0], ring[i + 1, 1]
        for row in range(_centres_from(min(y0, y1)), _centres_from(max(y0, y1))):
            x = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            columns[filled[row - first + 1]] = _centres_from(x)
            filled[row - first + 1] += 1
    for row in range(len(starts) - 1):
        _sort(columns, starts[row], starts[row + 1])
    return columns, starts


@njit(cache=True, nogil=True)
def _sort(values: NDArray[np.int64], start: int, stop: int) -> None:
    for i in range(start + 1, stop):
        value, k = values[i], i
        while k > start and values[k - 1] > value:
            values[k] = values[k - 1]
            k -= 1
        values[k] = value


@njit(cache=True, nogil=True)
def _distinct(columns: NDArray[np.int64], start: int, stop: int) -> int:
    """Count the ends of runs in a row; two at one place leave none."""
    number, i = 0, start
    while i < stop:
        if i + 1 < stop and columns[i] == columns[i + 1]:
            i += 2
        else:
            number += 1
            i += 1
    return number


@njit(cache=True, nogil=True)
def _changes(columns: NDArray[np.int64], a: int, b: int, c: int, shift: int) -> int:
    """Count the pixels in one of two rows, the second one shifted, but not in the other.

    The rows are ``columns[a:b]`` and ``columns[b:c]``, ends of runs in rising order.
    """
    i, k, total, sign = a, b, 0, -1
    while i < b or k < c:
        if k == c or (i < b and columns[i] <= columns[k] + shift):
            total += sign * columns[i]
            i += 1
        else:
            total += sign * (columns[k] + shift)
            k += 1
        sign = -sign
    return total


@njit(cache=True, nogil=True)
def _perimeter(ring: NDArray[np.float64]) -> float:
    columns, starts = _runs(ring)
    straight, diagonal = 0, 0
    for row in range(len(starts) - 2):
        a, b, c = starts[row], starts[row + 1], starts[row + 2]
        straight += _changes(columns, a, b, c, 0)
        diagonal += _changes(columns, a, b, c, 1) + _changes(columns, a, b, c, -1)
        straight += _distinct(columns, b, c)
    return math.pi / 8.0 * (straight + diagonal / math.sqrt(2.0))
