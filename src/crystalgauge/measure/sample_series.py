"""A series of samples with its resamples: number, mean size and percentiles at every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.measure.few_units import widening
from crystalgauge.measure.local_regression import birge_ratio, local_quadratic
from crystalgauge.measure.timed_sample import Resamples, TimedSample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Smoothed:
    """A quantity over time, smoothed, with its slope.

    Parameters
    ----------
    curve, slope
        ``(K,)`` at the times of the samples, NaN where it is not known.
    curve_replicates, slope_replicates
        ``(B, K)`` of resamples.
    factors
        ``(K,)`` by how much few pictures widen the intervals of the slope.
    scatter
        Birge ratio: by how much samples scatter more than their resamples do.
    """

    curve: NDArray[np.float64]
    slope: NDArray[np.float64]
    curve_replicates: NDArray[np.float64]
    slope_replicates: NDArray[np.float64]
    factors: NDArray[np.float64]
    scatter: float


class SampleSeries:
    """Samples in the order of their times, and resamples of each.

    Parameters
    ----------
    samples
        K samples.
    least_size
        Smaller crystals are left out.
    resamples
        B.
    seed
        Of the draws.
    """

    def __init__(
        self, samples: Sequence[TimedSample], least_size: float, resamples: int, seed: int
    ) -> None:
        if resamples < 2:
            raise ArgumentError(f"a bootstrap needs 2 resamples or more, got {resamples}")
        ordered = sorted(samples, key=lambda sample: sample.time_h)
        self.samples = [sample.above(least_size) for sample in ordered]
        self.n_resamples = resamples
        self._kept: dict[int, Resamples] = {}
        self._seeds = np.random.SeedSequence(seed).spawn(len(samples))
        self.time_h = np.array([sample.time_h for sample in self.samples])
        # a sample of too few pictures has its crystals drawn, which are many
        self.pictures = np.array([s.n_pictures if s.clustered else 0 for s in self.samples])
        self.counts = np.array([len(sample.sizes) for sample in self.samples])
        self.has_extents = not any(np.isnan(s.extents).any() for s in self.samples)
        self.moments, self.moment_replicates = self._moments()
        self._number_errors = self.moment_replicates[..., 0].std(axis=0)

    @property
    def number_errors(self) -> NDArray[np.float64]:
        """``(K,)`` standard errors of the number densities from the pictures of each sample."""
        return self._number_errors * self.few_pictures

    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ``(K, 2)`` and ``(B, K, 2)`` moments mu_0 and mu_1 of the number density."""
        orders = (0, 1)
        one = [Resamples.once(sample).moments(orders)[0] for sample in self.samples]
        many = [self._drawn(i).moments(orders) for i in range(len(self.samples))]
        return np.array(one), np.stack(many, axis=1)

    def sizes_from_top(
        self, shares: NDArray[np.float64], share_replicates: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return sizes above which shares of each sample's number lie, NaN in empty samples.

        Parameters
        ----------
        shares, share_replicates
            ``(K, J)`` and ``(B, K, J)``, rising along the last axis.

        Returns
        -------
        sizes, replicates
            Of the same shapes. A resample without crystals takes the sample's own sizes.
        """
        sizes, replicates = np.empty(shares.shape), np.empty(share_replicates.shape)
        for i, sample in enumerate(self.samples):
            sizes[i] = Resamples.once(sample).sizes_from_top(shares[i : i + 1])[0]
            drawn = self._drawn(i).sizes_from_top(np.ascontiguousarray(share_replicates[:, i]))
            replicates[:, i] = np.where(np.isnan(drawn), sizes[i], drawn)
        return sizes, replicates

    def _drawn(self, i: int) -> Resamples:
        """Return the resamples of a sample, the same ones each time."""
        if i in self._kept:
            return self._kept[i]
        rng = np.random.default_rng(self._seeds[i])
        drawn = Resamples.draw(self.samples[i], self.n_resamples, rng)
        if self.pictures[i]:  # draws of crystals are too many to keep
            self._kept[i] = drawn
        return drawn

    @property
    def begun(self) -> NDArray[np.bool_]:
        """``(K,)`` samples from the first one with crystals on.

        What rises from nothing has a bend that no parabola follows; the smoothing starts after it.
        """
        return np.cumsum(self.counts) > 0

    @property
    def few_pictures(self) -> NDArray[np.float64]:
        """``(K,)`` by how much k pictures vary more than resamples of them: sqrt(k / (k - 1))."""
        drawn = np.maximum(self.pictures, 2)
        return np.where(self.pictures > 0, np.sqrt(drawn / (drawn - 1)), 1.0)

    def vary_samples(self, deviation: float) -> None:
        """Let resamples of each sample's moments vary by one more factor, shared by both moments.

        Parameters
        ----------
        deviation
            Relative standard deviation between samples: how well they were mixed, taken, thinned.
        """
        rng = np.random.default_rng(self._seeds[0].spawn(1)[0])
        spread = np.sqrt(np.log1p(deviation**2))
        draws = rng.standard_normal(self.moment_replicates.shape[:2])
        self.moment_replicates *= np.exp(spread * draws - 0.5 * spread**2)[..., None]

    def smooth(
        self, values: NDArray[np.float64], replicates: NDArray[np.float64], bandwidth_h: float
    ) -> Smoothed:
        """Smooth a quantity over the samples that have it.

        Parameters
        ----------
        values, replicates
            ``(K,)`` and ``(B, K)``; NaN where a sample does not have it.
        bandwidth_h
            Of the local quadratic regression.
        """
        known = np.isfinite(values)
        smoother = local_quadratic(self.time_h[known], self.time_h[known], bandwidth_h)
        spread = replicates[:, known].std(axis=0)
        errors = spread * self.few_pictures[known]
        scatter = birge_ratio(values[known], errors, smoother.curve)
        factors = np.full(len(values), np.nan)
        factors[known] = widening(smoother.slope * spread, self.pictures[known])

        def put(weights: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
            result = np.full(rows.shape, np.nan)
            result[..., known] = rows[..., known] @ weights.T
            return result

        return Smoothed(
            put(smoother.curve, values),
            put(smoother.slope, values),
            put(smoother.curve, replicates),
            put(smoother.slope, replicates),
            factors,
            scatter,
        )
