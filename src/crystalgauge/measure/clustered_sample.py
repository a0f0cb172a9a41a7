"""A sample of crystals that came in pictures: its median, and a band around its distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numba import njit

from crystalgauge.core import ArgumentError
from crystalgauge.measure.few_units import LEVEL, few_units_factor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

N_RESAMPLES = 999

_ROUNDING = 1e-12
_CELLS = 4_000_000  # of draws at a time, which bounds the memory


@dataclass(frozen=True, eq=False)
class ClusteredSample:
    """Values in rising order, each with its weight and the picture it is of.

    Parameters
    ----------
    values
        ``(n,)`` finite.
    picture
        ``(n,)`` numbers or names of pictures; kept as numbers 0 to `n_pictures` - 1.
    weights
        ``(n,)`` above 0: for how many crystals of the population each one stands; 1 if None.

    Raises
    ------
    ArgumentError
        When a value is not finite, a weight not above 0, or their numbers differ.
    """

    values: NDArray[np.float64]
    picture: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __init__(
        self, values: ArrayLike, picture: ArrayLike, weights: ArrayLike | None = None
    ) -> None:
        given = np.asarray(values, dtype=np.float64)
        names = np.asarray(picture)
        counts = np.ones(given.shape) if weights is None else np.asarray(weights, np.float64)
        if given.ndim != 1 or given.shape != names.shape:
            raise ArgumentError(
                f"values of shape {given.shape} came with pictures of shape {names.shape}; "
                "give each value its picture"
            )
        if not np.isfinite(given).all():
            raise ArgumentError("values must be finite; leave out crystals that have none")
        if counts.shape != given.shape or not (np.isfinite(counts) & (counts > 0)).all():
            raise ArgumentError(
                "each value has a finite weight above 0; leave out crystals that count nothing"
            )
        order = np.argsort(given, kind="stable")
        codes = np.unique(names, return_inverse=True)[1].reshape(-1)
        object.__setattr__(self, "values", given[order])
        object.__setattr__(self, "picture", codes[order].astype(np.int64))
        object.__setattr__(self, "weights", counts[order])

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_pictures(self) -> int:
        """How many pictures the crystals are of."""
        return int(self.picture.max()) + 1 if len(self) else 0

    @property
    def shares(self) -> NDArray[np.float64]:
        """``(n,)`` share of the weight up to each value."""
        reached = np.cumsum(self.weights)
        return np.asarray(reached / reached[-1]) if len(self) else reached

    @property
    def median(self) -> float:
        """The least value up to which half of the weight lies; NaN if empty."""
        if not len(self):
            return float("nan")
        return float(self.values[np.searchsorted(self.shares, 0.5 * (1 - _ROUNDING))])


@dataclass(frozen=True, eq=False)
class MedianAndBand:
    """What a sample says of its population.

    Parameters
    ----------
    n_crystals, n_pictures
        What it rests on.
    median, low, high
        Median with its 95 % interval, NaN where there is none.
    band
        Half the height of a band around the cumulative distribution that holds the true one
        everywhere, 95 times in 100; NaN where there is none.
    resampled
        What was drawn with replacement: pictures, or the crystals of the only picture.
    """

    n_crystals: int
    n_pictures: int
    median: float
    low: float
    high: float
    band: float
    resampled: Literal["pictures", "crystals"]


def median_and_band(sample: ClusteredSample, *, seed: int = 0) -> MedianAndBand:
    """Return the median of a sample and a band around its distribution.

    Whole pictures are drawn with replacement (Davison and Hinkley, *Bootstrap Methods and their
    Application*, 1997, section 3.8). Ends and band are widened for few pictures by Student's over
    the normal quantile and by sqrt(k / (k - 1)) (Hesterberg, The American Statistician 69, 2015).

    Parameters
    ----------
    sample
        One crystal or more.
    seed
        Of the draws.
    """
    alone = sample.n_pictures == 1
    unit = np.arange(len(sample)) if alone else sample.picture
    n_units = len(sample) if alone else sample.n_pictures
    median = sample.median
    drawn = _draws(n_units, seed)
    parts = [_resampled(sample.values, sample.weights, unit, times) for times in drawn]
    medians, gaps = (np.concatenate(part) for part in zip(*parts, strict=True))
    low, high, band = float("nan"), float("nan"), float("nan")
    if n_units > 1:
        factor = few_units_factor(n_units)
        tail = 50.0 * (1.0 - LEVEL)
        ends = np.percentile(medians, [tail, 100.0 - tail])
        low = median + factor * min(float(ends[0]) - median, 0.0)
        high = median + factor * max(float(ends[1]) - median, 0.0)
        band = min(factor * float(np.quantile(gaps, LEVEL)), 1.0)
    return MedianAndBand(
        n_crystals=len(sample),
        n_pictures=sample.n_pictures,
        median=median,
        low=low,
        high=high,
        band=band,
        resampled="crystals" if alone else "pictures",
    )


def _draws(n_units: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield how often each unit was drawn, ``(B, n_units)``, `N_RESAMPLES` rows in all."""
    generator = np.random.default_rng(seed)
    rows = max(_CELLS // n_units, 1)
    for start in range(0, N_RESAMPLES, rows):
        shape = (min(rows, N_RESAMPLES - start), n_units)
        drawn = generator.integers(0, n_units, shape) + np.arange(shape[0])[:, None] * n_units
        yield np.bincount(drawn.ravel(), minlength=drawn.size).reshape(shape)


@njit(cache=True, nogil=True)
def _resampled(
    values: NDArray[np.float64], weights: NDArray[np.float64],
    unit: NDArray[np.int64], times: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return medians of resamples, and their largest distance from the sample's distribution."""
    number = len(values)
    medians, gaps = np.empty(len(times)), np.empty(len(times))
    whole = weights.sum()
    for b in range(len(times)):
        total = 0.0
        for i in range(number):
            total += weights[i] * times[b, unit[i]]
        half = 0.5 * total * (1 - _ROUNDING)
        reached, own, median, gap = 0.0, 0.0, np.nan, 0.0
        for i in range(number):
            reached += weights[i] * times[b, unit[i]]
            own += weights[i]
            if np.isnan(median) and reached >= half:
                median = values[i]
            if i + 1 == number or values[i + 1] > values[i]:
                gap = max(gap, abs(reached / total - own / whole))
        medians[b], gaps[b] = median, gap
    return medians, gaps


@njit(cache=True, nogil=True)
def deal_gaps(
    values: NDArray[np.float64], weights: NDArray[np.float64],
    picture: NDArray[np.int64], deals: NDArray[np.bool_],
) -> NDArray[np.float64]:  # fmt: skip
    """Return the largest distance of two cumulative distributions for each deal of pictures.

    Parameters
    ----------
    values
        ``(n,)`` of both groups together, in rising order.
    weights
        ``(n,)`` above 0.
    picture
        ``(n,)`` picture of each, 0 to P - 1, each of which has one value or more.
    deals
        ``(B, P)`` whether each picture goes to the first group; both groups get one or more.

    Returns
    -------
    gaps
        ``(B,)`` 0 to 1.
    """
    number = len(values)
    gaps = np.empty(len(deals))
    for b in range(len(deals)):
        first, second = 0.0, 0.0
        for i in range(number):
            if deals[b, picture[i]]:
                first += weights[i]
            else:
                second += weights[i]
        one, other, gap = 0.0, 0.0, 0.0
        for i in range(number):
            if deals[b, picture[i]]:
                one += weights[i]
            else:
                other += weights[i]
            if i + 1 == number or values[i + 1] > values[i]:
                gap = max(gap, abs(one / first - other / second))
        gaps[b] = gap
    return gaps
