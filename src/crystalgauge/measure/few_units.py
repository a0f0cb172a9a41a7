"""Intervals from bootstrap replicates of few units.

Resamples of k units vary by sqrt((k - 1) / k) less than k new units would, and a normal quantile
stands where Student's belongs (Hesterberg, *What Teachers Should Know About the Bootstrap*, The
American Statistician 69, 2015, section 4.1). Both ends of a percentile interval are therefore moved
away from the estimate by the quotient of the two.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95


def normal_quantile() -> float:
    """Return the quantile of the normal distribution that ends a 95 % interval."""
    from scipy.special import ndtri  # costs 0.1 s, and only intervals need it

    return float(ndtri(0.5 * (1 + LEVEL)))


def student_quantile(freedom: ArrayLike) -> NDArray[Any]:
    """Return Student's quantile that ends a 95 % interval, infinite without freedom.

    Parameters
    ----------
    freedom
        Degrees of freedom, of any shape.
    """
    from scipy.special import stdtrit

    degrees = np.asarray(freedom, dtype=np.float64)
    known = stdtrit(np.maximum(degrees, 1e-3), 0.5 * (1 + LEVEL))
    return np.where(degrees > 0, known, np.inf)


def student_quotient(freedom: ArrayLike) -> NDArray[Any]:
    """Return Student's quantile of the 95 % interval over the normal one, infinite at 0.

    Parameters
    ----------
    freedom
        Degrees of freedom, of any shape.
    """
    return student_quantile(freedom) / normal_quantile()


def few_units_factor(n_units: int) -> float:
    """Return by how much resamples of so many units must be widened for a 95 % interval.

    Parameters
    ----------
    n_units
        2 or more, drawn with replacement.
    """
    return float(student_quotient(n_units - 1)) * math.sqrt(n_units / (n_units - 1))


def widening(weights: NDArray[np.float64], pictures: NDArray[np.int64]) -> NDArray[Any]:
    """Return by how much to widen intervals of weighted sums over samples of few pictures.

    Parameters
    ----------
    weights
        ``(A, K)`` weights of the K samples in each of A sums.
    pictures
        ``(K,)`` pictures that were drawn from in each sample; 0 where crystals were.

    Returns
    -------
    factors
        ``(A,)`` at least 1, with the degrees of freedom of Welch and Satterthwaite.
    """
    parts = weights**2
    parts = parts / np.maximum(parts.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    drawn = np.maximum(pictures, 2).astype(np.float64)
    few = pictures > 0
    lost = 1 + (parts * np.where(few, 1 / (drawn - 1), 0.0)).sum(axis=1)
    spread = (parts**2 * np.where(few, 1 / (drawn - 1), 0.0)).sum(axis=1)
    freedom = 1 / np.maximum(spread, 1e-9)
    return np.sqrt(lost) * student_quotient(freedom)


def interval(
    estimate: ArrayLike, replicates: NDArray[np.float64], factor: ArrayLike = 1.0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the ends of the 95 % percentile interval, moved away from the estimate.

    Parameters
    ----------
    estimate
        Of any shape.
    replicates
        ``(B, ...)`` the same from resamples; NaN ones are left out.
    factor
        By how much, 1 or more, broadcast to the estimate.
    """
    tail = 50 * (1 - LEVEL)
    middle = np.asarray(estimate, dtype=np.float64)
    columns = replicates.reshape(len(replicates), -1)
    whole = np.isfinite(columns).all(axis=0)
    ends = np.full((2, columns.shape[1]), np.nan)
    ends[:, whole] = np.percentile(columns[:, whole], [tail, 100 - tail], axis=0)
    partly = ~whole & np.isfinite(columns).any(axis=0)
    ends[:, partly] = np.nanpercentile(columns[:, partly], [tail, 100 - tail], axis=0)
    ends = ends.reshape(2, *replicates.shape[1:])
    low = np.minimum(ends[0], middle)
    high = np.maximum(ends[1], middle)
    with np.errstate(invalid="ignore"):
        return middle + (low - middle) * factor, middle + (high - middle) * factor
