"""The largest circle within an outline, by branch and bound.

Squares that cover the outline are quartered, and dropped once no point in them can have more room
than the best centre found. Room grows by at most the way one moves, a bound that leaves all squares
along the middle of a needle undecided until they are tiny. So there is a second one: the room is at
most the mean of the distances to two edges, and between parallel edges that mean does not change.
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

TOLERANCE = 1e-3
"""Part of the radius by which the circle found may fall short of the largest one."""

_LEVELS = 40  # a square quartered so often is 1e-12 of the outline


def inscribed_radii(outlines: NDArray[Any]) -> NDArray[np.float64]:
    """Return the radius of the largest circle within each outline.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons in px, or None; holes do not count.

    Returns
    -------
    radius_px
        ``(N,)``, at most `TOLERANCE` of itself below the largest; NaN for an outline without area.
    """
    points, offsets = packed_rings(outlines)
    radii = np.full(len(outlines), np.nan)
    _fill_radii(points, offsets, shapely.area(outlines), radii)
    return radii


@njit(cache=True, nogil=True)
def _fill_radii(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    areas: NDArray[np.float64],
    radii: NDArray[np.float64],
) -> None:
    for n in range(len(radii)):
        if areas[n] > 0.0:
            radii[n] = _largest_radius(points[offsets[n] : offsets[n + 1]])


@njit(cache=True, nogil=True)
def _edges(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(M, 5)`` start, direction and length of the edges of a closed ring."""
    edges = np.empty((len(ring) - 1, 5))
    number = 0
    for i in range(len(ring) - 1):
        dx, dy = ring[i + 1, 0] - ring[i, 0], ring[i + 1, 1] - ring[i, 1]
        length = math.hypot(dx, dy)
        if length > 0.0:
            edges[number] = ring[i, 0], ring[i, 1], dx / length, dy / length, length
            number += 1
    return edges[:number]


@njit(cache=True, nogil=True)
def _is_inside(ring: NDArray[np.float64], x: float, y: float) -> bool:
    inside = False
    for i in range(len(ring) - 1):
        x0, y0, x1, y1 = ring[i, 0], ring[i, 1], ring[i + 1, 0], ring[i + 1, 1]
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


@njit(cache=True, nogil=True)
def _room(
    edges: NDArray[np.float64],
    near: NDArray[np.int64],
    distances: NDArray[np.float64],
    x: float,
    y: float,
) -> float:
    """Return the distance to the nearest of some edges, and write those to all of them."""
    least = np.inf
    for k in range(len(near)):
        e = near[k]
        dx, dy = x - edges[e, 0], y - edges[e, 1]
        along = dx * edges[e, 2] + dy * edges[e, 3]
        across = dx * edges[e, 3] - dy * edges[e, 2]
        beyond = along - min(max(along, 0.0), edges[e, 4])
        distances[k] = math.sqrt(across * across + beyond * beyond)
        least = min(least, distances[k])
    return least


@njit(cache=True, nogil=True)
def _faced(edges: NDArray[np.float64], e: int, x: float, y: float, reach: float) -> float:
    """Return the signed distance to an edge's line; 0 unless it holds for a whole disc."""
    dx, dy = x - edges[e, 0], y - edges[e, 1]
    along = dx * edges[e, 2] + dy * edges[e, 3]
    across = dx * edges[e, 3] - dy * edges[e, 2]
    if along < reach or along > edges[e, 4] - reach or abs(across) < reach:
        return 0.0
    return across


@njit(cache=True, nogil=True)
def _between(
    edges: NDArray[np.float64], near: NDArray[np.int64], x: float, y: float, reach: float
) -> float:
    """Bound the room in a disc by the means of the distances to two edges that it faces."""
    first, one = -1, np.inf
    for k in near:
        across = _faced(edges, k, x, y, reach)
        if 0.0 < abs(across) < abs(one):
            first, one = k, across
    least = np.inf
    for k in near:
        two = _faced(edges, k, x, y, reach)
        if k == first or two == 0.0:
            continue
        turn = 1.0 if (one > 0.0) == (two > 0.0) else -1.0
        dx = edges[first, 2] + turn * edges[k, 2]
        dy = edges[first, 3] + turn * edges[k, 3]
        slope = math.sqrt(dx * dx + dy * dy)
        least = min(least, 0.5 * (abs(one) + abs(two) + reach * slope))
    return least


@njit(cache=True, nogil=True)
def _chord(edges: NDArray[np.float64], i: int, x: float, y: float, dx: float, dy: float) -> float:
    """Return how far the next edge but edge i is along a ray; infinite where there is none."""
    least = np.inf
    for k in range(len(edges)):
        slope = dx * edges[k, 3] - dy * edges[k, 2]
        if k == i or slope == 0.0:
            continue
        ax, ay = edges[k, 0] - x, edges[k, 1] - y
        ahead = (ax * edges[k, 3] - ay * edges[k, 2]) / slope
        if 0.0 < ahead < least:
            along = (ahead * dx - ax) * edges[k, 2] + (ahead * dy - ay) * edges[k, 3]
            if 0.0 <= along <= edges[k, 4]:
                least = ahead
    return least


@njit(cache=True, nogil=True)
def _first_guess(
    edges: NDArray[np.float64], ring: NDArray[np.float64], distances: NDArray[np.float64]
) -> float:
    """Return the most room at the middle of a chord that starts across the middle of an edge."""
    best, area = 0.0, 0.0
    for i in range(len(ring) - 1):
        area += (ring[i, 0] - ring[0, 0]) * (ring[i + 1, 1] - ring[0, 1])
        area -= (ring[i + 1, 0] - ring[0, 0]) * (ring[i, 1] - ring[0, 1])
    side = math.copysign(1.0, area)
    every = np.arange(len(edges))
    for i in range(len(edges)):
        x = edges[i, 0] + edges[i, 2] * edges[i, 4] / 2
        y = edges[i, 1] + edges[i, 3] * edges[i, 4] / 2
        dx, dy = -side * edges[i, 3], side * edges[i, 2]
        half = _chord(edges, i, x, y, dx, dy) / 2
        if best < half < np.inf:
            best = max(best, _room(edges, every, distances, x + half * dx, y + half * dy))
    return best


@njit(cache=True, nogil=True)
def _largest_radius(ring: NDArray[np.float64]) -> float:
    edges = _edges(ring)
    distances = np.empty(len(edges))
    best = _first_guess(edges, ring, distances)
    low_x, low_y = ring[:, 0].min(), ring[:, 1].min()
    width, height = ring[:, 0].max() - low_x, ring[:, 1].max() - low_y
    side = min(width, height)
    columns, rows = math.ceil(width / side), math.ceil(height / side)
    near = np.empty((_LEVELS + 1, len(edges)), np.int64)  # of each square on the way down
    count = np.empty(_LEVELS + 1, np.int64)
    near[0], count[0] = np.arange(len(edges)), len(edges)
    # middle and half side of squares, their level, and the room at the middle of the one above
    waiting = np.empty((columns * rows + 4 * _LEVELS, 5))
    number = 0
    for i in range(columns):
        for j in range(rows):
            x, y = low_x + (i + 0.5) * side, low_y + (j + 0.5) * side
            waiting[number] = x, y, side / 2, 1.0, 0.0
            number += 1
    while number:
        number -= 1
        x, y, half = waiting[number, 0], waiting[number, 1], waiting[number, 2]
        level = int(waiting[number, 3])
        reach = half * math.sqrt(2.0)
        above = near[level - 1, : count[level - 1]]
        room = _room(edges, above, distances, x, y)
        if room + reach <= best * (1.0 + TOLERANCE):
            continue
        inside = waiting[number, 4] > reach or _is_inside(ring, x, y)
        if inside:
            best = max(best, room)
        elif room >= reach:
            continue
        found = 0
        for k in range(len(above)):
            if distances[k] <= room + 2.0 * reach:
                near[level, found] = above[k]
                found += 1
        count[level] = found
        enough = best * (1.0 + TOLERANCE)
        if level == _LEVELS or _between(edges, near[level, :found], x, y, reach) <= enough:
            continue
        room = room if inside else 0.0
        for quarter in range(4):
            dx, dy = half * (quarter % 2 - 0.5), half * (quarter // 2 - 0.5)
            waiting[number] = x + dx, y + dy, half / 2, level + 1.0, room
            number += 1
    return best
