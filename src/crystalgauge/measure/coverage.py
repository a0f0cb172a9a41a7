"""The part of a picture that crystals cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.measure.rings import packed_rings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

LINES_PER_PX = 4
"""Scan lines per pixel: the length on each is exact, so that only the course of the outlines
between lines is approximated; a disc of radius 3 px then errs by 0.2 %, a picture of many less."""

_BAND = 4096  # scan lines at a time, which bounds the memory


def coverage(crystals: Crystals, shape: tuple[int, int]) -> float:
    """Return the area of the union of the outlines within the picture over the picture's area.

    Parameters
    ----------
    crystals
        Outlines in px of the picture; they may overlap and leave it.
    shape
        Height and width of the picture in px.

    Returns
    -------
    coverage
        0 to 1.
    """
    height, width = shape
    points, offsets = packed_rings(crystals.outlines)
    bounds = crystals.bounds
    lines = height * LINES_PER_PX
    covered = 0.0
    for first in range(0, lines, _BAND):
        last = min(first + _BAND, lines)
        top, bottom = first / LINES_PER_PX, last / LINES_PER_PX
        near = np.flatnonzero((bounds[:, 1] < bottom) & (bounds[:, 3] > top))
        half = _count_crossings(points, offsets, near, first, last) // 2
        enter, leave = np.empty(half), np.empty(half)  # a closed ring enters as often as it leaves
        _fill_crossings(points, offsets, near, first, last, float(width), enter, leave)
        covered += _union_length(np.sort(enter), np.sort(leave))
    return covered / (lines * width)


@njit(cache=True, nogil=True)
def _crossed_lines(y0: float, y1: float, first: int, last: int) -> tuple[int, int]:
    """Return the range of scan lines, of those in question, that an edge crosses."""
    low, high = min(y0, y1), max(y0, y1)
    start = int(np.ceil(low * LINES_PER_PX - 0.5))
    stop = int(np.ceil(high * LINES_PER_PX - 0.5))
    return max(start, first), min(stop, last)


@njit(cache=True, nogil=True)
def _orientation(ring: NDArray[np.float64]) -> float:
    area = 0.0
    for i in range(1, len(ring)):
        area += (ring[i - 1, 0] - ring[0, 0]) * (ring[i, 1] - ring[0, 1])
        area -= (ring[i - 1, 1] - ring[0, 1]) * (ring[i, 0] - ring[0, 0])
    return area


@njit(cache=True, nogil=True)
def _union_length(enter: NDArray[np.float64], leave: NDArray[np.float64]) -> float:
    """Return the length of the union of intervals, given their sorted ends."""
    total, inside, e = 0.0, 0, 0
    start = 0.0
    for x in leave:
        while e < len(enter) and enter[e] <= x:
            if inside == 0:
                start = enter[e]
            inside += 1
            e += 1
        inside -= 1
        if inside == 0:
            total += x - start
    return total


@njit(cache=True, nogil=True)
def _count_crossings(
    points: NDArray[np.float64], offsets: NDArray[np.int64], near: NDArray[np.int64],
    first: int, last: int,
) -> int:  # fmt: skip
    total = 0
    for n in near:
        for i in range(offsets[n] + 1, offsets[n + 1]):
            start, stop = _crossed_lines(points[i - 1, 1], points[i, 1], first, last)
            total += max(stop - start, 0)
    return total


@njit(cache=True, nogil=True)
def _fill_crossings(
    points: NDArray[np.float64], offsets: NDArray[np.int64], near: NDArray[np.int64],
    first: int, last: int, width: float, enter: NDArray[np.float64], leave: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write where scan lines enter and leave outlines, the lines laid end to end."""
    entered, left = 0, 0
    for n in near:
        sign = _orientation(points[offsets[n] : offsets[n + 1]])
        for i in range(offsets[n] + 1, offsets[n + 1]):
            x0, y0, x1, y1 = points[i - 1, 0], points[i - 1, 1], points[i, 0], points[i, 1]
            start, stop = _crossed_lines(y0, y1, first, last)
            for line in range(start, stop):
                y = (line + 0.5) / LINES_PER_PX
                x = min(max(x0 + (y - y0) * (x1 - x0) / (y1 - y0), 0.0), width)
                # a gap of 1 px between lines keeps intervals of two lines apart
                key = (line - first) * (width + 1.0) + x
                # where the area is positive with y down, edges that run up the picture have the
                # interior to their right
                if (y1 < y0) == (sign > 0.0):
                    enter[entered] = key
                    entered += 1
                else:
                    leave[left] = key
                    left += 1
