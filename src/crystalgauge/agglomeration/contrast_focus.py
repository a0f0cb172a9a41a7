"""Contrast focus: how far a crystal's focus is from that of its neighbours.

*Instance Camera Focus Prediction for Crystal Agglomeration Classification*, section II-C. Two
measures, both 0 to 1; crystals with neighbours and a contrast below 0.5 are agglomerated, those
without neighbours are not. The paper does not say who is a neighbour: here outlines whose gap is
at most `REACH_SIZE` of the smaller one's size (root of the area) plus what the outlines are known
to, `reach_px`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from crystalgauge.agglomeration.contact import REACH_SIZE, valid_outlines
from crystalgauge.core import ArgumentError
from crystalgauge.metrics import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

REACH_PX = 2.0
"""Least gap that outlines of masks are known to, px."""

THRESHOLD = 0.5
"""Contrast from which crystals lie on different layers (section IV-A)."""

SAME_LEVEL = 0.5
"""Levels from this are in focus, lower ones are not."""

LEAST_OVERLAP = 0.5
"""Intersection over union from which two outlines are one crystal."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Which of N crystals lie beside each other: P pairs, each once.

    Parameters
    ----------
    row_a, row_b
        ``(P,)`` rows, ``row_a < row_b``.
    count
        ``(N,)`` neighbours of each crystal.
    """

    row_a: NDArray[np.int64]
    row_b: NDArray[np.int64]
    count: NDArray[np.int64]


def neighbours(crystals: Crystals, *, reach_px: float = REACH_PX) -> Neighbours:
    """Find the neighbours of every crystal.

    Parameters
    ----------
    crystals
        Outlines, px.
    reach_px
        What the outlines are known to; of a network with masks, a cell of them.

    Raises
    ------
    ArgumentError
        When the reach is below 0 or not finite.
    """
    if not (np.isfinite(reach_px) and reach_px >= 0):
        raise ArgumentError(f"the reach of neighbours is at least 0 px, got {reach_px}")
    total = len(crystals)
    if not total:
        nothing = np.zeros(0, np.int64)
        return Neighbours(nothing, nothing, nothing)
    shapes = valid_outlines(crystals.outlines)
    reach = REACH_SIZE * np.sqrt(shapely.area(shapes))
    one, other = shapely.STRtree(shapes).query(
        shapes, predicate="dwithin", distance=reach + reach_px
    )
    both = one != other
    low, high = np.minimum(one, other)[both], np.maximum(one, other)[both]
    pairs = np.unique(low * total + high)
    a, b = pairs // total, pairs % total
    near = shapely.distance(shapes[a], shapes[b]) <= reach_px + np.minimum(reach[a], reach[b])
    a, b = a[near], b[near]
    count = np.bincount(np.concatenate([a, b]), minlength=total)
    return Neighbours(a.astype(np.int64), b.astype(np.int64), count.astype(np.int64))


def contrast_1(level: NDArray[np.floating], near: Neighbours) -> NDArray[np.float64]:
    """Return ``(N,)`` the difference of a level and the mean level of the neighbours.

    NaN without neighbours.

    Parameters
    ----------
    level
        ``(N,)`` focus of each crystal, of networks 0 (out of focus) to 1 (in focus).
    near
        Neighbours.
    """
    total = _sums(near, np.asarray(level, np.float64))
    with np.errstate(invalid="ignore"):
        return np.abs(level - total / np.where(near.count > 0, near.count, np.nan))


def contrast_2(level: NDArray[np.floating], near: Neighbours) -> NDArray[np.float64]:
    """Return ``(N,)`` 0 where any neighbour has the same focus, in or out, and 1 where none has.

    NaN without neighbours.

    Parameters
    ----------
    level, near
        As for `contrast_1`.
    """
    sharp = np.asarray(level) >= SAME_LEVEL
    sharp_near = _sums(near, sharp.astype(np.float64))
    alike = np.where(sharp, sharp_near, near.count - sharp_near)
    return np.where(near.count > 0, (alike == 0).astype(np.float64), np.nan)


def _sums(near: Neighbours, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(N,)`` the sum of the neighbours' values."""
    rows = np.concatenate([near.row_a, near.row_b])
    others = np.concatenate([near.row_b, near.row_a])
    return np.bincount(rows, value[others], minlength=len(value)).astype(np.float64)


def agglomerated_by_contrast(contrast: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return ``(N,)`` whether crystals are agglomerated; those without neighbours are not.

    Parameters
    ----------
    contrast
        ``(N,)`` from `contrast_1` or `contrast_2`.
    """
    return np.asarray(np.nan_to_num(contrast, nan=np.inf) < THRESHOLD)


def carried_over(onto: Crystals, source: Crystals) -> NDArray[np.int64]:
    """Return ``(N,)`` for each outline the row of the other table's that is the same crystal.

    How the focus of one network reaches the masks of another one; -1 where nothing overlaps by
    `LEAST_OVERLAP`.

    Parameters
    ----------
    onto, source
        Outlines of one picture.
    """
    both = overlaps(onto, source)
    row = np.full(len(onto), -1, np.int64)
    order = np.argsort(both.iou, kind="stable")
    order = order[both.iou[order] >= LEAST_OVERLAP]
    row[both.row_a[order]] = both.row_b[order]  # the largest overlap comes last and stays
    return row
