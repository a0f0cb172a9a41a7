"""Tracks of still crystals over a series of pictures.

From picture to picture crystals are paired so that the sum of the intersections over union of
their outlines is largest (linear assignment: Kuhn, Naval Research Logistics Quarterly 2, 1955; in
the form of Jaqaman et al., Nature Methods 5, 2008, with the overlap in place of the distance). A
crystal that is missed in some pictures is taken up again by the outline it had last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from crystalgauge.core import ArgumentError, Crystals
from crystalgauge.measure.picture_shift import shift_of_crystals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

LEAST_IOU = 0.3
"""A crystal that grows by 1.8 in diameter between two pictures still overlaps itself that much."""


@dataclass(frozen=True, eq=False)
class Tracks:
    """Which outlines are the same crystal, M observations in T tracks.

    Parameters
    ----------
    frames
        F tables of crystals, one per picture.
    time_h
        ``(F,)`` rising times of the pictures.
    track, frame, row
        ``(M,)`` number of the track, of the picture, and of the crystal in its table; by track,
        then by time. Every crystal is in one track, if only by itself.
    shifts_px
        ``(F, 2)`` how far the scene lies from where it lay in the first picture, x and y.
    """

    frames: tuple[Crystals, ...]
    time_h: NDArray[np.float64]
    track: NDArray[np.int64]
    frame: NDArray[np.int64]
    row: NDArray[np.int64]
    shifts_px: NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.track[-1]) + 1 if len(self.track) else 0

    @property
    def outlines(self) -> NDArray[Any]:
        """``(M,)`` outlines of the observations, in px of their pictures."""
        parts = [np.empty(0, dtype=object), *(frame.outlines for frame in self.frames)]
        starts = np.cumsum([0, *(len(frame) for frame in self.frames)])
        return np.concatenate(parts)[starts[self.frame] + self.row]

    @property
    def first_h(self) -> NDArray[np.float64]:
        """``(T,)`` time at which each track is first seen."""
        return self.time_h[self.frame[np.searchsorted(self.track, np.arange(len(self)))]]

    @property
    def last_h(self) -> NDArray[np.float64]:
        """``(T,)`` time at which each track is last seen."""
        last = np.searchsorted(self.track, np.arange(len(self)), side="right") - 1
        return self.time_h[self.frame[last]]


def track(
    frames: Sequence[Crystals],
    time_h: ArrayLike,
    *,
    least_iou: float = LEAST_IOU,
    gap: int = 2,
    shift: Literal["none", "crystals"] | NDArray[np.float64] = "none",
) -> Tracks:
    """Follow crystals that stay where they are.

    Parameters
    ----------
    frames
        Crystals of each picture.
    time_h
        ``(F,)`` rising times of the pictures.
    least_iou
        Intersection over union from which two outlines may be the same crystal, above 0, up to 1.
    gap
        In how many pictures in a row a crystal may be missed; 0 or more.
    shift
        How the camera or the stage moved: not at all; as most crystals say, picture to picture
        (`crystalgauge.measure.picture_shift.shift_of_crystals`); or ``(F, 2)`` shifts in px from
        the first picture, as `crystalgauge.measure.picture_shift.shift_of_pictures` gives.

    Raises
    ------
    ArgumentError
        When times or shifts do not fit the pictures, or a number is out of range.
    """
    time = np.asarray(time_h, dtype=np.float64)
    if time.shape != (len(frames),) or not (np.diff(time) > 0).all():
        raise ArgumentError(f"{len(frames)} pictures need as many times, and they must rise")
    if not 0 < least_iou <= 1 or gap < 0:
        raise ArgumentError(
            f"the least overlap must lie in (0, 1] and the gap be 0 or more, got {least_iou:g} and "
            f"{gap}"
        )
    shifts = _shifts(frames, shift)
    placed = [
        _valid(frame.transformed(offset=(-x, -y)).outlines)
        for frame, (x, y) in zip(frames, shifts.tolist(), strict=True)
    ]
    last: list[Any] = []  # outline of each track when it was last seen
    seen: list[int] = []
    numbers = []
    for number, outlines in enumerate(placed):
        open_tracks = [t for t, frame in enumerate(seen) if number - frame <= gap + 1]
        before = np.array([*(last[t] for t in open_tracks), None], dtype=object)[:-1]
        partner = assign(before, outlines, least_iou)
        of = np.empty(len(outlines), np.int64)
        for row, outline in enumerate(outlines):
            if partner[row] >= 0:
                of[row] = open_tracks[partner[row]]
                last[of[row]], seen[of[row]] = outline, number
            else:
                of[row] = len(last)
                last.append(outline)
                seen.append(number)
        numbers.append(of)
    counts = [len(of) for of in numbers]
    tracks = np.concatenate([np.empty(0, np.int64), *numbers])
    pictures = np.repeat(np.arange(len(frames)), counts)
    rows = np.concatenate([np.empty(0, np.int64), *(np.arange(n) for n in counts)])
    order = np.lexsort((pictures, tracks))
    return Tracks(tuple(frames), time, tracks[order], pictures[order], rows[order], shifts)


def assign(
    before: NDArray[Any], after: NDArray[Any], least_iou: float = LEAST_IOU
) -> NDArray[np.int64]:
    """Pair outlines one to one so that their overlaps sum up to the most.

    Parameters
    ----------
    before, after
        ``(N,)`` and ``(M,)`` valid outlines in one frame of coordinates.
    least_iou
        Least intersection over union of a pair.

    Returns
    -------
    partner
        ``(M,)`` row of `before` for each one of `after`, -1 for none.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    partner = np.full(len(after), -1)
    a, b = shapely.STRtree(after).query(before) if len(after) and len(before) else ([], [])
    shared = shapely.area(shapely.intersection(before[a], after[b]))
    iou = shared / np.maximum(shapely.area(before)[a] + shapely.area(after)[b] - shared, 1e-12)
    enough = iou >= least_iou
    a, b, iou = np.asarray(a)[enough], np.asarray(b)[enough], iou[enough]
    if not len(iou):
        return partner
    # groups that share no pair are assigned apart: the matrices stay small
    size = len(before) + len(after)
    graph = coo_array((iou, (a, len(before) + b)), shape=(size, size))
    group = connected_components(graph, directed=False)[1][a]
    for members in np.split(np.argsort(group, kind="stable"), _starts(np.sort(group))):
        rows, i = np.unique(a[members], return_inverse=True)
        columns, j = np.unique(b[members], return_inverse=True)
        gain = np.zeros((len(rows), len(columns)))
        gain[i, j] = iou[members]
        for r, c in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
            if gain[r, c] > 0:
                partner[columns[c]] = rows[r]
    return partner


def _starts(ordered: NDArray[Any]) -> NDArray[np.intp]:
    return np.flatnonzero(np.diff(ordered)) + 1


def _valid(outlines: NDArray[Any]) -> NDArray[Any]:
    """Return outlines that do not cross themselves."""
    crossed = ~shapely.is_valid(outlines)
    if not crossed.any():
        return outlines
    return np.asarray(np.where(crossed, shapely.make_valid(outlines), outlines))


def _shifts(
    frames: Sequence[Crystals], shift: Literal["none", "crystals"] | NDArray[np.float64]
) -> NDArray[np.float64]:
    if isinstance(shift, str):
        if shift not in {"none", "crystals"}:
            raise ArgumentError(f"shift must be 'none', 'crystals' or an array, got {shift!r}")
        steps = np.zeros((len(frames), 2))
        if shift == "crystals":
            for i in range(1, len(frames)):
                steps[i] = shift_of_crystals(frames[i - 1], frames[i])
        return np.cumsum(steps, axis=0)
    given = np.asarray(shift, dtype=np.float64)
    if given.shape != (len(frames), 2) or not np.isfinite(given).all():
        raise ArgumentError(
            f"shifts must be {len(frames)} finite pairs of x and y, got {given.shape}"
        )
    return given
