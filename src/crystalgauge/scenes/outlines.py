"""Outlines of bodies in the image plane: convex hulls and the smallest rectangles around them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def convex_hull(points: NDArray[np.float64], hull: NDArray[np.float64]) -> int:
    """Write the convex hull of points in the plane; Andrew's monotone chain.

    Parameters
    ----------
    points
        ``(N, 2)`` x and y.
    hull
        ``(>= N + 1, 2)``, overwritten with the corners in order around the hull.

    Returns
    -------
    int
        Number of corners; collinear points are left out.
    """
    count = len(points)
    order = np.arange(count)
    for i in range(1, count):  # insertion sort by x, then y: exact, where a combined key rounds
        moved = order[i]
        j = i - 1
        while j >= 0 and (
            points[order[j], 0] > points[moved, 0]
            or (points[order[j], 0] == points[moved, 0] and points[order[j], 1] > points[moved, 1])
        ):
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = moved
    size, floor = 0, 2
    for step in range(2 * count - 1):
        i = order[step] if step < count else order[2 * count - 2 - step]
        if step == count:
            floor = size + 1
        while size >= floor and (
            (hull[size - 1, 0] - hull[size - 2, 0]) * (points[i, 1] - hull[size - 2, 1])
            - (hull[size - 1, 1] - hull[size - 2, 1]) * (points[i, 0] - hull[size - 2, 0])
            <= 0
        ):
            size -= 1
        hull[size, 0] = points[i, 0]
        hull[size, 1] = points[i, 1]
        size += 1
    return size - 1


@njit(cache=True, nogil=True, inline="always")
def _extents(hull: NDArray[np.float64], ux: float, uy: float) -> tuple[float, float, float, float]:
    """Return the lowest and highest coordinate along a unit vector and across it."""
    low_u, high_u, low_v, high_v = np.inf, -np.inf, np.inf, -np.inf
    for k in range(len(hull)):
        u = hull[k, 0] * ux + hull[k, 1] * uy
        v = hull[k, 1] * ux - hull[k, 0] * uy
        low_u, high_u = min(low_u, u), max(high_u, u)
        low_v, high_v = min(low_v, v), max(high_v, v)
    return low_u, high_u, low_v, high_v


@njit(cache=True, nogil=True)
def smallest_box(hull: NDArray[np.float64], box: NDArray[np.float64]) -> None:
    """Write the rectangle of least area around a convex polygon; one side lies on an edge.

    Parameters
    ----------
    hull
        ``(N, 2)`` corners in order.
    box
        ``(5,)``, overwritten with centre x, centre y, length, width and the angle in
        [-pi/2, pi/2) from the x axis to the longer side.
    """
    best = np.inf
    for i in range(len(hull)):
        j = (i + 1) % len(hull)
        ux, uy = hull[j, 0] - hull[i, 0], hull[j, 1] - hull[i, 1]
        length = math.hypot(ux, uy)
        if length < 1e-9:
            continue
        ux, uy = ux / length, uy / length
        low_u, high_u, low_v, high_v = _extents(hull, ux, uy)
        area = (high_u - low_u) * (high_v - low_v)
        if area < best:
            best = area
            u, v = (low_u + high_u) / 2, (low_v + high_v) / 2
            box[0], box[1] = u * ux - v * uy, u * uy + v * ux
            along, across = high_u - low_u, high_v - low_v
            angle = math.atan2(uy, ux)
            if across > along:
                along, across, angle = across, along, angle + math.pi / 2
            box[2], box[3] = along, across
            box[4] = (angle + math.pi / 2) % math.pi - math.pi / 2


@njit(cache=True, nogil=True)
def rival_area(hull: NDArray[np.float64], angle: float, apart_rad: float) -> float:
    """Return the least area of the rectangles that lie on an edge and are turned otherwise.

    Parameters
    ----------
    hull
        ``(N, 2)`` corners in order.
    angle
        Direction of a side of the rectangle that the others are compared with, in rad.
    apart_rad
        Rectangles turned by less than this count as the same; a quarter turn changes nothing.

    Returns
    -------
    float
        Area, infinite without another rectangle. Where it hardly exceeds that of the smallest
        rectangle, rounding decides which of the two is found.
    """
    least = np.inf
    for i in range(len(hull)):
        j = (i + 1) % len(hull)
        ux, uy = hull[j, 0] - hull[i, 0], hull[j, 1] - hull[i, 1]
        length = math.hypot(ux, uy)
        if length < 1e-9:
            continue
        turn = (math.atan2(uy, ux) - angle + math.pi / 4) % (math.pi / 2) - math.pi / 4
        if abs(turn) > apart_rad:
            low_u, high_u, low_v, high_v = _extents(hull, ux / length, uy / length)
            least = min(least, (high_u - low_u) * (high_v - low_v))
    return least


@njit(cache=True, nogil=True)
def outlines_of(
    vertices: NDArray[np.float32], vertex_count: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Project bodies along z and return their hulls and smallest boxes.

    Parameters
    ----------
    vertices
        ``(N, V, 3)`` corners in px.
    vertex_count
        ``(N,)`` valid corners of each.

    Returns
    -------
    tuple
        Corners of all hulls ``(P, 2)`` one after the other, their ``(N + 1,)`` offsets, and
        ``(N, 5)`` boxes as in `smallest_box`.
    """
    count = len(vertices)
    corners = np.empty((vertices.shape[1] * count, 2))
    offsets = np.zeros(count + 1, np.int64)
    boxes = np.zeros((count, 5))
    hull = np.empty((vertices.shape[1] + 2, 2))
    for i in range(count):
        points = vertices[i, : vertex_count[i], :2].astype(np.float64)
        size = convex_hull(points, hull)
        smallest_box(hull[:size], boxes[i])
        start = offsets[i]
        offsets[i + 1] = start + size
        corners[start : start + size] = hull[:size]
    return corners[: offsets[count]], offsets, boxes
