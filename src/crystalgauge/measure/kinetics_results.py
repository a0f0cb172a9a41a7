"""What is known of the kinetics of a process, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from crystalgauge.measure.characteristics import Characteristics
    from crystalgauge.measure.induction import DelayedNucleation, InductionTime
    from crystalgauge.measure.rate_laws import PowerLaw


@dataclass(frozen=True, eq=False)
class Course:
    """A quantity at the times of the samples, with 95 % intervals; NaN where it is not known.

    Parameters
    ----------
    value, low, high
        ``(K,)`` estimates and ends of the intervals.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class SizeTrend:
    """Whether growth depends on size: ``dG / dx`` at the same time.

    Parameters
    ----------
    slope_per_h, low_per_h, high_per_h
        Its estimate and 95 % interval; NaN when sizes at no time differ.
    p_value
        Two-sided, of no dependence; NaN when resamples do not differ. Growth dispersion, breakage
        and agglomeration also make it small.
    """

    slope_per_h: float
    low_per_h: float
    high_per_h: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Kinetics:
    """Kinetics of a process; what needs the volume or area of the pictures is NaN without it.

    Number densities are per unit of the samples' extents, sizes in the samples' unit, rates per
    hour.

    Parameters
    ----------
    time_h
        ``(K,)`` rising times of the samples, at which all courses are given.
    least_size
        Smaller crystals were left out.
    bandwidth_h
        Half width of the local quadratic regression that slopes were taken by.
    number_density
        Of each sample, not smoothed.
    median_size
        Number-weighted, of each sample, not smoothed.
    nucleation_rate
        Number density per hour that grows past the least size. Below 0 by chance, or where
        crystals vanish.
    growth_rate
        Along characteristics, all levels taken together.
    growth_rate_moments
        From the first two moments; right when growth does not depend on size.
    median_growth_rate
        Slope of the median size. It is the growth rate only where nothing nucleates: new small
        crystals pull the median down.
    characteristics
        Sizes and growth rates of each level.
    size_trend
        Test for size-dependent growth.
    induction
        When the number density passed the threshold.
    delayed_nucleation
        The same by fitting a curve.
    growth_law, nucleation_law
        Powers of the supersaturation, when that was given.
    number_scatter
        Relative standard deviation of the number density between samples beyond what their
        pictures explain; the intervals hold it.
    size_scatter
        Birge ratio of the sizes: by how much samples scatter more than their pictures explain, at
        least 1. The intervals of growth rates are widened by it.
    """

    time_h: NDArray[np.float64]
    least_size: float
    bandwidth_h: float
    number_density: Course
    median_size: Course
    nucleation_rate: Course
    growth_rate: Course
    growth_rate_moments: Course
    median_growth_rate: Course
    characteristics: Characteristics
    size_trend: SizeTrend
    induction: InductionTime
    delayed_nucleation: DelayedNucleation
    growth_law: PowerLaw | None
    nucleation_law: PowerLaw | None
    number_scatter: float
    size_scatter: float
