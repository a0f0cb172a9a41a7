"""Kinetics of simulated populations whose moments and sizes are known in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.measure.kinetics import Kinetics, estimate_kinetics
from crystalgauge.measure.rate_laws import Supersaturation
from crystalgauge.measure.timed_sample import TimedSample

if TYPE_CHECKING:
    from collections.abc import Callable

BIRTHS, GROWTH, START = 50.0, 20.0, 0.4  # per volume and hour, size per hour, hours
LEAST = 2.0
VISIBLE = START + LEAST / GROWTH


def continuous_nucleation(
    rng: np.random.Generator,
    times: np.ndarray,
    *,
    pictures: int = 6,
    gain: float = 0.0,
    uneven: float = 0.0,
) -> list[TimedSample]:
    """Sample crystals that form evenly from START on and grow at ``GROWTH * (1 + gain * x)``."""
    samples = []
    for time in times:
        life = max(time - START, 0.0)
        sampled = rng.lognormal(-(uneven**2) / 2, uneven)
        sizes = []
        for number in rng.poisson(BIRTHS * life * sampled, pictures):
            age = rng.uniform(0, life, number)
            x = np.expm1(gain * GROWTH * age) / gain if gain else GROWTH * age
            sizes.append(x[x >= LEAST])
        samples.append(TimedSample.of_pictures(time, sizes, 1.0))
    return samples


def seeds(
    times: np.ndarray, size_at: Callable[[np.ndarray, float], np.ndarray], extent: float = 1.0
) -> list[TimedSample]:
    """Sample the same 40 crystals in each of four pictures, without any noise."""
    first = np.linspace(20.0, 60.0, 40)
    return [TimedSample.of_pictures(t, [size_at(first, t)] * 4, extent) for t in times]


def repeat(trials: int, **options: float) -> list[Kinetics]:
    times = np.linspace(0.2, 3, 11)
    return [
        estimate_kinetics(
            continuous_nucleation(np.random.default_rng(seed), times, **options),  # type: ignore[arg-type]
            least_size=LEAST,
            resamples=200,
            seed=seed,
        )
        for seed in range(trials)
    ]


def held(results: list[Kinetics], name: str, truth: float) -> float:
    """Return how often intervals hold the truth, over all times with a value."""
    courses = [getattr(each, name) for each in results]
    known = [np.isfinite(course.value) for course in courses]
    hits = [(c.low <= truth) & (truth <= c.high) for c in courses]
    return float(np.mean([hit[k].mean() for hit, k in zip(hits, known, strict=True)]))


def mean_of(results: list[Kinetics], name: str) -> float:
    return float(np.mean([np.nanmean(getattr(each, name).value) for each in results]))


def test_mccabe_growth_of_seeds_is_exact() -> None:
    times = np.array([0.0, 0.3, 0.5, 1.0, 1.4, 2.0, 2.2])
    samples = seeds(times, lambda first, t: first + 3 * t + 2 * t**2)
    found = estimate_kinetics(samples[::-1], resamples=20)
    np.testing.assert_array_equal(found.time_h, times)
    # the regression is of second order, and so is the growth
    truth = 3 + 4 * times
    for course in (found.growth_rate, found.growth_rate_moments, found.median_growth_rate):
        np.testing.assert_allclose(course.value, truth, rtol=1e-6)
        assert (course.low <= truth + 1e-6).all()
        assert (course.high >= truth - 1e-6).all()
    np.testing.assert_allclose(found.nucleation_rate.value, 0, atol=1e-6)
    assert found.size_trend.slope_per_h == pytest.approx(0, abs=1e-9)
    assert found.induction.status == "before the first sample"


@pytest.fixture(scope="module")
def even() -> list[Kinetics]:
    """Return the kinetics of experiments that differ by chance alone."""
    return repeat(25)


def test_constant_nucleation_and_growth_are_found_without_bias(even: list[Kinetics]) -> None:
    results = even
    # means over 25 experiments of some 6 x 130 crystals have standard errors of 1 % and less
    assert mean_of(results, "growth_rate") == pytest.approx(GROWTH, rel=0.01)
    assert mean_of(results, "growth_rate_moments") == pytest.approx(GROWTH, rel=0.03)
    assert mean_of(results, "nucleation_rate") == pytest.approx(BIRTHS, rel=0.03)
    for name, truth in (
        ("growth_rate", GROWTH),
        ("growth_rate_moments", GROWTH),
        ("nucleation_rate", BIRTHS),
    ):
        assert held(results, name, truth) > 0.9
    # new small crystals hold the median back: it grows at half the rate
    assert mean_of(results, "median_growth_rate") == pytest.approx(GROWTH / 2, rel=0.03)


def test_induction_is_when_crystals_can_first_be_seen(even: list[Kinetics]) -> None:
    results = even
    fits = np.array([
        [r.delayed_nucleation.onset_h, r.delayed_nucleation.low_h, r.delayed_nucleation.high_h]
        for r in results
    ])  # fmt: skip
    assert fits[:, 0].mean() == pytest.approx(VISIBLE, abs=0.03)
    assert np.mean((fits[:, 1] <= VISIBLE) & (VISIBLE <= fits[:, 2])) > 0.85
    rates = [r.delayed_nucleation.rate for r in results]
    assert np.median(rates) == pytest.approx(BIRTHS, rel=0.05)
    threshold = 0.05 * BIRTHS * (3 - VISIBLE)
    crossing = VISIBLE + threshold / BIRTHS
    for result in results:
        assert result.induction.threshold == pytest.approx(threshold, rel=0.2)
        assert result.induction.low_h <= crossing <= result.induction.high_h
        assert result.induction.low_h <= result.induction.time_h <= result.induction.high_h


def test_intervals_hold_samples_that_scatter_more_than_their_pictures(
    even: list[Kinetics],
) -> None:
    results = repeat(15, uneven=0.15)
    assert held(results, "nucleation_rate", BIRTHS) > 0.85
    assert held(results, "growth_rate", GROWTH) > 0.85
    assert 0.07 < np.median([r.number_scatter for r in results]) < 0.2
    assert np.median([r.number_scatter for r in even]) < 0.05


def test_size_dependent_growth_is_told_from_independent(even: list[Kinetics]) -> None:
    gain = 0.02
    dependent = [r.size_trend for r in repeat(6, gain=gain)]
    assert np.mean([t.slope_per_h for t in dependent]) == pytest.approx(gain * GROWTH, rel=0.1)
    assert all(t.p_value < 0.01 for t in dependent)
    independent = [r.size_trend for r in even]
    assert np.mean([t.low_per_h <= 0 <= t.high_per_h for t in independent]) > 0.85
    assert np.mean([t.p_value < 0.05 for t in independent]) < 0.15


def test_a_burst_of_nuclei_does_not_slow_the_crystals_that_are_there() -> None:
    rng = np.random.default_rng(3)
    samples = []
    for time in np.linspace(0, 3, 16):
        sizes = []
        for _ in range(6):
            old = rng.normal(50, 5, rng.poisson(60)) + 8 * time
            new = 8 * (time - rng.uniform(1.0, 1.5, rng.poisson(600)))
            sizes.append(np.concatenate([old, new[new > 1]]))
        samples.append(TimedSample.of_pictures(time, sizes, 1.0))
    found = estimate_kinetics(samples, least_size=1.0, bandwidth_h=1.0, resamples=200)
    before = found.time_h < 1
    assert found.growth_rate.value[before].mean() == pytest.approx(8, rel=0.1)
    after = found.time_h > 2.2
    assert found.growth_rate.value[after].mean() == pytest.approx(8, rel=0.05)
    falling = (found.time_h > 1) & (found.time_h < 1.5)
    assert found.median_growth_rate.value[falling].max() < 0
    assert found.nucleation_rate.value[falling].max() > 400


def test_dilution_is_not_taken_for_loss() -> None:
    times, inflow = np.linspace(0, 2, 9), 0.3
    first = np.linspace(20.0, 60.0, 40)
    samples = [TimedSample.of_pictures(t, [first + 5 * t] * 3, np.exp(inflow * t)) for t in times]
    plain = estimate_kinetics(samples, resamples=20)
    assert plain.nucleation_rate.value[4] == pytest.approx(-inflow * 40 * np.exp(-inflow), rel=0.02)
    found = estimate_kinetics(samples, resamples=20, dilution_per_h=np.full(9, inflow))
    np.testing.assert_allclose(found.nucleation_rate.value, 0, atol=1e-6)
    np.testing.assert_allclose(found.growth_rate_moments.value, 5, rtol=1e-6)
    np.testing.assert_allclose(found.growth_rate.value, 5, rtol=1e-6)
    np.testing.assert_allclose(found.number_density.value, 40 * np.exp(-inflow * times))


K_G, ORDER_G, K_B, ORDER_B = 30.0, 1.3, 400.0, 2.5


def batch(
    rng: np.random.Generator, fine: np.ndarray, supersaturation: np.ndarray
) -> list[TimedSample]:
    """Sample seeds and nuclei that follow power laws of a given supersaturation."""
    length, born = (
        np.concatenate([[0], np.cumsum(k * supersaturation**order)[:-1] * fine[1]])
        for k, order in ((K_G, ORDER_G), (K_B, ORDER_B))
    )
    samples = []
    for time in np.linspace(0, 4, 14):
        nuclei, grown = np.interp(time, fine, born), np.interp(time, fine, length)
        sizes = []
        for number in rng.poisson(nuclei, 6):
            births = np.interp(rng.uniform(0, nuclei, number), born, fine)
            new = grown - np.interp(births, fine, length)
            seeded = rng.normal(20, 2, rng.poisson(30)) + grown
            sizes.append(np.concatenate([seeded, new[new > 0.05]]))
        samples.append(TimedSample.of_pictures(time, sizes, 1.0))
    return samples


def test_power_laws_of_supersaturation() -> None:
    fine = np.linspace(0, 4, 4001)
    supersaturation = 0.8 * np.exp(-0.5 * fine)
    course = Supersaturation(fine[::200], supersaturation[::200])
    truth = np.array([K_G, ORDER_G, K_B, ORDER_B])
    found, hits = [], []
    for seed in range(4):
        samples = batch(np.random.default_rng(seed), fine, supersaturation)
        kinetics = estimate_kinetics(samples, supersaturation=course, resamples=100, seed=seed)
        g, b = kinetics.growth_law, kinetics.nucleation_law
        assert g is not None
        assert b is not None
        found.append([g.constant, g.order, b.constant, b.order])
        low = np.array([g.constant_low, g.order_low, b.constant_low, b.order_low])
        high = np.array([g.constant_high, g.order_high, b.constant_high, b.order_high])
        hits.append((low <= truth) & (truth <= high))
    np.testing.assert_allclose(
        np.mean(found, axis=0), truth, rtol=0.08
    )  # four standard errors of the mean
    assert np.mean(hits) > 0.7


def test_without_areas_only_the_median_speaks() -> None:
    times = np.linspace(0, 2, 6)
    found = estimate_kinetics(seeds(times, lambda x, t: x + 5 * t, np.nan), resamples=20)
    np.testing.assert_allclose(found.median_growth_rate.value, 5, rtol=1e-6)
    for course in (found.number_density, found.nucleation_rate, found.growth_rate):
        assert np.isnan(course.value).all()
    assert np.isnan(found.induction.time_h)
    assert np.isnan(found.delayed_nucleation.onset_h)


def test_single_pictures_give_intervals_from_their_crystals() -> None:
    results = repeat(6, pictures=1)
    assert held(results, "growth_rate", GROWTH) > 0.85
    assert held(results, "nucleation_rate", BIRTHS) > 0.85


def test_the_same_seed_gives_the_same_intervals() -> None:
    samples = continuous_nucleation(np.random.default_rng(1), np.linspace(0.2, 3, 8))
    first, second, other = (
        estimate_kinetics(samples, resamples=50, seed=seed).growth_rate.low for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_what_cannot_be_estimated_is_refused() -> None:
    times = np.linspace(0, 1, 5)
    samples = seeds(times, lambda x, t: x + t)
    with pytest.raises(ArgumentError, match="4 different times"):
        estimate_kinetics(samples[:3])
    with pytest.raises(ArgumentError, match="for all samples, or for none"):
        estimate_kinetics([*samples[:4], *seeds(times[4:], lambda x, t: x, np.nan)])
    with pytest.raises(ArgumentError, match="seen at fewer than 4"):
        estimate_kinetics([TimedSample.of_pictures(t, [[]], 1.0) for t in times])
    with pytest.raises(ArgumentError, match="no crystal is as large"):
        estimate_kinetics(samples, least_size=1e3)
    with pytest.raises(ArgumentError, match="threshold"):
        estimate_kinetics(samples, threshold=0.0)
    with pytest.raises(ArgumentError, match="dilution"):
        estimate_kinetics(samples, dilution_per_h=-0.1)
    with pytest.raises(ArgumentError, match="known from 0 to"):
        estimate_kinetics(
            samples, supersaturation=Supersaturation(np.array([0, 0.5]), np.array([1.0, 0.5]))
        )
