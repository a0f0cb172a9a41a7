"""The visible part of the long axes of crystals, and which ends the border of the frame hides."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.measure.frame_correction import BORDER_PX
from crystalgauge.measure.outline import hull_extents

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
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS]
        return cls(*columns, sum(part.frames_area for part in parts), least.pop())

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


_COLUMNS = tuple(f.name for f in fields(VisibleAxes) if f.name not in {"frames_area", "least"})


def visible_axes(outlines: NDArray[Any], shape: tuple[int, int], *, least_px: float) -> VisibleAxes:
    """Return the part of each crystal's long axis that a frame shows.

    The axis is the middle line of the enclosing rectangle of least area. Of a long crystal cut by
    the border that rectangle still has the crystal's direction and width, so that its middle line,
    cut by the frame, is the visible part of the crystal's. Crystals whose axis lies outside are
    left out, by the model of `crystalgauge.measure.censored`.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons in px, cut by the border or going on beyond it.
    shape
        Height and width of the picture in px. Its outermost pixels are border.
    least_px
        What shows less of its axis is left out. Of a crystal that shows little more than its width
        the direction cannot be told: twice the width of the crystals is a good choice.

    Raises
    ------
    ArgumentError
        When the picture is all border.
    """
    height, width = shape
    if height <= 2 * BORDER_PX or width <= 2 * BORDER_PX:
        raise ArgumentError(f"a frame of {width} x {height} px has nothing but a border")
    solid = outlines[shapely.area(outlines) > 0]
    low = np.array([BORDER_PX, BORDER_PX])
    high = np.array([width - BORDER_PX, height - BORDER_PX])
    middle, half, angle = _middle_lines(solid)
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    start, stop = _inside(middle, along, half, low, high)
    seen = (stop > start) & (stop - start >= least_px)
    hidden = (start > -half).astype(np.int64) + (stop < half)
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


def _middle_lines(
    outlines: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return middle, half length and direction of the rectangles of least area."""
    if not len(outlines):
        return np.empty((0, 2)), np.empty(0), np.empty(0)
    hulls = shapely.convex_hull(outlines)
    extents = hull_extents(hulls)
    points, row = shapely.get_coordinates(hulls, return_index=True)
    starts = np.searchsorted(row, np.arange(len(hulls)))
    middle = np.zeros((len(hulls), 2))
    for turn in (0.0, math.pi / 2):
        angle = extents.box_angle_rad + turn
        direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        at = (points * direction[row]).sum(axis=1)
        centre = 0.5 * (np.minimum.reduceat(at, starts) + np.maximum.reduceat(at, starts))
        middle += centre[:, None] * direction
    return middle, 0.5 * extents.box_length_px, extents.box_angle_rad


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
