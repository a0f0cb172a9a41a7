"""Local quadratic regression over time: a curve and its slope as weighted sums of the samples.

At each time a parabola is fitted to the samples around it, weighted by the tricube of their
distance over a bandwidth (Cleveland, Journal of the American Statistical Association 74, 1979); its
constant is the curve, its linear term the slope. For a slope the parabola is the right degree:
its error is of the second order in the bandwidth, at the ends of the series too (Fan and Gijbels,
*Local Polynomial Modelling and Its Applications*, 1996, section 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FEWEST_TIMES = 4
"""Different times that a parabola with an error needs."""

_NEIGHBOURS = 5
_CANDIDATES = 14
_INTERPOLATES = 0.999
_LARGEST_EFFECT, _HALVINGS = 2.0, 30


@dataclass(frozen=True, eq=False)
class Smoother:
    """What turns values at K times into a curve and its slope at A times.

    Parameters
    ----------
    curve, slope
        ``(A, K)`` weights; the slope is per unit of time.
    bandwidth
        Half width of the window, in units of time; wider where samples are sparse.
    """

    curve: NDArray[np.float64]
    slope: NDArray[np.float64]
    bandwidth: float


def local_quadratic(
    time: NDArray[np.float64], at: NDArray[np.float64], bandwidth: float
) -> Smoother:
    """Return the local quadratic smoother.

    Parameters
    ----------
    time
        ``(K,)`` times of the values, repeats allowed, `FEWEST_TIMES` different ones or more.
    at
        ``(A,)`` times at which curve and slope are wanted.
    bandwidth
        Distance at which the weight of a sample is 0, above 0. Where fewer than five times lie
        within, it grows until they do.

    Raises
    ------
    ArgumentError
        When there are too few times, or the bandwidth is not above 0.
    """
    different = np.unique(time)
    if len(different) < FEWEST_TIMES:
        raise ArgumentError(
            f"rates need samples at {FEWEST_TIMES} different times or more, got {len(different)}"
        )
    if not bandwidth > 0:
        raise ArgumentError(f"the bandwidth must be above 0 h, got {bandwidth:g}")
    reach = np.sort(np.abs(at[:, None] - different), axis=1)
    nearest = reach[:, min(_NEIGHBOURS, len(different)) - 1]
    widths = np.maximum(bandwidth, nearest * (1.05 if len(different) > _NEIGHBOURS else 1.5))
    distance = (time - at[:, None]) / widths[:, None]  # (A, K)
    weights = np.clip(1 - np.abs(distance) ** 3, 0, None) ** 3
    design = np.stack([np.ones_like(distance), distance, distance**2], axis=1)  # (A, 3, K)
    weighted = design * weights[:, None, :]
    # distances are relative to the window, so the normal equations are well conditioned
    inverse = np.linalg.solve(weighted @ design.transpose(0, 2, 1), weighted)
    return Smoother(inverse[:, 0], inverse[:, 1] / widths[:, None], bandwidth)


def choose_bandwidth(
    time: NDArray[np.float64],
    series: Sequence[NDArray[np.float64]],
    errors: Sequence[NDArray[np.float64]],
) -> float:
    """Return the bandwidth that predicts samples left out best (leave-one-out cross-validation).

    Parameters
    ----------
    time
        ``(K,)`` times.
    series
        ``(K,)`` values each; all get the same bandwidth, each counting alike.
    errors
        ``(K,)`` standard errors of each series, above 0.
    """
    different = np.unique(time)
    spacing, duration = float(np.median(np.diff(different))), float(np.ptp(time))
    candidates = np.geomspace(2.5 * spacing, max(2 * duration, 3 * spacing), _CANDIDATES)
    best, least = float(candidates[-1]), np.inf
    for bandwidth in candidates[::-1]:  # of equals the widest
        smoother = local_quadratic(time, time, bandwidth)
        own = np.diagonal(smoother.curve)
        if (own > _INTERPOLATES).any():
            continue
        misses = [
            (((y - smoother.curve @ y) / (1 - own) / s) ** 2).sum()
            for y, s in zip(series, errors, strict=True)
        ]
        score = float(np.log(np.maximum(misses, np.finfo(float).tiny)).sum())
        if score < least - 1e-9:
            best, least = float(bandwidth), score
    return best


def birge_ratio(
    values: NDArray[np.float64], errors: NDArray[np.float64], curve: NDArray[np.float64]
) -> float:
    """Return by how much values scatter about their curve more than their errors say, at least 1.

    The root of the squared residuals over those that the errors lead to expect (Birge, Physical
    Review 40, 1932; sums are divided, not summands, as errors from few pictures are uncertain).

    Parameters
    ----------
    values, errors
        ``(K,)`` values and their standard errors.
    curve
        ``(K, K)`` weights of the smoother at the times of the values.
    """
    misses, freedom = _misses(values, curve)
    expected = float((((np.eye(len(values)) - curve) * errors) ** 2).sum())
    if freedom < 1 or not expected > 0:
        return 1.0
    return max(1.0, float(np.sqrt((misses**2).sum() / expected)))


def between_samples(
    values: NDArray[np.float64], errors: NDArray[np.float64], curve: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the relative standard deviation between samples that their errors do not explain.

    The one with which the squared residuals about the curve, each over its whole variance, sum up
    to the degrees of freedom (Paule and Mandel, Journal of Research of the National Bureau of
    Standards 87, 1982).

    Parameters
    ----------
    values, errors
        ``(K,)`` values and their standard errors.
    curve
        ``(K, K)`` weights of the smoother at the times of the values.

    Returns
    -------
    deviation
        0 to 2; 0 where the errors explain all, or too few samples are there to tell.
    freedom
        Degrees of freedom that it rests on.
    """
    misses, freedom = _misses(values, curve)
    if freedom < 1:
        return 0.0, freedom
    level = np.maximum(values - misses, 0)
    low, high = 0.0, _LARGEST_EFFECT

    def excess(deviation: float) -> float:
        variance = errors**2 + (deviation * level) ** 2
        return float((misses**2 / np.maximum(variance, np.finfo(float).tiny)).sum()) - freedom

    if excess(0.0) <= 0:
        return 0.0, freedom
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high, freedom


def _misses(
    values: NDArray[np.float64], curve: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return residuals about the curve and their degrees of freedom."""
    rest = np.eye(len(values)) - curve
    return rest @ values, float((rest**2).sum())
