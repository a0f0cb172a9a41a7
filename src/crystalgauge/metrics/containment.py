"""Which outlines lie within a better one, compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.core import ArgumentError
from crystalgauge.metrics.convex import hull_bounds, pair_iou

if TYPE_CHECKING:
    from numpy.typing import NDArray


def within_better(
    hulls: NDArray[np.float64],
    counts: NDArray[np.int64],
    areas: NDArray[np.float64],
    *,
    share: float,
    least_ratio: float,
) -> NDArray[np.bool_]:
    """Find outlines that lie, but for a rest, within one that comes before them.

    Parameters
    ----------
    hulls, counts, areas
        Convex hulls of N candidates, best first, as `convex_hulls` returns them.
    share
        Least share of its own area that must lie within the better one, in (0, 1].
    least_ratio
        Least area over that of the better one; what is smaller is left alone.

    Returns
    -------
    ndarray
        ``(N,)``.

    Raises
    ------
    ArgumentError
        When the share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ArgumentError(f"a share of an area lies in (0, 1], got {share}")
    boxes = hull_bounds(hulls, counts)
    valid = np.flatnonzero(counts >= 3)
    centre = 0.5 * (boxes[:, :2] + boxes[:, 2:])
    order = valid[np.argsort(centre[valid, 0], kind="stable")]
    inside = np.zeros(len(counts), np.bool_)
    _mark(hulls, counts, areas, boxes, centre, order, share, least_ratio, inside)
    return inside


@njit(cache=True, nogil=True)
def _mark(
    hulls: NDArray[np.float64], counts: NDArray[np.int64], areas: NDArray[np.float64],
    boxes: NDArray[np.float64], centre: NDArray[np.float64], order: NDArray[np.intp],
    share: float, least_ratio: float, inside: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Mark row j when a row i < j covers the share of it; centres are ordered by x."""
    along = centre[order, 0]
    for i in range(len(counts)):
        if counts[i] < 3:
            continue
        # what lies mostly within a convex shape has the centre of its bounds within the shape's
        first = np.searchsorted(along, boxes[i, 0])
        last = np.searchsorted(along, boxes[i, 2], side="right")
        for k in range(first, last):
            j = order[k]
            y = centre[j, 1]
            if j <= i or inside[j] or y < boxes[i, 1] or y > boxes[i, 3]:
                continue
            if areas[j] < least_ratio * areas[i] or share * areas[j] > areas[i]:
                continue
            iou = pair_iou(
                hulls[i],
                counts[i],
                areas[i],
                boxes[i],
                hulls[j],
                counts[j],
                areas[j],
                boxes[j],
                0.0,
            )
            if iou * (areas[i] + areas[j]) / (1 + iou) >= share * areas[j]:
                inside[j] = True
