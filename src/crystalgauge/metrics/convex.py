"""Convex hulls of outlines and the exact area two hulls share, compiled.

A hull is kept as a closed ring that starts at its leftmost vertex (the topmost of several) and
first follows the chain of smallest y to the rightmost one. The two chains of a hull are then
functions of x, and the area two hulls share is the integral of ``min(tops) - max(bottoms)`` where
positive: one sweep over the vertices of both, O(n + m), with no polygon to build and nothing that
can go wrong where edges coincide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numba import njit

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLAT = 1e-12
"""An edge that spans less in x (px) counts as vertical; it bounds no area."""


@dataclass(frozen=True, eq=False)
class PackedOutlines:
    """Convex hulls of N outlines, as arrays that compiled code can read.

    Parameters
    ----------
    hulls
        ``(N, K + 1, 2)`` closed rings in px; row i uses its first ``counts[i] + 1`` vertices.
    counts
        ``(N,)`` number of different vertices, 0 for an outline without area.
    areas
        ``(N,)`` areas of the hulls in px².
    """

    hulls: NDArray[np.float64]
    counts: NDArray[np.int64]
    areas: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.counts)


def pack_outlines(outlines: NDArray[Any]) -> PackedOutlines:
    """Take the convex hulls of outlines.

    Parameters
    ----------
    outlines
        ``(N,)`` array of shapely polygons, or ``(N, K, 2)`` vertices in px in any order.
    """
    outlines = np.asarray(outlines)
    if outlines.dtype == object:
        outlines = _padded_vertices(outlines)
    return PackedOutlines(*convex_hulls(outlines))


def convex_hulls(
    vertices: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the convex hull of every row of points (Andrew's monotone chain).

    Parameters
    ----------
    vertices
        ``(N, K, 2)`` points in px, in any order, repeats allowed.

    Returns
    -------
    hulls : ``(N, K + 1, 2)``
        Closed rings, each starting at its leftmost vertex; what follows the closing one is 0.
    counts : ``(N,)``
        Vertices of each hull, 0 where the points have no area or are not finite.
    areas : ``(N,)``
        Areas in px².

    Raises
    ------
    ArgumentError
        When the array is not ``(N, K, 2)``.
    """
    if vertices.ndim != 3 or vertices.shape[2] != 2:
        raise ArgumentError(f"vertices are an (N, K, 2) array of x and y, got {vertices.shape}")
    rows = np.ascontiguousarray(vertices, dtype=np.float64)
    hulls = np.zeros((rows.shape[0], rows.shape[1] + 1, 2))
    counts = np.zeros(len(rows), np.int64)
    areas = np.zeros(len(rows))
    _fill_hulls(rows, hulls, counts, areas)
    return hulls, counts, areas


def hull_bounds(hulls: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return ``(N, 4)`` bounds x0, y0, x1, y1 in px of hulls; inverted for an empty one."""
    used = np.arange(hulls.shape[1])[None, :] < counts[:, None]  # (N, K + 1)
    low = np.where(used[:, :, None], hulls, np.inf).min(axis=1, initial=np.inf)
    high = np.where(used[:, :, None], hulls, -np.inf).max(axis=1, initial=-np.inf)
    return np.concatenate([low, high], axis=1)


def hull_iou_matrix(a: PackedOutlines, b: PackedOutlines) -> NDArray[np.float64]:
    """Return the ``(N, M)`` intersection over union of every hull of `a` with every one of `b`."""
    result = np.zeros((len(a), len(b)))
    _fill_iou(
        a.hulls, a.counts, a.areas, hull_bounds(a.hulls, a.counts),
        b.hulls, b.counts, b.areas, hull_bounds(b.hulls, b.counts), result,
    )  # fmt: skip
    return result


def hull_shared_areas(
    a: PackedOutlines, b: PackedOutlines, row_a: NDArray[np.intp], row_b: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the ``(P,)`` areas in px² that pairs of hulls share.

    Parameters
    ----------
    a, b
        Hulls.
    row_a, row_b
        ``(P,)`` rows that make up the pairs.
    """
    result = np.zeros(len(row_a))
    _fill_shared(a.hulls, a.counts, row_a, b.hulls, b.counts, row_b, result)
    return result


def _padded_vertices(outlines: NDArray[Any]) -> NDArray[np.float64]:
    """Return ``(N, K, 2)`` vertices of the outlines' hulls, the last one repeated."""
    # the hull first: an outline traced from pixels has hundreds of vertices, its hull some dozens
    points, row = shapely.get_coordinates(shapely.convex_hull(outlines), return_index=True)
    counts = np.bincount(row, minlength=len(outlines))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.intp)[: len(outlines)]
    width = int(counts.max(initial=1))
    index = starts[:, None] + np.minimum(np.arange(width)[None], np.maximum(counts, 1)[:, None] - 1)
    if not len(points):
        return np.full((len(outlines), width, 2), np.nan)
    padded = points[np.minimum(index, len(points) - 1)]
    padded[counts == 0] = np.nan
    return padded


@njit(cache=True, nogil=True)
def _cross(ox: float, oy: float, ax: float, ay: float, bx: float, by: float) -> float:
    return (ax - ox) * (by - oy) - (ay - oy) * (bx - ox)


@njit(cache=True, nogil=True)
def _lexicographic_order(points: NDArray[np.float64]) -> NDArray[np.int64]:
    order = np.argsort(points[:, 0])
    for i in range(1, len(order)):  # equal x: by y
        row = order[i]
        j = i
        while (
            j > 0
            and points[order[j - 1], 0] == points[row, 0]
            and points[order[j - 1], 1] > points[row, 1]
        ):
            order[j] = order[j - 1]
            j -= 1
        order[j] = row
    return order


@njit(cache=True, nogil=True)
def _push(ring: NDArray[np.float64], size: int, floor: int, x: float, y: float) -> int:
    """Append a vertex, dropping those before it that would make the ring bend inwards."""
    while (
        size > floor
        and _cross(ring[size - 2, 0], ring[size - 2, 1], ring[size - 1, 0], ring[size - 1, 1], x, y)
        <= 0.0
    ):
        size -= 1
    ring[size, 0] = x
    ring[size, 1] = y
    return size + 1


@njit(cache=True, nogil=True)
def _monotone_chain(points: NDArray[np.float64], ring: NDArray[np.float64]) -> int:
    """Write the closed hull into `ring` and return its number of vertices."""
    order = _lexicographic_order(points)
    size = 0
    for i in range(len(order)):
        size = _push(ring, size, 1, points[order[i], 0], points[order[i], 1])
    floor = size
    for i in range(len(order) - 2, -1, -1):
        size = _push(ring, size, floor, points[order[i], 0], points[order[i], 1])
    return size - 1


@njit(cache=True, nogil=True)
def _ring_area(ring: NDArray[np.float64], count: int) -> float:
    total = 0.0
    for i in range(1, count - 1):
        total += _cross(
            ring[0, 0], ring[0, 1], ring[i, 0], ring[i, 1], ring[i + 1, 0], ring[i + 1, 1]
        )
    return 0.5 * total


@njit(cache=True, nogil=True)
def _fill_hulls(
    vertices: NDArray[np.float64],
    hulls: NDArray[np.float64],
    counts: NDArray[np.int64],
    areas: NDArray[np.float64],
) -> None:
    # the closing vertex may overwrite one slot more than there are points
    scratch = np.empty((vertices.shape[1] + 2, 2))
    for n in range(vertices.shape[0]):
        if vertices.shape[1] < 3 or not np.isfinite(vertices[n]).all():
            continue
        count = _monotone_chain(vertices[n], scratch)
        area = _ring_area(scratch, count) if count > 2 else 0.0
        if area > 0.0:
            counts[n] = count
            areas[n] = area
            hulls[n, : count + 1] = scratch[: count + 1]


@njit(cache=True, nogil=True)
def _height_integral(f0: float, f1: float, width: float) -> float:
    """Integrate the positive part of a height that runs linearly from f0 to f1."""
    if f0 >= 0.0 and f1 >= 0.0:
        return 0.5 * (f0 + f1) * width
    if f0 <= 0.0 and f1 <= 0.0:
        return 0.0
    high = max(f0, f1)
    return 0.5 * high * high / abs(f1 - f0) * width


@njit(cache=True, nogil=True)
def _crossing(d0: float, d1: float) -> float:
    """Return where in [0, 1] a line from d0 to d1 changes sign, 1 if it does not."""
    if (d0 > 0.0 and d1 < 0.0) or (d0 < 0.0 and d1 > 0.0):
        return d0 / (d0 - d1)
    return 1.0


@njit(cache=True, nogil=True)
def _slab_area(
    t0: float, t1: float, u0: float, u1: float,
    p0: float, p1: float, q0: float, q1: float, width: float,
) -> float:  # fmt: skip
    """Integrate ``max(0, min(t, u) - max(p, q))`` over a slab on which all four are linear."""
    first = _crossing(t0 - u0, t1 - u1)
    second = _crossing(p0 - q0, p1 - q1)
    if first > second:
        first, second = second, first
    total = 0.0
    left = 0.0
    height = min(t0, u0) - max(p0, q0)
    for right in (first, second, 1.0):
        if right > left:
            top = min(t0 + (t1 - t0) * right, u0 + (u1 - u0) * right)
            bottom = max(p0 + (p1 - p0) * right, q0 + (q1 - q0) * right)
            total += _height_integral(height, top - bottom, (right - left) * width)
            height = top - bottom
            left = right
    return total


@njit(cache=True, nogil=True)
def _slope(ring: NDArray[np.float64], start: int, stop: int) -> float:
    run = ring[stop, 0] - ring[start, 0]
    return (ring[stop, 1] - ring[start, 1]) / run if run > _FLAT else 0.0


@njit(cache=True, nogil=True)
def shared_area(
    a: NDArray[np.float64], count_a: int, b: NDArray[np.float64], count_b: int, end: float
) -> float:
    """Return the area in px² that two hulls share.

    Parameters
    ----------
    a, b
        Closed rings as `convex_hulls` returns them.
    count_a, count_b
        Their numbers of vertices, at least 3.
    end
        The smaller of the two largest x.
    """
    x = max(a[0, 0], b[0, 0])
    low_a, low_b, high_a, high_b = 0, 0, count_a, count_b
    down_a, down_b = _slope(a, 0, 1), _slope(b, 0, 1)
    up_a, up_b = _slope(a, count_a, count_a - 1), _slope(b, count_b, count_b - 1)
    total = 0.0
    while x < end:
        while a[low_a + 1, 0] <= x:
            low_a += 1
            down_a = _slope(a, low_a, low_a + 1)
        while a[high_a - 1, 0] <= x:
            high_a -= 1
            up_a = _slope(a, high_a, high_a - 1)
        while b[low_b + 1, 0] <= x:
            low_b += 1
            down_b = _slope(b, low_b, low_b + 1)
        while b[high_b - 1, 0] <= x:
            high_b -= 1
            up_b = _slope(b, high_b, high_b - 1)
        right = min(end, a[low_a + 1, 0], a[high_a - 1, 0], b[low_b + 1, 0], b[high_b - 1, 0])
        t0 = a[high_a, 1] + (x - a[high_a, 0]) * up_a
        u0 = b[high_b, 1] + (x - b[high_b, 0]) * up_b
        p0 = a[low_a, 1] + (x - a[low_a, 0]) * down_a
        q0 = b[low_b, 1] + (x - b[low_b, 0]) * down_b
        width = right - x
        total += _slab_area(
            t0, t0 + width * up_a, u0, u0 + width * up_b,
            p0, p0 + width * down_a, q0, q0 + width * down_b, width,
        )  # fmt: skip
        x = right
    return total


@njit(cache=True, nogil=True)
def pair_iou(
    a: NDArray[np.float64], count_a: int, area_a: float, box_a: NDArray[np.float64],
    b: NDArray[np.float64], count_b: int, area_b: float, box_b: NDArray[np.float64],
    least: float,
) -> float:  # fmt: skip
    """Return the IoU of two hulls, or 0 as soon as it is certain to stay below `least`."""
    width = min(box_a[2], box_b[2]) - max(box_a[0], box_b[0])
    height = min(box_a[3], box_b[3]) - max(box_a[1], box_b[1])
    if not (width > 0.0 and height > 0.0):
        return 0.0
    most = min(width * height, area_a, area_b)
    if most < least * (area_a + area_b - most):
        return 0.0
    shared = min(shared_area(a, count_a, b, count_b, min(box_a[2], box_b[2])), area_a, area_b)
    return shared / (area_a + area_b - shared)


@njit(cache=True, nogil=True)
def _fill_iou(
    a: NDArray[np.float64], counts_a: NDArray[np.int64], areas_a: NDArray[np.float64],
    boxes_a: NDArray[np.float64], b: NDArray[np.float64], counts_b: NDArray[np.int64],
    areas_b: NDArray[np.float64], boxes_b: NDArray[np.float64], result: NDArray[np.float64],
) -> None:  # fmt: skip
    for i in range(len(counts_a)):
        for j in range(len(counts_b)):
            result[i, j] = pair_iou(
                a[i], counts_a[i], areas_a[i], boxes_a[i],
                b[j], counts_b[j], areas_b[j], boxes_b[j], 0.0,
            )  # fmt: skip


@njit(cache=True, nogil=True)
def _fill_shared(
    a: NDArray[np.float64], counts_a: NDArray[np.int64], row_a: NDArray[np.intp],
    b: NDArray[np.float64], counts_b: NDArray[np.int64], row_b: NDArray[np.intp],
    result: NDArray[np.float64],
) -> None:  # fmt: skip
    for n in range(len(row_a)):
        i, j = row_a[n], row_b[n]
        if counts_a[i] > 2 and counts_b[j] > 2:
            end = min(a[i, : counts_a[i], 0].max(), b[j, : counts_b[j], 0].max())
            result[n] = shared_area(a[i], counts_a[i], b[j], counts_b[j], end)
