"""Bootstrap of a weighted size distribution: all its statistics from the same resamples.

Units are drawn with replacement, as many as there are, and every statistic taken again (Efron and
Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13). Of several pictures the units are
the pictures, each with all its crystals (a cluster bootstrap: Davison and Hinkley, *Bootstrap
Methods and their Application*, 1997, section 3.8), because crystals of one picture share where and
when it was taken. Of one picture they are its crystals; how many there are is then drawn from the
Poisson distribution, which is what crystals that lie anywhere, each for itself, follow.

The size of a pixel enters by Monte Carlo (JCGM 101:2008): each resample has one factor per
calibration, which all pictures of that calibration share.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.measure.bootstrap_kernels import N_KINDS, N_SUMS, TOGETHER, fill_resamples
from crystalgauge.measure.statistics import SHARES, STATISTICS, evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.measure.sample import Sample

Unit = Literal["crystals", "pictures"]

N_RESAMPLES = 1000
_DRAWS_AT_ONCE = 1 << 21
_WORK_OF_A_THREAD = 1 << 24
"""Crystals times resamples; below it, a second thread costs more than it saves."""


@dataclass(frozen=True, eq=False)
class Replicates:
    """Statistics of resamples, in the order of `statistics.STATISTICS`.

    Parameters
    ----------
    values
        ``(B, S)`` with the calibrations as they are; NaN where a resample has none.
    scaling
        ``(B, S)`` by what the drawn calibrations change those of the sample itself.
    curves
        ``(B, K, 4)`` cumulative shares of each kind at the sizes of the grid, with both.
    """

    values: NDArray[np.float64]
    scaling: NDArray[np.float64]
    curves: NDArray[np.float64]


def estimate(sample: Sample, grid: NDArray[np.float64] | None = None) -> Replicates:
    """Return the statistics of the sample itself, as one replicate.

    Parameters
    ----------
    sample
        The sizes.
    grid
        ``(K,)`` rising sizes for the curves; none when None.
    """
    engine = _Engine(sample, "pictures", _sizes_of(grid))
    every = np.arange(sample.n_pictures, dtype=np.uint32)[None]
    return engine.run(every, np.ones(1), np.ones((1, len(sample.scale_errors))))


def bootstrap(
    sample: Sample,
    unit: Unit,
    *,
    resamples: int = N_RESAMPLES,
    seed: int = 0,
    grid: NDArray[np.float64] | None = None,
    threads: int | None = None,
) -> Replicates:
    """Return the statistics of resamples.

    Parameters
    ----------
    sample
        The sizes.
    unit
        What is drawn with replacement.
    resamples
        How many, B.
    seed
        Of the draws: the same seed, the same result, whatever the number of threads.
    grid
        ``(K,)`` rising sizes for the curves; none when None.
    threads
        At the most two are used; as many as there are cores when None.

    Raises
    ------
    ArgumentError
        Without resamples.
    """
    if resamples < 1:
        raise ArgumentError(f"a bootstrap needs at least 1 resample, got {resamples}")
    engine = _Engine(sample, unit, _sizes_of(grid))
    batch = int(np.clip(_DRAWS_AT_ONCE // max(engine.n_units, 1), TOGETHER, 64))
    starts = range(0, resamples, batch)
    seeds = np.random.SeedSequence(seed).spawn(len(starts))

    def run(number: int) -> Replicates:
        size = min(batch, resamples - number * batch)
        return engine.draw(size, np.random.default_rng(seeds[number]))

    wanted = max(1, len(sample) * resamples // _WORK_OF_A_THREAD)
    at_most = min(threads or os.cpu_count() or 1, 2, wanted)
    if at_most == 1:
        return _joined([run(number) for number in range(len(starts))])
    with ThreadPoolExecutor(at_most) as pool:
        return _joined(list(pool.map(run, range(len(starts)))))


def _sizes_of(grid: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return np.empty(0) if grid is None else np.asarray(grid, dtype=np.float64)


def _joined(parts: Sequence[Replicates]) -> Replicates:
    return Replicates(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.scaling for part in parts]),
        np.concatenate([part.curves for part in parts]),
    )


class _Engine:
    """A sample in the order that the kernel wants.

    Crystals of one calibration are neighbours and in rising order, so that scaling a calibration
    leaves runs that are in order, and putting those together is quick.
    """

    def __init__(self, sample: Sample, unit: Unit, grid: NDArray[np.float64]) -> None:
        self.sample, self.unit, self.grid = sample, unit, grid
        order = np.argsort(sample.sizes, kind="stable")
        self.scale = float(sample.sizes[order[-1]]) if len(order) else 1.0
        self.sizes = sample.sizes[order] / self.scale  # powers must not leave float64
        self.logs = np.log(self.sizes)
        self.weights = sample.weights[order]
        self.n_units = sample.n_pictures if unit == "pictures" else len(sample)
        # crystals can change places: in order of size, memory is read from end to end
        units = sample.picture[order] if unit == "pictures" else np.arange(len(order))
        self.units = units.astype(np.uint32)
        self.calibration = sample.calibrations[sample.picture[order]]
        self.runs = np.argsort(self.calibration, kind="stable")

    def draw(self, size: int, rng: np.random.Generator) -> Replicates:
        """Return the statistics of new resamples."""
        drawn = rng.integers(0, self.n_units, (size, self.n_units), dtype=np.uint32)
        errors = np.sqrt(np.log1p(self.sample.scale_errors**2))  # of the logarithm
        factors = np.exp(errors * rng.standard_normal((size, len(errors))))
        counted = np.ones(size)
        if self.unit == "crystals":
            counted = rng.poisson(self.n_units, size) / self.n_units
        return self.run(drawn, counted, factors)

    def run(
        self,
        drawn: NDArray[np.uint32],
        counted: NDArray[np.float64],
        factors: NDArray[np.float64],
    ) -> Replicates:
        """Return the statistics of the resamples drawn.

        Parameters
        ----------
        drawn
            ``(B, U)`` units.
        counted
            ``(B,)`` by what the number of crystals differs from the number drawn.
        factors
            ``(B, C)`` drawn pixel sizes over those given.
        """
        areas, covered = self._per_picture(drawn)
        powers = np.array([statistic.power for statistic in STATISTICS])
        one = factors.shape[1] == 1
        marks = self.grid / (factors if one else np.ones_like(factors[:, :1])) / self.scale
        places = np.searchsorted(self.sizes, marks, side="right")
        sums, found, curves = self._resampled(slice(None), self.sizes, drawn, places)
        values = evaluate(sums, found, self.sizes, self.scale, areas, counted, covered)
        if one:
            return Replicates(values, factors**powers, curves)
        scaling, curves = self._rescaled(drawn, factors, curves)
        return Replicates(values, scaling, curves)

    def _rescaled(
        self,
        drawn: NDArray[np.uint32],
        factors: NDArray[np.float64],
        curves: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return by what factors change the sample's statistics, and the resamples' curves."""
        every = np.arange(self.n_units, dtype=np.uint32)[None]
        nowhere = np.zeros((1, 0), np.int64)
        known, changed = np.ones(1), curves.copy()

        def statistics(
            order: slice | NDArray[np.int64], sizes: NDArray[np.float64], factor: NDArray[Any]
        ) -> NDArray[np.float64]:
            sums, found, _ = self._resampled(order, sizes, every, nowhere)
            stretch = factor[self.sample.calibrations] ** 2
            area = (self.sample.areas * stretch).sum(keepdims=True)
            return evaluate(sums, found, sizes, self.scale, area, known, known)[0]

        own = statistics(slice(None), self.sizes, np.ones_like(factors[0]))
        scaling = np.ones((len(factors), len(own)))
        for b, factor in enumerate(factors):
            order, sizes = self._merged(factor)
            row = statistics(order, sizes, factor)
            np.divide(row, own, out=scaling[b], where=own != 0)  # a span may be 0
            if len(self.grid):
                places = np.searchsorted(sizes, self.grid[None] / self.scale, side="right")
                changed[b] = self._resampled(order, sizes, drawn[b : b + 1], places)[2][0]
        return scaling, changed

    def _per_picture(
        self, drawn: NDArray[np.uint32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the area and the mean coverage of the pictures in each resample."""
        areas = self.sample.areas
        if self.unit == "pictures":
            if not self.n_units:
                return np.zeros(len(drawn)), np.full(len(drawn), np.nan)
            return areas[drawn].sum(axis=1), self.sample.coverages[drawn].mean(axis=1)
        return np.full(len(drawn), areas.sum()), np.full(len(drawn), np.nan)

    def _merged(self, factor: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the order of the crystals, and their sizes, with a factor per calibration."""
        sizes = (self.sizes * factor[self.calibration])[self.runs]
        merged = np.argsort(sizes, kind="stable")  # of ascending runs
        return self.runs[merged], sizes[merged]

    def _resampled(
        self,
        order: slice | NDArray[np.int64],
        sizes: NDArray[np.float64],
        drawn: NDArray[np.uint32],
        places: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Return sums, the crystals that are percentiles, and curves."""
        size, n = len(drawn), len(sizes)
        sums = np.zeros((size, N_SUMS))
        found = np.full((size, N_KINDS, len(SHARES)), -1)
        curves = np.full((size, places.shape[1], N_KINDS), np.nan)
        if n:
            logs = self.logs if isinstance(order, slice) else np.log(sizes)
            fill_resamples(
                sizes, logs, self.weights[order], self.units[order], drawn, np.array(SHARES),
                places, sums, found, curves,
            )  # fmt: skip
        return sums, found, curves
