"""Induction time: when crystals can first be seen.

The time is that of crystals of the least size that is counted. A nucleus is older: it took the
least size over the growth rate to reach that size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numba import njit

from crystalgauge.measure.few_units import interval, student_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

Status = Literal["observed", "before the first sample", "not reached"]

_ONSETS = 201
_RATES = 32
_PARAMETERS = 3


@dataclass(frozen=True)
class InductionTime:
    """When the number density passes a threshold.

    Parameters
    ----------
    time_h, low_h, high_h
        The time and the ends of its 95 % interval; NaN unless observed, or when there is no
        interval.
    threshold
        Number density that counts as crystals being there.
    status
        Whether the time lies between two samples.
    """

    time_h: float
    low_h: float
    high_h: float
    threshold: float
    status: Status


@dataclass(frozen=True)
class DelayedNucleation:
    """The curve ``N(t) = N_inf (1 - exp(-J (t - t_0) / N_inf))`` after `onset_h`, 0 before.

    Parameters
    ----------
    onset_h, low_h, high_h
        ``t_0`` and the ends of its 95 % interval; NaN where the samples tell none.
    rate
        ``J``, initial nucleation rate: number density per hour.
    plateau
        ``N_inf``, final number density.
    """

    onset_h: float
    low_h: float
    high_h: float
    rate: float
    plateau: float


def induction_time(
    time_h: NDArray[np.float64],
    densities: NDArray[np.float64],
    replicates: NDArray[np.float64],
    threshold: float,
    factors: NDArray[np.float64],
) -> InductionTime:
    """Return the first time at which the number density exceeds a threshold.

    The densities up to the greatest one are made monotone by isotonic regression, so that a count
    high by chance does not begin the process; between samples they are interpolated linearly.
    What they really do there is not known: the interval reaches from the last sample below the
    threshold to the first one above it, in resamples.

    Parameters
    ----------
    time_h
        ``(K,)`` rising times.
    densities
        ``(K,)`` number densities.
    replicates
        ``(B, K)`` those of resamples.
    threshold
        Above 0, in the unit of the densities.
    factors
        ``(K,)`` by how much the few pictures of each sample widen an interval.
    """
    nothing = float("nan")
    found, *_ = _first_passages(time_h, densities[None], threshold)[0]
    if np.isnan(found):
        return InductionTime(nothing, nothing, nothing, threshold, "not reached")
    if found <= time_h[0]:
        return InductionTime(nothing, nothing, nothing, threshold, "before the first sample")
    factor = factors[np.searchsorted(time_h, found)]
    _, last_below, first_above = _first_passages(time_h, replicates, threshold).T
    low = max(float(interval(found, last_below, factor)[0]), float(time_h[0]))
    high = float(interval(found, first_above, factor)[1])
    return InductionTime(float(found), low, high, threshold, "observed")


@njit(cache=True, nogil=True)
def _first_passages(
    time: NDArray[np.float64], rows: NDArray[np.float64], threshold: float
) -> NDArray[np.float64]:
    """Return when each row, made monotone up to its peak, exceeds a threshold; NaN for never.

    Returns
    -------
    passages
        ``(B, 3)`` the time, and the times of the samples before and after it.
    """
    result = np.full((len(rows), 3), np.nan)
    level, size = np.empty(len(time)), np.empty(len(time), np.int64)
    for b in range(len(rows)):
        blocks = 0
        for i in range(np.argmax(rows[b]) + 1):
            level[blocks], size[blocks] = rows[b, i], 1
            blocks += 1
            while blocks > 1 and level[blocks - 2] >= level[blocks - 1]:
                both = size[blocks - 2] + size[blocks - 1]
                total = level[blocks - 2] * size[blocks - 2] + level[blocks - 1] * size[blocks - 1]
                blocks -= 1
                level[blocks - 1], size[blocks - 1] = total / both, both
        start = 0
        for block in range(blocks):
            if level[block] > threshold:
                result[b] = time[0]
                if start > 0:
                    part = (threshold - level[block - 1]) / (level[block] - level[block - 1])
                    result[b, 0] = time[start - 1] + part * (time[start] - time[start - 1])
                    result[b, 1], result[b, 2] = time[start - 1], time[start]
                break
            start += size[block]
    return result


def fit_delayed_nucleation(
    time_h: NDArray[np.float64], densities: NDArray[np.float64], errors: NDArray[np.float64]
) -> DelayedNucleation:
    """Fit nucleation that starts late and comes to an end to number densities.

    Weighted least squares; the interval holds the onsets at which the best sum of squares exceeds
    the least by no more than Student's distribution allows (profile likelihood: Bates and Watts,
    *Nonlinear Regression Analysis and Its Applications*, 1988, section 6.1), the errors taken as
    they are, or larger when the curve fits worse than they say.

    Parameters
    ----------
    time_h
        ``(K,)`` rising times.
    densities, errors
        ``(K,)`` number densities and standard errors above 0.
    """
    freedom = len(time_h) - _PARAMETERS
    if freedom < 1 or not (np.isfinite(densities).all() and densities.max() > 0):
        return DelayedNucleation(*(5 * [float("nan")]))
    duration = float(time_h[-1] - time_h[0])
    speeds = np.geomspace(0.02, 200, _RATES) / duration
    onsets = np.linspace(time_h[0], time_h[-1], _ONSETS)
    squares, _ = _profile(time_h, densities, errors, onsets, speeds)
    least = squares.min()
    unit = max(1.0, least / freedom)
    allowed = least + unit * float(student_quantile(freedom)) ** 2
    inside = onsets[squares.min(axis=1) <= allowed]
    onset, speed, plateau = _refined(time_h, densities, errors, onsets, speeds, squares)
    low, high = float(min(inside[0], onset)), float(max(inside[-1], onset))
    if low <= onsets[0]:
        low = float("nan")  # the samples tell no earliest onset
    return DelayedNucleation(onset, low, high, plateau * speed, plateau)


def _profile(
    time: NDArray[np.float64], densities: NDArray[np.float64], errors: NDArray[np.float64],
    onsets: NDArray[np.float64], speeds: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return the sum of squares and the best plateau at each onset and speed, ``(T, S)``."""
    late = np.clip(time - onsets[:, None], 0, None)  # (T, K)
    shape = -np.expm1(-late[:, None, :] * speeds[:, None]) / errors  # (T, S, K)
    scaled = densities / errors
    norm = np.maximum((shape**2).sum(axis=2), np.finfo(float).tiny)
    plateau = np.maximum(shape @ scaled / norm, 0)
    return ((scaled - plateau[..., None] * shape) ** 2).sum(axis=2), plateau


def _refined(
    time: NDArray[np.float64], densities: NDArray[np.float64], errors: NDArray[np.float64],
    onsets: NDArray[np.float64], speeds: NDArray[np.float64], squares: NDArray[np.float64],
) -> tuple[float, float, float]:  # fmt: skip
    """Return the best onset, speed and plateau from ever finer grids around the best so far."""
    plateau = squares
    for _ in range(3):
        row, column = np.unravel_index(int(squares.argmin()), squares.shape)
        step, ratio = onsets[1] - onsets[0], speeds[1] / speeds[0]
        onsets = onsets[row] + step * np.linspace(-2, 2, 41)
        speeds = speeds[column] * ratio ** np.linspace(-2, 2, 41)
        onsets = onsets[onsets >= time[0]]
        squares, plateau = _profile(time, densities, errors, onsets, speeds)
    row, column = np.unravel_index(int(squares.argmin()), squares.shape)
    return float(onsets[row]), float(speeds[column]), float(plateau[row, column])
