"""Scatter bodies over the frame: none touches the border, and none hides much of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.scenes.outlines import convex_hull

if TYPE_CHECKING:
    from numpy.typing import NDArray

BORDER_PX = 1.0
"""Least distance of an outline from the border of the picture."""

GAP_PX = 1.0
"""Least distance along the optical axis of bodies that overlap in the picture."""


@njit(cache=True, nogil=True)
def scatter(
    bodies: NDArray[np.float32],
    corner_count: NDArray[np.int32],
    order: NDArray[np.int64],
    candidates: NDArray[np.float64],
    depths: NDArray[np.float64],
    frame: tuple[float, float],
    largest_overlap: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Place bodies one after the other; draws nothing.

    Parameters
    ----------
    bodies
        ``(N, V, 3)`` corners about each body's centre, in px.
    corner_count
        ``(N,)`` valid corners.
    order
        ``(N,)`` indices of the bodies, the first to be placed first. Large ones find their
        places while there is room; small ones fit between them.
    candidates
        ``(N, C, 2)`` places to try, in [0, 1): fractions of the width and height over which the
        body can be moved inside the frame.
    depths
        ``(N, D)`` depths to try, in px.
    frame
        Height and width of the picture in px.
    largest_overlap
        Largest area that the outlines of two bodies may share, in units of the smaller one's.

    Returns
    -------
    tuple
        ``(N, 3)`` centres and ``(N,)`` whether the body found a place.

    Notes
    -----
    Bodies that overlap in the picture lie behind each other. A body that meets one of them at
    every depth tried is lifted above them all.
    """
    count, width = len(bodies), bodies.shape[1] + 2
    position = np.zeros((count, 3))
    placed = np.zeros(count, np.bool_)
    hulls = np.empty((count, width, 2))
    sizes = np.zeros(count, np.int64)
    areas = np.zeros(count)
    spans = np.empty((count, 2, 3))  # lowest and highest corner
    below = np.empty(count, np.int64)
    for i in order:
        body = bodies[i, : corner_count[i]].astype(np.float64)
        sizes[i] = convex_hull(body[:, :2], hulls[i])
        areas[i] = signed_area(hulls[i, : sizes[i]])
        for axis in range(3):
            spans[i, 0, axis], spans[i, 1, axis] = body[:, axis].min(), body[:, axis].max()
        room_x = frame[1] - 2 * BORDER_PX - (spans[i, 1, 0] - spans[i, 0, 0])
        room_y = frame[0] - 2 * BORDER_PX - (spans[i, 1, 1] - spans[i, 0, 1])
        if room_x < 0 or room_y < 0:
            continue
        for trial in range(candidates.shape[1]):
            x = BORDER_PX - spans[i, 0, 0] + room_x * candidates[i, trial, 0]
            y = BORDER_PX - spans[i, 0, 1] + room_y * candidates[i, trial, 1]
            met = _neighbours(
                i, x, y, hulls, sizes, areas, spans, position, placed, largest_overlap, below
            )
            if met >= 0:
                position[i, 0], position[i, 1] = x, y
                position[i, 2] = _free_depth(spans, position, i, below[:met], depths[i])
                placed[i] = True
                break
    return position, placed


@njit(cache=True, nogil=True)
def _neighbours(  # type: ignore[no-untyped-def]
    i, x, y, hulls, sizes, areas, spans, position, placed, largest_overlap, met
):
    """List the placed bodies whose windows meet body ``i`` at x, y; -1 where one is hidden."""
    count = 0
    for j in range(len(placed)):
        if not placed[j]:
            continue
        dx, dy = x - position[j, 0], y - position[j, 1]
        if (
            spans[i, 0, 0] + dx >= spans[j, 1, 0]
            or spans[i, 1, 0] + dx <= spans[j, 0, 0]
            or spans[i, 0, 1] + dy >= spans[j, 1, 1]
            or spans[i, 1, 1] + dy <= spans[j, 0, 1]
        ):
            continue
        shared = shared_area(hulls[i, : sizes[i]], hulls[j, : sizes[j]], dx, dy)
        if shared > largest_overlap * min(areas[i], areas[j]):
            return -1
        if shared > 0:
            met[count] = j
            count += 1
    return count


@njit(cache=True, nogil=True)
def _free_depth(spans, position, i, met, depths):  # type: ignore[no-untyped-def]
    """Return the first depth at which body ``i`` is in front of or behind all it overlaps."""
    top = -np.inf
    for j in met:
        top = max(top, spans[j, 1, 2] + position[j, 2])
    for depth in depths:
        free = True
        for j in met:
            free = free and (
                spans[i, 0, 2] + depth >= spans[j, 1, 2] + position[j, 2] + GAP_PX
                or spans[i, 1, 2] + depth <= spans[j, 0, 2] + position[j, 2] - GAP_PX
            )
        if free:
            return depth
    return top + GAP_PX - spans[i, 0, 2]


@njit(cache=True, nogil=True)
def signed_area(corners: NDArray[np.float64]) -> float:
    """Return the area of a polygon, positive when x turns to y along its corners (shoelace).

    Parameters
    ----------
    corners
        ``(N, 2)`` in order.
    """
    twice = 0.0
    for i in range(len(corners)):
        j = i - 1
        twice += corners[j, 0] * corners[i, 1] - corners[i, 0] * corners[j, 1]
    return twice / 2


@njit(cache=True, nogil=True)
def shared_area(
    a: NDArray[np.float64], b: NDArray[np.float64], shift_x: float, shift_y: float
) -> float:
    """Return the area that two convex polygons share (Sutherland and Hodgman 1974).

    Parameters
    ----------
    a, b
        ``(N, 2)`` and ``(M, 2)`` corners in the order in which x turns to y.
    shift_x, shift_y
        Added to every corner of ``a``.
    """
    kept = np.empty((len(a) + len(b), 2))
    cut = np.empty((len(a) + len(b), 2))
    size = len(a)
    for k in range(size):
        kept[k, 0], kept[k, 1] = a[k, 0] + shift_x, a[k, 1] + shift_y
    for edge in range(len(b)):
        ux, uy = b[edge, 0] - b[edge - 1, 0], b[edge, 1] - b[edge - 1, 1]
        left = 0
        before = size - 1
        for k in range(size):
            here = ux * (kept[k, 1] - b[edge, 1]) - uy * (kept[k, 0] - b[edge, 0])
            there = ux * (kept[before, 1] - b[edge, 1]) - uy * (kept[before, 0] - b[edge, 0])
            if (here > 0) != (there > 0):
                t = there / (there - here)
                cut[left] = kept[before] + t * (kept[k] - kept[before])
                left += 1
            if here > 0:
                cut[left] = kept[k]
                left += 1
            before = k
        kept, cut, size = cut, kept, left
        if size < 3:
            return 0.0
    return signed_area(kept[:size])
