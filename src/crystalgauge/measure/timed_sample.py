"""Samples of a process over time: sizes, the pictures they are from, and how much was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from crystalgauge.core import ArgumentError
from crystalgauge.measure.weighted_sizes import WeightedSizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

FEWEST_PICTURES = 3
"""With fewer pictures in a sample its crystals are resampled, each for itself."""


@dataclass(frozen=True, eq=False)
class TimedSample:
    """Crystals measured at one time of a process.

    Parameters
    ----------
    time_h
        When the sample was taken, in hours from any start.
    sizes
        ``(n,)`` positive and finite, in the same unit in all samples.
    weights
        ``(n,)`` above 0: for how many crystals of the population each one stands.
    picture
        ``(n,)`` number of the picture each crystal is in, 0 to P - 1.
    extents
        ``(P,)`` volume or area that each picture stands for, above 0, referred to the suspension
        as it was in the vessel: a sample thinned tenfold before it was photographed has a tenth of
        what the picture shows. NaN in all when not known.

    Raises
    ------
    ArgumentError
        When the parts do not fit each other or are out of range.
    """

    time_h: float
    sizes: NDArray[np.float64]
    weights: NDArray[np.float64]
    picture: NDArray[np.int64]
    extents: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.sizes)
        if not np.isfinite(self.time_h):
            raise ArgumentError(f"the time of a sample must be a finite number, got {self.time_h}")
        if not len(self.weights) == len(self.picture) == n:
            raise ArgumentError(f"{n} sizes need as many weights and picture numbers")
        if not (np.isfinite(self.sizes).all() and (self.sizes > 0).all()):
            raise ArgumentError("sizes must be finite and above 0; leave out what has no size")
        if not (np.isfinite(self.weights).all() and (self.weights > 0).all()):
            raise ArgumentError("weights must be finite and above 0; leave out what counts nothing")
        if not len(self.extents):
            raise ArgumentError("a sample needs one picture or more, with crystals or without")
        if n and not (0 <= self.picture.min() and self.picture.max() < len(self.extents)):
            raise ArgumentError(f"picture numbers must lie between 0 and {len(self.extents) - 1}")
        known = np.isfinite(self.extents) & (self.extents > 0)
        if not (known.all() or np.isnan(self.extents).all()):
            raise ArgumentError(
                "volumes or areas of pictures must be above 0; give them for every picture of a "
                "sample, or for none"
            )

    @classmethod
    def of_pictures(
        cls,
        time_h: float,
        pictures: Sequence[WeightedSizes | ArrayLike],
        extents: ArrayLike | None = None,
    ) -> TimedSample:
        """Return a sample from the sizes in each of its pictures.

        Parameters
        ----------
        time_h
            When it was taken.
        pictures
            For each picture its sizes, with weights (crystals of weight 0 are left out) or
            without; empty ones count.
        extents
            Volume or area of each picture, or one number for all; not known when None.
        """
        parts = [
            p if isinstance(p, WeightedSizes) else WeightedSizes.unweighted(p) for p in pictures
        ]
        sizes = np.concatenate([np.empty(0), *(part.sizes for part in parts)])
        weights = np.concatenate([np.empty(0), *(part.weights for part in parts)])
        picture = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        counts = weights > 0
        known = np.nan if extents is None else np.asarray(extents, dtype=np.float64)
        each = np.broadcast_to(known, (len(parts),)).copy()
        return cls(time_h, sizes[counts], weights[counts], picture[counts], each)

    @property
    def n_pictures(self) -> int:
        """Pictures, with crystals or without."""
        return len(self.extents)

    @property
    def clustered(self) -> bool:
        """Whether there are enough pictures to draw pictures, not crystals."""
        return self.n_pictures >= FEWEST_PICTURES

    def above(self, least_size: float) -> TimedSample:
        """Return the sample without crystals below a size."""
        keep = self.sizes >= least_size
        return TimedSample(
            self.time_h, self.sizes[keep], self.weights[keep], self.picture[keep], self.extents
        )


@dataclass(frozen=True, eq=False)
class Resamples:
    """How often each unit of a sample counts in each of B resamples.

    Parameters
    ----------
    sample
        What was resampled.
    units
        ``(n,)`` unit of each crystal: its picture, or itself.
    times
        ``(B, U)`` how often each unit was drawn.
    """

    sample: TimedSample
    units: NDArray[np.int64]
    times: NDArray[np.uint16]

    @classmethod
    def once(cls, sample: TimedSample) -> Resamples:
        """Return the sample itself as the only resample."""
        return cls(sample, sample.picture, np.ones((1, sample.n_pictures), np.uint16))

    @classmethod
    def draw(cls, sample: TimedSample, resamples: int, rng: np.random.Generator) -> Resamples:
        """Draw pictures with replacement; of too few pictures crystals, in Poisson numbers.

        Crystals that lie anywhere, each for itself, are a Poisson process, and each then counts
        as often as a Poisson variable of mean 1 says.
        """
        if not sample.clustered:
            shape = (resamples, len(sample.sizes))
            return cls(sample, np.arange(shape[1]), rng.poisson(1.0, shape).astype(np.uint16))
        n = sample.n_pictures
        times = rng.multinomial(n, np.full(n, 1 / n), resamples)
        return cls(sample, sample.picture, times.astype(np.uint16))

    @property
    def totals(self) -> NDArray[np.float64]:
        """``(B,)`` weight of all crystals."""
        return self._sums(0)

    def moments(self, orders: Sequence[int]) -> NDArray[np.float64]:
        """Return ``(B, len(orders))`` moments of the number density, NaN without known extents."""
        extents = self.sample.extents
        if self.times.shape[1] == len(extents) and self.units is self.sample.picture:
            extent = self.times @ extents
        else:
            extent = np.full(len(self.times), extents.sum())
        return np.column_stack([self._sums(k) for k in orders]) / extent[:, None]

    def sizes_from_top(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sizes above which given shares of the number lie.

        Between two crystals the size is interpolated, each taken to stand at the middle of its
        weight (Hazen's plotting position).

        Parameters
        ----------
        shares
            ``(B, J)`` rising along a row; what exceeds 1 gives the least size.

        Returns
        -------
        sizes
            ``(B, J)``, NaN in a resample without crystals.
        """
        order = np.argsort(-self.sample.sizes, kind="stable")
        result = np.full(shares.shape, np.nan)
        _fill_from_top(
            self.sample.sizes[order], self.sample.weights[order], self.units[order], self.times,
            shares * self.totals[:, None], result,
        )  # fmt: skip
        return result

    def _sums(self, k: int) -> NDArray[np.float64]:
        mass = self.sample.weights * self.sample.sizes**k
        per_unit = np.bincount(self.units, mass, minlength=self.times.shape[1])
        return np.asarray(self.times @ per_unit)


@njit(cache=True, nogil=True)
def _fill_from_top(
    sizes: NDArray[np.float64], weights: NDArray[np.float64], units: NDArray[np.int64],
    times: NDArray[Any], targets: NDArray[np.float64], result: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write the sizes, falling, at which the cumulative weight reaches each rising target."""
    last = targets.shape[1]
    for b in range(len(times)):
        reached, before, above, j = 0.0, 0.0, np.nan, 0
        for i in range(len(sizes)):
            mass = weights[i] * times[b, units[i]]
            if mass == 0.0:
                continue
            at = reached + 0.5 * mass
            while j < last and at >= targets[b, j]:
                part = (targets[b, j] - before) / (at - before)
                result[b, j] = sizes[i] if np.isnan(above) else above + part * (sizes[i] - above)
                j += 1
            if j == last:
                break
            reached, before, above = reached + mass, at, sizes[i]
        result[b, j:] = above
