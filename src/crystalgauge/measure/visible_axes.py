"""The visible part of the long sides of crystals, and which ends the border of the frame hides."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.measure.frame_correction import BORDER_PX
from crystalgauge.measure.outline import hull_extents
from crystalgauge.measure.rings import packed_rings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class VisibleAxes:
    """Axes of crystals as far as frames show them, all lengths in one unit.

    Parameters
    ----------
    length
        ``(n,)`` visible length, at least `least`.
    angle_rad
        ``(n,)`` direction.
    hidden_ends
        ``(n,)`` 0 for an axis seen whole, 1 or 2 when the border cuts it once or twice.
    frame_width, frame_height
        ``(n,)`` of the frame each one is in.
    frames_area
        Area of all frames, those without crystals included.
    least
        Axes that show less are not in the sample, 0 or more.

    Raises
    ------
    ArgumentError
        When numbers differ, or a length is not positive or below the least one.
    """

    length: NDArray[np.float64]
    angle_rad: NDArray[np.float64]
    hidden_ends: NDArray[np.int64]
    frame_width: NDArray[np.float64]
    frame_height: NDArray[np.float64]
    frames_area: float
    least: float = 0.0

    def __post_init__(self) -> None:
        columns = {name: getattr(self, name) for name in _COLUMNS}
        if len({len(column) for column in columns.values()}) > 1:
            counts = ", ".join(f"{len(column)} {name}" for name, column in columns.items())
            raise ArgumentError(f"every axis has all of its values, got {counts}")
        known = np.isfinite(self.length) & (self.length > 0) & (self.length >= self.least)
        if not known.all() or not self.least >= 0:
            raise ArgumentError(f"visible lengths are finite, above 0 and at least {self.least:g}")

    def __len__(self) -> int:
        return len(self.length)

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the names of what each axis has."""
        return _COLUMNS

    @classmethod
    def joined(cls, parts: Sequence[VisibleAxes]) -> VisibleAxes:
        """Return the axes of several frames as one sample.

        Raises
        ------
        ArgumentError
            When there are none, or their least lengths differ.
        """
        least = {part.least for part in parts}
        if len(least) != 1:
            raise ArgumentError(f"samples of one least length can be joined, got {sorted(least)}")
        columns = {n: np.concatenate([getattr(part, n) for part in parts]) for n in _COLUMNS}
        area = sum(part.frames_area for part in parts)
        return cls(**columns, frames_area=area, least=least.pop())

    def scaled(self, factor: float) -> VisibleAxes:
        """Return the same in another unit, such as µm when given the pixel size."""
        return VisibleAxes(
            self.length * factor,
            self.angle_rad,
            self.hidden_ends,
            self.frame_width * factor,
            self.frame_height * factor,
            self.frames_area * factor**2,
            self.least * factor,
        )


_ROUNDING = 1e-6  # of coordinates, in px
_COLUMNS = tuple(f.name for f in fields(VisibleAxes) if f.name not in {"frames_area", "least"})


def visible_axes(outlines: NDArray[Any], shape: tuple[int, int], *, least_px: float) -> VisibleAxes:
    """Return one long side of each crystal, as far as a frame shows it.

    The side is that of the enclosing rectangle of least area, to the left of its direction. Cut
    crystals keep it: where the border crosses a long crystal, the rectangle of what is seen has the
    crystal's direction and sides. Where the border runs along a crystal, one side is real and the
    other is the border; a crystal whose left side is not seen is left out. (The middle line would
    not do, for nothing tells whether that of a crystal cut lengthwise is inside.)

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons in px, cut by the border or going on beyond it.
    shape
        Height and width of the picture in px. Its outermost pixels are border.
    least_px
        What shows less of its side is left out. Of a crystal that shows little more than its width
        the direction cannot be told: four times the width is a good choice.

    Raises
    ------
    ArgumentError
        When the picture is all border.
    """
    height, width = shape
    if height <= 2 * BORDER_PX or width <= 2 * BORDER_PX:
        raise ArgumentError(f"a frame of {width} x {height} px has nothing but a border")
    low = np.array([BORDER_PX, BORDER_PX])
    high = np.array([width - BORDER_PX, height - BORDER_PX])
    cut = shapely.clip_by_rect(outlines, *low, *high)
    rows = np.flatnonzero(shapely.area(cut) > 0)
    extents = hull_extents(shapely.convex_hull(cut[rows]))
    angle = extents.box_angle_rad
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    left = np.stack([along[:, 1], -along[:, 0]], axis=1)  # y points down
    middle = _left_middles(cut[rows], along, left)
    # the rectangle goes on beyond the frame where the border crosses the crystal at a slant
    start, stop = _inside(middle, along, 0.5 * extents.box_length_px, low, high)
    start, stop = start + _ROUNDING, stop - _ROUNDING
    ends = [middle + at[:, None] * along for at in (start, stop)]
    hidden = np.sum([_at_border(end, low, high) for end in ends], axis=0)
    real = _real_length(cut[rows], left, low, high)
    seen = (stop - start >= max(least_px, 2 * _ROUNDING)) & (real > 0.5 * (stop - start))
    number = int(seen.sum())
    return VisibleAxes(
        (stop - start)[seen],
        angle[seen],
        hidden[seen],
        np.full(number, high[0] - low[0]),
        np.full(number, high[1] - low[1]),
        float(np.prod(high - low)),
        least_px,
    )


def _left_middles(
    outlines: NDArray[Any], along: NDArray[np.float64], left: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the middles of the left sides of rectangles around outlines."""
    points, row = shapely.get_coordinates(outlines, return_index=True)
    if not len(outlines):
        return np.empty((0, 2))
    starts = np.searchsorted(row, np.arange(len(outlines)))
    at = (points * along[row]).sum(axis=1)
    centre = 0.5 * (np.minimum.reduceat(at, starts) + np.maximum.reduceat(at, starts))
    side = np.maximum.reduceat((points * left[row]).sum(axis=1), starts)
    return centre[:, None] * along + side[:, None] * left


def _at_border(
    points: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.bool_]:
    near = (points < low + 2 * _ROUNDING) | (points > high - 2 * _ROUNDING)
    return np.asarray(near.any(axis=1))


def _real_length(
    outlines: NDArray[Any],
    left: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the length of outlines that faces left and is not the border."""
    rings = shapely.get_exterior_ring(outlines)
    turn = np.where(shapely.is_ccw(rings), 1.0, -1.0)
    points, offsets = packed_rings(outlines)
    row = np.repeat(np.arange(len(outlines)), np.diff(offsets))
    start, stop = points[:-1], points[1:]
    edge, owner = stop - start, row[:-1]
    border = np.zeros(len(edge), bool)
    for limit, sign in ((low, 1.0), (high, -1.0)):
        near = (sign * (start - limit) < _ROUNDING) & (sign * (stop - limit) < _ROUNDING)
        border |= near.any(axis=1)
    length = np.hypot(*edge.T)
    # counter-clockwise in x and y: the outside is to the right of an edge
    facing = turn[owner] * (edge[:, 1] * left[owner, 0] - edge[:, 0] * left[owner, 1])
    real = (facing > length * math.sqrt(0.5)) & ~border & (row[1:] == owner)
    total = np.bincount(owner, np.where(real, length, 0.0), minlength=len(outlines))
    return total.astype(np.float64)


def _inside(
    middle: NDArray[np.float64],
    along: NDArray[np.float64],
    half: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where segments enter and leave a frame (Liang and Barsky, 1984)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        to_low, to_high = (low - middle) / along, (high - middle) / along
    flat = along == 0.0
    outside = flat & ((middle < low) | (middle > high))
    first = np.where(flat, -np.inf, np.minimum(to_low, to_high))
    last = np.where(flat, np.inf, np.maximum(to_low, to_high))
    last[outside] = -np.inf
    return np.maximum(first.max(axis=1), -half), np.minimum(last.min(axis=1), half)
