"""Process kinetics: induction time, growth rate and nucleation rate from samples over time.

With the moments ``mu_k`` of the number density of crystals larger than the least size ``x_min``
that is counted, in a well-mixed vessel without breakage and agglomeration, and with growth that
does not depend on size (Randolph and Larson, *Theory of Particulate Processes*, 2nd ed., 1988,
chapter 3; the integral of the population balance from ``x_min`` on, once as it is and once times
x):

    B = d mu_0 / dt + D mu_0
    G = (d mu_1 / dt + D mu_1 - B x_min) / mu_0

``B`` is the rate at which crystals grow past ``x_min``; nuclei are seen ``x_min / G`` after they
formed. ``D`` is the inflow of liquid without crystals over the volume. Growth along characteristics
(`crystalgauge.measure.characteristics`) needs neither that independence nor ``B``.

Intervals are bootstrap intervals over the pictures of each sample, widened for few pictures. Where
samples scatter about the smooth course more than their pictures explain, that is added. They do not
hold what smoothing hides: changes within the bandwidth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.measure.characteristics import (
    Followed,
    choose_levels,
    follow,
    pooled_rate,
    size_trend,
    usable,
)
from crystalgauge.measure.few_units import interval, student_quotient, widening
from crystalgauge.measure.induction import (
    InductionTime,
    fit_delayed_nucleation,
    induction_time,
)
from crystalgauge.measure.kinetics_results import Course, Kinetics, SizeTrend
from crystalgauge.measure.local_regression import (
    FEWEST_TIMES,
    between_samples,
    choose_bandwidth,
    local_quadratic,
)
from crystalgauge.measure.rate_laws import PowerLaw, Supersaturation, fit_power_law
from crystalgauge.measure.sample_series import SampleSeries, Smoothed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from crystalgauge.measure.timed_sample import TimedSample

THRESHOLD_SHARE = 0.05
"""Of the greatest number density: where induction ends when no threshold is given."""

N_RESAMPLES = 1000
_LEAST_FREEDOM = 3.0
"""With fewer degrees of freedom Student's quantile makes an interval that says nothing."""

_TINY = float(np.finfo(np.float64).tiny)


def estimate_kinetics(
    samples: Sequence[TimedSample],
    *,
    least_size: float | None = None,
    threshold: float | None = None,
    bandwidth_h: float | None = None,
    dilution_per_h: ArrayLike = 0.0,
    supersaturation: Supersaturation | None = None,
    resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Kinetics:
    """Estimate induction time, growth and nucleation rates with 95 % intervals.

    Parameters
    ----------
    samples
        At four different times or more, in any order.
    least_size
        Size from which on every crystal is found; smaller ones are left out. The smallest size of
        all samples when None, which is right only if detection ends sharply.
    threshold
        Number density that ends the induction time; 5 % of the greatest one when None.
    bandwidth_h
        Half width of the smoothing window. When None, the one that predicts left-out samples
        best.
    dilution_per_h
        Inflow of liquid without crystals over the volume of suspension, one number or ``(K,)`` in
        the order of time; at least 0. Taking suspension out changes no density and counts 0.
    supersaturation
        For the power laws; it must reach over the times of all samples.
    resamples, seed
        Of the bootstrap: the same seed, the same intervals.

    Raises
    ------
    ArgumentError
        When there are too few samples, no crystals, or an argument is out of range.
    """
    _check(samples, threshold)
    if least_size is None:
        least_size = min(float(s.sizes.min()) for s in samples if len(s.sizes))
    series = SampleSeries(samples, least_size, resamples, seed)
    if not series.counts.any():
        raise ArgumentError(f"no crystal is as large as the least size, {least_size:g}")
    stretch = _stretch(series.time_h, dilution_per_h)
    medians, median_replicates = _medians(series)
    if bandwidth_h is None:
        bandwidth_h = _bandwidth(series, stretch, medians, median_replicates)
    median = series.smooth(medians, median_replicates, bandwidth_h)
    effect, few_samples = _between_samples(series, stretch, bandwidth_h)
    series.vary_samples(effect)
    number, length = (_smooth_moment(series, k, stretch, bandwidth_h) for k in (0, 1))
    followed = _follow(series, number, stretch, bandwidth_h)
    raw = widening(np.eye(len(stretch)), series.pictures)
    densities, replicates = series.moments[:, 0], series.moment_replicates[..., 0]
    laws = _laws(series, followed, stretch, few_samples, supersaturation)
    return Kinetics(
        time_h=series.time_h,
        least_size=float(least_size),
        bandwidth_h=bandwidth_h,
        number_density=_course(densities, replicates, raw),
        median_size=_course(medians, median_replicates, raw),
        nucleation_rate=_course(
            number.slope / stretch,
            number.slope_replicates / stretch,
            number.factors * few_samples,
        ),
        growth_rate=_course(
            *pooled_rate(followed), number.factors * few_samples * followed.scatter
        ),
        growth_rate_moments=_moment_growth(number, length, least_size, few_samples),
        median_growth_rate=_course(
            median.slope, median.slope_replicates, median.factors * median.scatter
        ),
        characteristics=followed.smooth,
        size_trend=_trend(followed, series.pictures),
        induction=_induction(series.time_h, densities, replicates, threshold, raw),
        delayed_nucleation=fit_delayed_nucleation(
            series.time_h, densities * stretch, _fit_errors(series, number, stretch, effect)
        ),
        growth_law=laws[0],
        nucleation_law=laws[1],
        number_scatter=effect,
        size_scatter=followed.scatter if len(followed.raw) else median.scatter,
    )


def _check(samples: Sequence[TimedSample], threshold: float | None) -> None:
    times = {sample.time_h for sample in samples}
    if len(times) < FEWEST_TIMES:
        raise ArgumentError(
            f"kinetics need samples at {FEWEST_TIMES} different times or more, got {len(times)}"
        )
    if len({bool(np.isnan(sample.extents[0])) for sample in samples}) > 1:
        raise ArgumentError(
            "some samples have volumes or areas of their pictures and some have none; give them "
            "for all samples, or for none"
        )
    if len({sample.time_h for sample in samples if len(sample.sizes)}) < FEWEST_TIMES:
        raise ArgumentError(f"crystals are seen at fewer than {FEWEST_TIMES} different times")
    if threshold is not None and not threshold > 0:
        raise ArgumentError(f"the threshold of the induction time must be above 0, got {threshold}")


def _stretch(time_h: NDArray[np.float64], dilution_per_h: ArrayLike) -> NDArray[np.float64]:
    """Return by how much the volume at each time exceeds what it was first, but for outflow."""
    rates = np.asarray(dilution_per_h, dtype=np.float64)
    if rates.shape not in {(), time_h.shape} or not ((rates >= 0) & np.isfinite(rates)).all():
        raise ArgumentError(
            f"dilution must be one number of at least 0, or {len(time_h)}, one for each sample"
        )
    each = np.broadcast_to(rates, time_h.shape)
    steps = 0.5 * (each[1:] + each[:-1]) * np.diff(time_h)
    return np.exp(np.concatenate([[0.0], np.cumsum(steps)]))


def _medians(series: SampleSeries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    half = np.full((len(series.time_h), 1), 0.5)
    many = np.full((series.n_resamples, *half.shape), 0.5)
    sizes, replicates = series.sizes_from_top(half, many)
    return sizes[:, 0], replicates[..., 0]


def _bandwidth(
    series: SampleSeries, stretch: NDArray[np.float64],
    medians: NDArray[np.float64], median_replicates: NDArray[np.float64],
) -> float:  # fmt: skip
    """Return the best bandwidth for the moments, or for the median where there are none."""
    if series.has_extents:
        known, scale = series.begun, stretch[series.begun, None]
        values = list((series.moments[known] * scale).T)
        spreads = list((series.moment_replicates[:, known].std(axis=0) * scale).T)
    else:
        known = np.isfinite(medians)
        values, spreads = [medians[known]], [median_replicates[:, known].std(axis=0)]
    return choose_bandwidth(series.time_h[known], values, [_bounded(each) for each in spreads])


def _bounded(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return errors of which none is so small that it alone would count."""
    typical = float(np.sqrt(np.mean(spread**2)))
    return np.hypot(spread, 0.1 * typical) if typical > 0 else np.ones(len(spread))


def _between_samples(
    series: SampleSeries, stretch: NDArray[np.float64], bandwidth_h: float
) -> tuple[float, float]:
    """Return how much the number density varies between samples, and what not knowing it costs.

    Returns
    -------
    deviation
        Relative standard deviation.
    quotient
        By how much to widen intervals, as it was found from few samples (Satterthwaite).
    """
    if not series.has_extents:
        return 0.0, 1.0
    known = series.begun
    time = series.time_h[known]
    values = (series.moments[:, 0] * stretch)[known]
    curve = local_quadratic(time, time, bandwidth_h).curve
    errors = _counting_errors(series, stretch)
    course = np.maximum(curve @ values, 0)
    errors = np.sqrt(errors[known] * course)
    deviation, freedom = between_samples(values, errors, curve)
    added = ((deviation * values) ** 2).sum()
    part = added / max(added + (errors**2).sum(), _TINY)
    freedom = max(freedom, _LEAST_FREEDOM)
    return deviation, float(student_quotient(freedom / part**2)) if part > 0 else 1.0


def _smooth_moment(
    series: SampleSeries, k: int, stretch: NDArray[np.float64], bandwidth_h: float
) -> Smoothed:
    """Return a moment referred to the first volume, smoothed; NaN where extents are not known."""
    values = np.where(series.begun, series.moments[:, k] * stretch, np.nan)
    replicates = series.moment_replicates[..., k] * stretch
    if series.has_extents:
        return series.smooth(values, replicates, bandwidth_h)
    nothing, many = np.full(len(values), np.nan), np.full(replicates.shape, np.nan)
    return Smoothed(nothing, nothing, many, many, nothing, 1.0)


def _follow(
    series: SampleSeries, number: Smoothed, stretch: NDArray[np.float64], bandwidth_h: float
) -> Followed:
    """Follow levels of the number density; their shares are of its smooth course.

    The size at a share of a sample's crystals is known far better than the size at a number per
    volume, which all errors of the volume move.
    """
    levels = choose_levels(number.curve)
    seen = usable(levels, number.curve, series.counts)  # (J, K)
    shares, many = (
        np.minimum(levels, 2 * curve[..., None]) / np.maximum(curve, _TINY)[..., None]
        for curve in (number.curve, np.maximum(number.curve_replicates, 0))
    )
    sizes, replicates = series.sizes_from_top(shares, many)
    used = np.where(seen & np.isfinite(sizes.T), sizes.T, np.nan)
    replicates = np.moveaxis(replicates, 2, 1)
    return follow(series.time_h, levels, used, replicates, series.few_pictures, bandwidth_h)


def _course(
    value: NDArray[np.float64], replicates: NDArray[np.float64], factors: NDArray[np.float64]
) -> Course:
    return Course(value, *interval(value, replicates, factors))


def _moment_growth(
    number: Smoothed, length: Smoothed, least_size: float, few_samples: float
) -> Course:
    def rate(
        count: NDArray[np.float64], born: NDArray[np.float64], longer: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(count > 0, (longer - born * least_size) / count, np.nan)

    value = rate(number.curve, number.slope, length.slope)
    many = rate(number.curve_replicates, number.slope_replicates, length.slope_replicates)
    return _course(value, many, length.factors * few_samples)


def _trend(followed: Followed, pictures: NDArray[np.int64]) -> SizeTrend:
    slope, many = size_trend(followed)
    if not np.isfinite(slope):
        return SizeTrend(slope, slope, slope, slope)
    from scipy.special import erfc  # costs 0.1 s, and only the test needs it

    factor = followed.scatter * _overall(pictures)
    low, high = interval(slope, many, factor)
    error = float(np.nanstd(many)) * factor
    p_value = float(erfc(abs(slope) / error / np.sqrt(2))) if error > 0 else float("nan")
    return SizeTrend(slope, float(low), float(high), p_value)


def _overall(pictures: NDArray[np.int64]) -> float:
    """Return by how much few pictures widen the interval of what rests on all samples."""
    drawn = pictures[pictures > 0]
    if not len(drawn):
        return 1.0
    lost = float(np.mean(drawn / (drawn - 1)))
    return float(np.sqrt(lost) * student_quotient(float((drawn - 1).sum())))


def _induction(
    time_h: NDArray[np.float64], densities: NDArray[np.float64], replicates: NDArray[np.float64],
    threshold: float | None, factors: NDArray[np.float64],
) -> InductionTime:  # fmt: skip
    if not np.isfinite(densities).all():
        nothing = float("nan")
        return InductionTime(nothing, nothing, nothing, nothing, "not reached")
    if threshold is None:
        threshold = THRESHOLD_SHARE * float(densities.max())
    return induction_time(time_h, densities, replicates, threshold, factors)


def _counting_errors(series: SampleSeries, stretch: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(K,)`` variances of the number densities within samples, over the densities.

    Counting, and clustering in pictures, make the variance a multiple of density over extent. The
    multiple is taken from all samples: from one it is uncertain, and small by chance where few
    crystals were met, so that a fit would be drawn down.
    """
    extents = np.array([sample.extents.sum() for sample in series.samples]) / stretch
    values = series.moments[:, 0] * stretch
    return float((series.number_errors * stretch) ** 2 @ extents / values.sum()) / extents


def _fit_errors(
    series: SampleSeries, number: Smoothed, stretch: NDArray[np.float64], effect: float
) -> NDArray[np.float64]:
    """Return standard errors of the number densities; one more crystal is always possible."""
    extents = np.array([sample.extents.sum() for sample in series.samples]) / stretch
    course = np.maximum(np.nan_to_num(number.curve), 0)
    within = _counting_errors(series, stretch) * course
    return np.sqrt(within + (effect * course) ** 2 + extents**-2)


def _laws(
    series: SampleSeries, followed: Followed, stretch: NDArray[np.float64],
    few_samples: float, supersaturation: Supersaturation | None,
) -> tuple[PowerLaw | None, PowerLaw | None]:  # fmt: skip
    """Fit growth to all characteristics, nucleation to the number density."""
    if supersaturation is None or not series.has_extents:
        return None, None
    factor = _overall(series.pictures) * few_samples
    growth = None
    level, at = np.nonzero(np.isfinite(followed.raw))
    if len(level):
        growth = fit_power_law(
            supersaturation, series.time_h[at], followed.raw[level, at],
            followed.raw_replicates[:, level, at], level, factor * followed.scatter,
        )  # fmt: skip
    nucleation = fit_power_law(
        supersaturation, series.time_h, series.moments[:, 0] * stretch,
        series.moment_replicates[..., 0] * stretch, np.zeros(len(stretch), np.int64), factor,
        stretch,
    )  # fmt: skip
    return growth, nucleation
