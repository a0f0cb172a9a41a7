"""Growth rates along characteristics: crystals followed at a fixed number of larger ones.

Where crystals only form and grow, none overtakes another and none is lost, so the number density of
crystals above the size x moves with them: ``N(x(t), t)`` is constant where ``dx/dt = G(x, t)``
(characteristics of the population balance: Randolph and Larson, *Theory of Particulate Processes*,
2nd ed., 1988, section 3.3). A fixed share of the number is not followed so: nucleation adds small
crystals, and the percentiles of all fall behind the crystals they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.measure.local_regression import FEWEST_TIMES, birge_ratio, local_quadratic

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL_SHARES = (0.1, 0.3, 0.5, 0.7)
"""Of the number density at the quartiles of its course; the levels that are followed."""

_QUARTILES = (0.25, 0.5, 0.75, 1.0)
_BORN = 0.9
"""A level counts from when this share of the number density reaches it."""
_FEWEST_ABOVE = 5
"""Crystals above a size without which it is too uncertain to follow."""


@dataclass(frozen=True, eq=False)
class Characteristics:
    """Sizes that crystals of J levels have at K times, NaN before a level exists.

    Parameters
    ----------
    levels
        ``(J,)`` rising number densities of larger crystals.
    sizes, rates
        ``(J, K)`` smoothed sizes and their growth rates per hour.
    """

    levels: NDArray[np.float64]
    sizes: NDArray[np.float64]
    rates: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Followed:
    """Characteristics with resamples.

    Parameters
    ----------
    smooth
        The characteristics.
    raw, raw_replicates
        ``(J, K)``, ``(B, J, K)`` sizes before smoothing; NaN where not used.
    size_replicates, rate_replicates
        ``(B, J, K)`` smoothed.
    scatter
        Birge ratio of the sizes about their curves, median of the levels.
    """

    smooth: Characteristics
    raw: NDArray[np.float64]
    raw_replicates: NDArray[np.float64]
    size_replicates: NDArray[np.float64]
    rate_replicates: NDArray[np.float64]
    scatter: float


def choose_levels(densities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return levels that suit the early and the late part of a process.

    Parameters
    ----------
    densities
        ``(K,)`` smoothed number densities.
    """
    present = densities[densities > 0]
    if not len(present):
        return np.empty(0)
    stages = np.quantile(present, _QUARTILES)
    return np.unique(np.outer(stages, LEVEL_SHARES))


def usable(
    levels: NDArray[np.float64], densities: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return ``(J, K)`` where a level exists and enough crystals lie above it.

    Parameters
    ----------
    levels
        ``(J,)`` number densities.
    densities
        ``(K,)`` smoothed number densities.
    counts
        ``(K,)`` crystals in each sample.
    """
    wanted = levels[:, None]
    return (wanted <= _BORN * densities) & (wanted * counts >= _FEWEST_ABOVE * densities)


def follow(
    time_h: NDArray[np.float64],
    levels: NDArray[np.float64],
    sizes: NDArray[np.float64],
    replicates: NDArray[np.float64],
    few_pictures: NDArray[np.float64],
    bandwidth_h: float,
) -> Followed:
    """Smooth the sizes of each level over time; levels seen too seldom are left out.

    Parameters
    ----------
    time_h
        ``(K,)`` times.
    levels
        ``(J,)`` number densities.
    sizes
        ``(J, K)`` sizes above which those many lie, NaN where not usable.
    replicates
        ``(B, J, K)`` of resamples.
    few_pictures
        ``(K,)`` by how much new pictures vary more than resamples.
    bandwidth_h
        Of the local regression.
    """
    seen = np.isfinite(sizes)
    often = [len(np.unique(time_h[row])) >= FEWEST_TIMES for row in seen]
    levels, sizes, seen = levels[often], sizes[often], seen[often]
    replicates = replicates[:, often]
    values, rates = np.full(sizes.shape, np.nan), np.full(sizes.shape, np.nan)
    many_values, many_rates = np.full(replicates.shape, np.nan), np.full(replicates.shape, np.nan)
    ratios = [1.0]
    for j, row in enumerate(seen):
        smoother = local_quadratic(time_h[row], time_h[row], bandwidth_h)
        values[j, row] = smoother.curve @ sizes[j, row]
        rates[j, row] = smoother.slope @ sizes[j, row]
        many_values[:, j, row] = replicates[:, j, row] @ smoother.curve.T
        many_rates[:, j, row] = replicates[:, j, row] @ smoother.slope.T
        errors = replicates[:, j, row].std(axis=0) * few_pictures[row]
        ratios.append(birge_ratio(sizes[j, row], errors, smoother.curve))
    smooth = Characteristics(levels, values, rates)
    scatter = float(np.median(ratios[1:] or ratios))
    return Followed(smooth, sizes, replicates, many_values, many_rates, scatter)


def pooled_rate(followed: Followed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the growth rate at each time over all levels, and that of resamples.

    Each level counts by the inverse of its variance.

    Returns
    -------
    rates : ``(K,)``
    replicates : ``(B, K)``
    """
    weights = _weights(followed.rate_replicates)
    total = weights.sum(axis=0)
    with np.errstate(invalid="ignore"):
        rate = np.nansum(weights * followed.smooth.rates, axis=0) / total
        many = np.nansum(weights * followed.rate_replicates, axis=1) / total
    return rate, many


def size_trend(followed: Followed) -> tuple[float, NDArray[np.float64]]:
    """Return the change of the growth rate with size at the same time, per hour, and resamples'.

    One slope of rates against sizes, both less their means at each time; 0 where growth does not
    depend on size (McCabe's law). NaN when no time has two levels.
    """
    weights = _weights(followed.rate_replicates)
    one = _slope(weights, followed.smooth.sizes[None], followed.smooth.rates[None])
    many = _slope(weights, followed.size_replicates, followed.rate_replicates)
    return float(one[0]), many


def _weights(replicates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(J, K)`` inverse variances, 0 where there is no rate."""
    known = np.isfinite(replicates[0])
    variance = np.where(known, replicates.var(axis=0), np.nan)
    if not known.any() or not np.nanmax(variance) > 0:
        return known.astype(np.float64)
    floor = 1e-3 * np.nanmedian(variance) + np.finfo(float).tiny
    return np.where(known, 1 / np.maximum(variance, floor), 0.0)


def _slope(
    weights: NDArray[np.float64], sizes: NDArray[np.float64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    x, y = np.where(weights > 0, sizes, 0.0), np.where(weights > 0, rates, 0.0)  # (B, J, K)
    total = np.maximum(weights.sum(axis=0), np.finfo(float).tiny)
    x = x - ((weights * x).sum(axis=1) / total)[:, None]
    y = y - ((weights * y).sum(axis=1) / total)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights * x * y).sum(axis=(1, 2)) / (weights * x * x).sum(axis=(1, 2)))
