"""Chord lengths of outlines: what a focused-beam reflectance probe would see of the crystals.

The beam runs along straight lines of all directions and places. A line that meets an outline cuts
chords from it, one from a convex outline. Of such lines the mean chord is ``pi A / P``, for any
outline, and of convex ones the mean cube ``3 A**2 / P`` over the mean (Crofton, 1868; Santalo,
*Integral Geometry and Geometric Probability*, 2nd ed., 2004, I.3.4 and I.4.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numba import njit

from crystalgauge.core import ArgumentError
from crystalgauge.measure.rings import packed_rings
from crystalgauge.measure.weighted_sizes import WeightedSizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_DIRECTIONS = 24
N_LINES = 32
"""Directions, and lines in each that meet an outline: 768 lines a crystal."""


@dataclass(frozen=True, eq=False)
class Chords:
    """Chords that parallel lines cut from outlines.

    Parameters
    ----------
    start, stop
        ``(m,)`` where each begins and ends, along the lines' direction from the origin.
    line
        ``(m,)`` number of the line.
    outline
        ``(m,)`` number of the outline.
    """

    start: NDArray[np.float64]
    stop: NDArray[np.float64]
    line: NDArray[np.int64]
    outline: NDArray[np.int64]


def chord_lengths(
    outlines: NDArray[Any], *, n_directions: int = N_DIRECTIONS, n_lines: int = N_LINES
) -> WeightedSizes:
    """Return the chords that lines of all directions and places cut from outlines.

    Large crystals are met more often and have the larger weight, as for a probe: weights are
    proportional to the number of chords and sum to the perimeters over pi.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons, all in one unit of length; those without area have no chords.
    n_directions
        Directions, evenly spread, 1 or more.
    n_lines
        Lines in each direction, evenly spread over each outline, 1 or more.

    Returns
    -------
    chords
        Lengths with their weights, in the unit of the outlines.

    Raises
    ------
    ArgumentError
        When there are no lines.
    """
    if n_directions < 1 or n_lines < 1:
        raise ArgumentError(f"chords take lines; got {n_lines} in {n_directions} directions")
    solid = outlines[shapely.area(outlines) > 0]
    lengths, weights = [np.empty(0)], [np.empty(0)]
    for k in range(n_directions):
        angle = math.pi * (k + 0.5) / n_directions
        low, high = _across(solid, angle)
        step = (high - low) / n_lines
        found = parallel_chords(solid, angle, low + step / 2, step, n_lines)
        lengths.append(found.stop - found.start)
        weights.append(step[found.outline] / n_directions)
    length, weight = np.concatenate(lengths), np.concatenate(weights)
    return WeightedSizes(length[length > 0], weight[length > 0])


def _across(
    outlines: NDArray[Any], angle: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each outline reaches across a direction."""
    points, offsets = packed_rings(outlines)
    position = points[:, 1] * math.cos(angle) - points[:, 0] * math.sin(angle)
    if not len(outlines):
        return np.empty(0), np.empty(0)
    starts = offsets[:-1]
    return np.minimum.reduceat(position, starts), np.maximum.reduceat(position, starts)


def parallel_chords(
    outlines: NDArray[Any],
    angle_rad: float,
    first: NDArray[np.float64],
    step: NDArray[np.float64],
    n_lines: int,
) -> Chords:
    """Cut outlines by parallel lines.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons; holes do not count.
    angle_rad
        Direction of the lines, from the x axis towards the y axis.
    first, step
        ``(N,)`` where the first line of each outline lies, across that direction from the origin,
        and how far apart the lines are.
    n_lines
        Lines of each outline.
    """
    points, offsets = packed_rings(outlines)
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    turned = points @ np.array([[c, -s], [s, c]])
    ends, line, outline = _cut(turned, offsets, first, step, n_lines)
    return Chords(ends[0::2].copy(), ends[1::2].copy(), line[0::2].copy(), outline[0::2].copy())


@njit(cache=True, nogil=True)
def _lines_met(y0: float, y1: float, first: float, step: float, n_lines: int) -> tuple[int, int]:
    """Return the range of lines that an edge crosses, its lower end counted."""
    low, high = min(y0, y1), max(y0, y1)
    start = min(max(math.ceil((low - first) / step), 0), n_lines)
    stop = min(max(math.ceil((high - first) / step), 0), n_lines)
    return int(start), int(stop)


@njit(cache=True, nogil=True)
def _cut(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    first: NDArray[np.float64],
    step: NDArray[np.float64],
    n_lines: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return where horizontal lines cross outlines, along each line in rising order."""
    total = 0
    for n in range(len(first)):
        for i in range(offsets[n], offsets[n + 1] - 1):
            start, stop = _lines_met(points[i, 1], points[i + 1, 1], first[n], step[n], n_lines)
            total += stop - start
    ends = np.empty(total)
    line, outline = np.empty(total, np.int64), np.empty(total, np.int64)
    filled = 0
    for n in range(len(first)):
        begin = np.zeros(n_lines + 1, np.int64)
        for i in range(offsets[n], offsets[n + 1] - 1):
            start, stop = _lines_met(points[i, 1], points[i + 1, 1], first[n], step[n], n_lines)
            for k in range(start, stop):
                begin[k + 1] += 1
        begin = filled + np.cumsum(begin)
        at = begin.copy()
        for i in range(offsets[n], offsets[n + 1] - 1):
            x0, y0, x1, y1 = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
            start, stop = _lines_met(y0, y1, first[n], step[n], n_lines)
            for k in range(start, stop):
                end = x0 + (first[n] + k * step[n] - y0) * (x1 - x0) / (y1 - y0)
                place = at[k]
                while place > begin[k] and ends[place - 1] > end:
                    ends[place] = ends[place - 1]
                    place -= 1
                ends[place] = end
                line[at[k]], outline[at[k]] = k, n
                at[k] += 1
        filled = begin[n_lines]
    return ends, line, outline
