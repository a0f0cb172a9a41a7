"""Percentiles of weighted sizes, and their bootstrap intervals.

The percentile ``x_p`` is the inverse of the weighted empirical distribution function: the least
size at which the cumulative weight of the crystals, in order of size, reaches p of the whole. It
is the size of a crystal that was measured, at any number of crystals, and counting a crystal
twice is the same as giving it twice the weight.

The intervals start from percentile bootstrap intervals (Efron and Tibshirani, *An Introduction to
the Bootstrap*, 1993, chapter 13): units are drawn with replacement, as many as there are, and the
percentiles taken again. The units are the crystals of one picture. Of several pictures the units
are the pictures, each with all its crystals (a cluster bootstrap: Davison and Hinkley, *Bootstrap
Methods and their Application*, 1997, section 3.8), because crystals of one picture share where and
when it was taken.

Such intervals are too narrow when units are few, for the resamples vary by sqrt((k - 1) / k) less
than k new units would and a normal quantile stands where Student's belongs (Hesterberg, *What
Teachers Should Know About the Bootstrap*, The American Statistician 69, 2015, section 4.1). Both
ends are therefore moved away from the estimate, on the logarithm of size, by the quotient of the
two: 2.7 times at 3 units, 1.2 at 10, 1.01 at 200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_RESAMPLES = 1000
LEVEL = 0.95
FRACTIONS = (0.1, 0.5, 0.9)
"""Of the percentiles D10, D50 and D90."""

POWERS = (0, 3)
"""Of the weights ``x**power``: number and volume, as indices of percentiles in ISO 9276-1."""

_BATCH = 64
_ROUNDING = 1e-12


def weighted_percentiles(
    sizes: NDArray[np.floating[Any]], powers: tuple[int, ...] = POWERS
) -> NDArray[np.float64]:
    """Return D10, D50 and D90 for each weighting; NaN without sizes.

    Parameters
    ----------
    sizes
        ``(n,)`` positive sizes in any order and unit.
    powers
        Exponents k of the weights ``size**k``.

    Returns
    -------
    percentiles : ``(len(powers), 3)``
        In the unit of the sizes.
    """
    ordered = np.sort(np.asarray(sizes, dtype=np.float64))
    once = np.ones((1, len(ordered)), np.int64)
    return _resampled(ordered, np.arange(len(ordered)), once, powers)[0]


def bootstrap_percentiles(
    sizes: NDArray[np.floating[Any]],
    unit_of: NDArray[np.integer[Any]],
    n_units: int,
    *,
    powers: tuple[int, ...] = POWERS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return 95 % intervals of D10, D50 and D90 for each weighting.

    Parameters
    ----------
    sizes
        ``(n,)`` positive sizes.
    unit_of
        ``(n,)`` unit that each size is drawn with, 0 to `n_units` - 1.
    n_units
        Units, also those without any size (pictures without crystals).
    powers
        Exponents k of the weights ``size**k``.
    seed
        Of the draws: the same seed, the same interval.

    Returns
    -------
    intervals : ``(len(powers), 3, 2)``
        Lower and upper ends in the unit of the sizes, NaN when fewer than two units have any.
    """
    order = np.argsort(sizes, kind="stable")
    ordered = np.asarray(sizes, dtype=np.float64)[order]
    units = np.asarray(unit_of, dtype=np.int64)[order]
    generator = np.random.default_rng(seed)
    replicates = []
    for start in range(0, N_RESAMPLES, _BATCH):
        batch = min(_BATCH, N_RESAMPLES - start)
        drawn = generator.integers(0, n_units, (batch, n_units))
        drawn += np.arange(batch)[:, None] * n_units
        times = np.bincount(drawn.ravel(), minlength=batch * n_units).reshape(batch, n_units)
        replicates.append(_resampled(ordered, units, times, powers))
    tail = 50.0 * (1.0 - LEVEL)
    # a resample of pictures without crystals has no percentiles
    ends = np.nanpercentile(np.concatenate(replicates), [tail, 100.0 - tail], axis=0)
    estimate = weighted_percentiles(sizes, powers)
    widened = estimate * (ends / estimate) ** _widening(len(np.unique(units)))
    return np.moveaxis(widened, 0, -1)


def _widening(n_units: int) -> float:
    """Return by what an interval from few units falls short of one from many."""
    from scipy.special import ndtri, stdtrit  # costs 0.1 s, and only intervals need it

    if n_units < 2:
        return float("nan")
    upper = 0.5 * (1.0 + LEVEL)
    student = stdtrit(n_units - 1, upper) * np.sqrt(n_units / (n_units - 1))
    return float(student / ndtri(upper))


def _resampled(
    ordered: NDArray[np.float64],
    units: NDArray[np.int64],
    times: NDArray[np.int64],
    powers: tuple[int, ...],
) -> NDArray[np.float64]:
    """Return ``(B, len(powers), 3)`` percentiles when unit u counts ``times[b, u]`` times."""
    result = np.full((len(times), len(powers), len(FRACTIONS)), np.nan)
    for column, power in enumerate(powers):
        # relative to the largest: a cube of metres or nanometres must not leave float64
        weights = (ordered / ordered[-1]) ** power if len(ordered) else ordered
        totals = times @ np.bincount(units, weights, minlength=times.shape[1])
        targets = totals[:, None] * np.array(FRACTIONS) * (1.0 - _ROUNDING)
        _fill_percentiles(ordered, weights, units, times, targets, result[:, column])
    return result


@njit(cache=True, nogil=True)
def _fill_percentiles(
    ordered: NDArray[np.float64], weights: NDArray[np.float64], units: NDArray[np.int64],
    times: NDArray[np.int64], targets: NDArray[np.float64], result: NDArray[np.float64],
) -> None:  # fmt: skip
    last = targets.shape[1]
    for b in range(len(times)):
        if not targets[b, 0] > 0.0:
            continue
        reached, f = 0.0, 0
        for i in range(len(ordered)):
            reached += weights[i] * times[b, units[i]]
            while f < last and reached >= targets[b, f]:
                result[b, f] = ordered[i]
                f += 1
            if f == last:
                break
