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

Unit = Literal["crystals", "pictures"]

N_RESAMPLES = 1000
_DRAWS_AT_ONCE = 1 << 21
_WORK_OF_A_THREAD = 1 << 24
"""Crystals times resamples; below it, a second thread costs more than it saves."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Sizes with weights from pictures.

    Parameters
    ----------
    sizes
        ``(n,)`` positive and finite, any unit and order.
    weights
        ``(n,)`` above 0: for how many crystals of the population each one stands.
    picture
        ``(n,)`` number of the picture each is in, 0 to P - 1.
    areas
        ``(P,)`` areas of the pictures, above 0, in the unit that densities are wanted per; NaN
        when not known.
    coverages
        ``(P,)`` covered parts of the pictures; NaN when not known.
    calibrations
        ``(P,)`` number of the calibration of each picture, 0 to C - 1.
    scale_errors
        ``(C,)`` relative standard uncertainties of the pixel sizes, 0 or more.

    Raises
    ------
    ArgumentError
        When the parts do not fit each other or are out of range.
    """

    sizes: NDArray[np.float64]
    weights: NDArray[np.float64]
    picture: NDArray[np.int64]
    areas: NDArray[np.float64]
    coverages: NDArray[np.float64]
    calibrations: NDArray[np.int64]
    scale_errors: NDArray[np.float64]

    def __post_init__(self) -> None:
        n, n_pictures = len(self.sizes), len(self.areas)
        if not len(self.weights) == len(self.picture) == n:
            raise ArgumentError(f"{n} sizes need as many weights and pictures")
        if not len(self.coverages) == len(self.calibrations) == n_pictures:
            raise ArgumentError(f"{n_pictures} areas need as many coverages and calibrations")
        if not (np.isfinite(self.sizes).all() and (self.sizes > 0).all()):
            raise ArgumentError("sizes must be finite and above 0; leave out what has no size")
        if not (np.isfinite(self.weights).all() and (self.weights > 0).all()):
            raise ArgumentError("weights must be finite and above 0; leave out what counts nothing")
        for name, index, end in (
            ("picture", self.picture, n_pictures),
            ("calibration", self.calibrations, len(self.scale_errors)),
        ):
            if len(index) and not (0 <= index.min() and index.max() < end):
                raise ArgumentError(f"{name} numbers must lie between 0 and {end - 1}")
        if not ((self.scale_errors >= 0) & np.isfinite(self.scale_errors)).all():
            raise ArgumentError("uncertainties of the pixel size must be 0 or more")

    @classmethod
    def of_one_kind(
        cls,
        sizes: NDArray[Any],
        picture: NDArray[Any] | None = None,
        *,
        weights: NDArray[Any] | None = None,
        areas: NDArray[Any] | None = None,
        coverages: NDArray[Any] | None = None,
        scale_error: float = 0.0,
    ) -> Sample:
        """Return a sample whose pictures share one calibration.

        Parameters
        ----------
        sizes, picture, weights, areas, coverages
            As for the class; one picture, weights of 1, and unknown areas and coverages when left
            out.
        scale_error
            Relative standard uncertainty of the pixel size.
        """
        values = np.asarray(sizes, dtype=np.float64)
        of = np.zeros(len(values), np.int64) if picture is None else np.asarray(picture, np.int64)
        known = next((len(each) for each in (areas, coverages) if each is not None), None)
        n_pictures = known if known is not None else int(of.max(initial=0)) + 1
        nothing = np.full(n_pictures, np.nan)
        return cls(
            values,
            np.ones(len(values)) if weights is None else np.asarray(weights, np.float64),
            of,
            nothing if areas is None else np.asarray(areas, np.float64),
            nothing if coverages is None else np.asarray(coverages, np.float64),
            np.zeros(n_pictures, np.int64),
            np.array([scale_error], dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def n_pictures(self) -> int:
        """Pictures, with crystals or without."""
        return len(self.areas)


@dataclass(frozen=True, eq=False)
class Replicates:
    """Statistics of resamples, in the order of `statistics.STATISTICS`.

    Parameters
    ----------
    values
        ``(B, S)`` with the calibrations as they are; NaN where a resample has none.
    scaling
        ``(B, S)`` by what the drawn calibrations change them.
    curves
        ``(B, K, 4)`` cumulative shares of each kind at the sizes of the grid.
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
        scaling = np.empty_like(values)
        for b, factor in enumerate(factors):
            this = slice(b, b + 1)
            area = self._per_picture(drawn[this], factor[self.sample.calibrations] ** 2)[0]
            order, sizes = self._merged(factor)
            places = np.searchsorted(sizes, self.grid[None] / self.scale, side="right")
            sums, found, curves[this] = self._resampled(order, sizes, drawn[this], places)
            row = evaluate(sums, found, sizes, self.scale, area, counted[this], covered[this])
            scaling[b] = row[0] / values[b]
        return Replicates(values, scaling, curves)

    def _per_picture(
        self, drawn: NDArray[np.uint32], stretch: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the area and the mean coverage of the pictures in each resample."""
        areas = self.sample.areas if stretch is None else self.sample.areas * stretch
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
