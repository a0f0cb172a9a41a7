"""Growth of tracked crystals: of their diameter, and of each side along the axes of their box.

The axes of a crystal are those of its box when it was largest, and stay fixed. The four sides are
the farthest points of the outline along them, in both directions; the speed of a side is the growth
rate of the facet that bounds it. A crystal that turns has no such sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.measure.few_units import LEVEL, interval, student_quotient
from crystalgauge.measure.outline import hull_extents
from crystalgauge.measure.shape import touches_border

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.measure.tracks import Tracks

SIDES = ("length_plus", "length_minus", "width_plus", "width_minus")
"""Along the box angle and against it, along the box angle + pi / 2 and against it."""

QUANTITIES = ("diameter", *SIDES)
FEWEST_FOR_INTERVAL = 5
"""Fewer pairs of observations cannot reach 95 % in Kendall's test, on which the interval rests."""


@dataclass(frozen=True, eq=False)
class TrackGrowth:
    """Growth of T tracks, with 95 % intervals; NaN where a track has too few observations.

    Parameters
    ----------
    n_observations
        ``(T,)`` observations that the rates rest on.
    angle_rad
        ``(T,)`` direction of the length axis, from x towards y.
    time_h
        ``(T,)`` mean time of those observations.
    diameter_px
        ``(T,)`` median equivalent diameter.
    rate_px_per_h, low_px_per_h, high_px_per_h
        ``(T, 5)`` in the order of `QUANTITIES`: the diameter, then the four sides, each outwards.
    """

    n_observations: NDArray[np.int64]
    angle_rad: NDArray[np.float64]
    time_h: NDArray[np.float64]
    diameter_px: NDArray[np.float64]
    rate_px_per_h: NDArray[np.float64]
    low_px_per_h: NDArray[np.float64]
    high_px_per_h: NDArray[np.float64]


@dataclass(frozen=True)
class GrowthSummary:
    """Growth over tracks, of one quantity.

    Parameters
    ----------
    quantity
        One of `QUANTITIES`.
    n_tracks
        Tracks with a rate.
    median_px_per_h, low_px_per_h, high_px_per_h
        Median of the rates of tracks and its 95 % interval (bootstrap over tracks); no interval
        from fewer than three.
    deviation_px_per_h
        Spread between tracks, 1.4826 times the median absolute deviation: growth rate dispersion
        and error of each track's rate together.
    """

    quantity: str
    n_tracks: int
    median_px_per_h: float
    low_px_per_h: float
    high_px_per_h: float
    deviation_px_per_h: float


def track_growth(
    tracks: Tracks, *, shape: tuple[int, int] | None = None, fewest: int = 3
) -> TrackGrowth:
    """Return growth rates of tracked crystals.

    A rate is the median of the slopes between all pairs of observations, its interval Sen's
    (Journal of the American Statistical Association 63, 1968): a few wrong outlines do not move it.
    It takes growth to be even over the track and errors to be independent from picture to picture.

    Parameters
    ----------
    tracks
        Of `crystalgauge.measure.tracks.track`.
    shape
        Height and width of the pictures in px: outlines that touch the border are left out, as
        the size of such a crystal is not known. All count when None.
    fewest
        Observations from which on a track gets rates, 2 or more.

    Raises
    ------
    ArgumentError
        When `fewest` is below 2.
    """
    if fewest < 2:
        raise ArgumentError(f"a rate needs 2 observations or more, got fewest = {fewest}")
    outlines = tracks.outlines
    whole = shapely.area(outlines) > 0
    if shape is not None:
        whole &= ~touches_border(outlines, shape)
    n = len(tracks)
    counts = np.bincount(tracks.track[whole], minlength=n)
    starts = np.searchsorted(tracks.track, np.arange(n + 1))
    angle, time, diameter = (np.full(n, np.nan) for _ in range(3))
    rates = np.full((3, n, len(QUANTITIES)), np.nan)
    for number in np.flatnonzero(counts >= fewest):
        rows = starts[number] + np.flatnonzero(whole[starts[number] : starts[number + 1]])
        seen, at = outlines[rows], tracks.time_h[tracks.frame[rows]]
        diameters = 2 * np.sqrt(shapely.area(seen) / np.pi)
        hull = shapely.convex_hull(seen[[int(diameters.argmax())]])
        angle[number] = hull_extents(hull).box_angle_rad[0]
        time[number], diameter[number] = at.mean(), np.median(diameters)
        sides = side_positions(seen, angle[number], tracks.shifts_px[tracks.frame[rows]])
        for q, values in enumerate([diameters, *sides.T]):
            rates[:, number, q] = robust_slope(at, values)
    return TrackGrowth(counts, angle, time, diameter, *rates)


def side_positions(
    outlines: NDArray[np.object_], angle_rad: float, shifts_px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far outlines reach outwards along the axes of a box.

    Parameters
    ----------
    outlines
        ``(n,)`` outlines in px of their pictures.
    angle_rad
        Direction of the first axis.
    shifts_px
        ``(n, 2)`` shifts of the pictures, taken off.

    Returns
    -------
    positions : ``(n, 4)``
        In the order of `SIDES`, in px from the origin of the picture; each rises outwards.
    """
    along = np.array([np.cos(angle_rad), np.sin(angle_rad)])
    axes = np.stack([along, -along, along[::-1] * [-1, 1], along[::-1] * [1, -1]])  # (4, 2)
    points, row = shapely.get_coordinates(outlines, return_index=True)
    reach = np.full((len(outlines), 4), -np.inf)
    np.maximum.at(reach, row, (points - shifts_px[row]) @ axes.T)
    return reach


def robust_slope(
    time_h: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Return the Theil-Sen slope and the ends of its 95 % interval, NaN below five values.

    Parameters
    ----------
    time_h, values
        ``(n,)`` at different times, 2 or more.
    """
    from scipy.stats import theilslopes  # costs 0.5 s, and only tracks need it

    slope, _, low, high = theilslopes(values, time_h, LEVEL)
    if len(values) < FEWEST_FOR_INTERVAL:
        low = high = np.nan
    return float(slope), float(low), float(high)


def summarise_growth(
    growth: TrackGrowth, *, resamples: int = 1000, seed: int = 0
) -> tuple[GrowthSummary, ...]:
    """Return the growth over all tracks that have a rate, for each of `QUANTITIES`.

    Parameters
    ----------
    growth
        Of `track_growth`.
    resamples, seed
        Of the bootstrap over tracks.
    """
    kept = growth.rate_px_per_h[np.isfinite(growth.rate_px_per_h[:, 0])]
    drawn = np.random.default_rng(seed).integers(0, max(len(kept), 1), (resamples, len(kept)))
    return tuple(_summary(name, kept[:, q], drawn) for q, name in enumerate(QUANTITIES))


def _summary(quantity: str, rates: NDArray[np.float64], drawn: NDArray[np.int64]) -> GrowthSummary:
    n, nothing = len(rates), float("nan")
    if not n:
        return GrowthSummary(quantity, 0, *(4 * [nothing]))
    median = float(np.median(rates))
    low = high = nothing
    if n >= 3:
        factor = np.sqrt(n / (n - 1)) * student_quotient(n - 1)
        low, high = map(float, interval(median, np.median(rates[drawn], axis=1), factor))
    spread = 1.4826 * float(np.median(np.abs(rates - median)))
    return GrowthSummary(quantity, n, median, low, high, spread)
