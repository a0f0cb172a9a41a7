"""Greedy suppression of candidate outlines by the overlap of their hulls, compiled.

Two convex shapes of intersection over union at least t differ in extent, along any direction, by
a factor of at most 2 / t: the part they share holds t of the area of either, and a convex shape
of extent w has at most 2 s / w of its area in a slab of thickness s. Kept rows are therefore
filed by size (powers of two of the longer side of their bounds) and by the grid cell of their
centre, and a candidate looks only into the cells near it, of the sizes that can matter. The work
grows with the number of candidates, not with its square.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.core import ArgumentError
from crystalgauge.metrics.convex import hull_bounds, pair_iou

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_THRESHOLD = 0.05
"""Below it two outlines that suppress each other may differ too much in size for the grid."""


def suppress(
    hulls: NDArray[np.float64],
    counts: NDArray[np.int64],
    areas: NDArray[np.float64],
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Keep, in the order given, every outline that no kept one overlaps too much.

    Parameters
    ----------
    hulls, counts, areas
        Convex hulls of N candidates, best first, as `convex_hulls` returns them.
    threshold
        Least intersection over union of the hulls at which a kept row suppresses, in [0.05, 1].

    Returns
    -------
    owner : ``(N,)``
        Row i is kept when ``owner[i] == i``. Otherwise it is the kept row that overlaps it most,
        the earlier of two that overlap it equally. A candidate without area is kept by nobody
        and keeps nothing: its owner is -1.
    iou_with_owner : ``(N,)``
        1 for a kept row, 0 for one without area.

    Raises
    ------
    ArgumentError
        When the threshold is not in [0.05, 1].
    """
    if not LEAST_THRESHOLD <= threshold <= 1.0:
        raise ArgumentError(
            f"a suppression threshold lies in [{LEAST_THRESHOLD}, 1], got {threshold}"
        )
    owner = np.full(len(counts), -1, np.int64)
    iou = np.zeros(len(counts))
    reach = math.ceil(math.log2(2.0 / threshold))
    boxes = hull_bounds(hulls, counts)
    _suppress(hulls, counts, areas, boxes, threshold, reach, owner, iou)
    return owner, iou


@njit(cache=True, nogil=True)
def _level(box: NDArray[np.float64]) -> int:
    """Return the power of two that the longer side of a box does not reach."""
    return math.floor(math.log2(max(box[2] - box[0], box[3] - box[1]))) + 1


@njit(cache=True, nogil=True)
def _bucket(level: int, column: int, row: int, mask: int) -> int:
    """Return the bucket of a cell; cells that share one only cost a look at each other."""
    key = (column * 73856093) ^ (row * 19349663) ^ (level * 83492791)
    key ^= key >> 17
    return key & mask


@njit(cache=True, nogil=True)
def _best_in_cell(
    i: int, best: float, owner: int, first: int, following: NDArray[np.int64],
    hulls: NDArray[np.float64], counts: NDArray[np.int64], areas: NDArray[np.float64],
    boxes: NDArray[np.float64],
) -> tuple[float, int]:  # fmt: skip
    """Return the largest IoU of row i with the kept rows of a bucket, and with which."""
    k = first
    while k >= 0:
        iou = pair_iou(
            hulls[i], counts[i], areas[i], boxes[i], hulls[k], counts[k], areas[k], boxes[k], best
        )
        if iou > best or (iou == best and (owner < 0 or k < owner)):
            best, owner = iou, k
        k = following[k]
    return best, owner


@njit(cache=True, nogil=True)
def _suppress(
    hulls: NDArray[np.float64], counts: NDArray[np.int64], areas: NDArray[np.float64],
    boxes: NDArray[np.float64], threshold: float, reach: int,
    owner: NDArray[np.int64], iou: NDArray[np.float64],
) -> None:  # fmt: skip
    size = 16
    while size < 2 * len(counts):
        size *= 2
    heads = np.full(size, -1, np.int64)
    following = np.full(len(counts), -1, np.int64)
    filed = np.zeros(4096, np.int64)  # kept rows per level; float64 has fewer powers of two
    for i in range(len(counts)):
        if counts[i] < 3:
            continue
        level = _level(boxes[i])
        x = 0.5 * (boxes[i, 0] + boxes[i, 2])
        y = 0.5 * (boxes[i, 1] + boxes[i, 3])
        half = 0.5 * max(boxes[i, 2] - boxes[i, 0], boxes[i, 3] - boxes[i, 1])
        best, keeper = threshold, -1
        for other in range(level - reach, level + reach + 1):
            if filed[other + 2048] == 0:
                continue
            cell = 2.0**other
            radius = half + 0.5 * cell
            for row in range(math.floor((y - radius) / cell), math.floor((y + radius) / cell) + 1):
                for column in range(
                    math.floor((x - radius) / cell), math.floor((x + radius) / cell) + 1
                ):
                    first = heads[_bucket(other, column, row, size - 1)]
                    if first >= 0:
                        best, keeper = _best_in_cell(
                            i, best, keeper, first, following, hulls, counts, areas, boxes
                        )
        if keeper >= 0:
            owner[i], iou[i] = keeper, best
            continue
        owner[i], iou[i] = i, 1.0
        cell = 2.0**level
        bucket = _bucket(level, math.floor(x / cell), math.floor(y / cell), size - 1)
        following[i] = heads[bucket]
        heads[bucket] = i
        filed[level + 2048] += 1
