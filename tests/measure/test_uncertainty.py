"""Intervals hold the truth as often as they say; what they consist of can be told apart."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.measure.bootstrap import bootstrap, estimate
from crystalgauge.measure.sample import Sample
from crystalgauge.measure.size_distribution import half_widths_of
from crystalgauge.measure.statistics import COLUMN
from crystalgauge.measure.uncertainty import band, half_widths, units_needed
from crystalgauge.measure.volume_mean import volume_mean_errors

DEVIATION = 0.35
DENSITY = 40.0
NAMES = ("number_d10", "number_d50", "number_d90", "d_1_0", "volume_d50", "d_4_3", "moment_0")


def truth(between: float) -> np.ndarray:
    """Return the figures of log-normal sizes around exp(3), as in `NAMES` (Hatch and Choate)."""
    variance = DEVIATION**2 + between**2
    tenth = 1.2815515655446004 * np.sqrt(variance)
    logs = [3 - tenth, 3.0, 3 + tenth, 3 + variance / 2, 3 + 3 * variance, 3 + 3.5 * variance]
    return np.array([*np.exp(logs), DENSITY])


def held(n_pictures: int, crystals: float, trials: int, between: float = 0.1) -> np.ndarray:
    """Return how often intervals hold the truth.

    Pictures differ from each other in median size and in number.
    """
    hits = np.zeros(len(NAMES))
    columns = [COLUMN[name] for name in NAMES]
    between = between if n_pictures > 1 else 0.0
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        richness = np.exp(rng.normal(-(between**2) / 2, between, n_pictures))
        counts = rng.poisson(crystals * richness)
        picture = np.repeat(np.arange(n_pictures), counts)
        level = rng.normal(3.0, between, n_pictures)
        sizes = np.exp(level[picture] + rng.normal(0, DEVIATION, len(picture)))
        areas = np.full(n_pictures, crystals / DENSITY)
        sample = Sample.of_one_kind(sizes, picture, areas=areas)
        unit = "pictures" if n_pictures > 1 else "crystals"
        drawn = bootstrap(sample, unit, resamples=200, seed=seed)
        reach = half_widths_of(sample, drawn, n_pictures if n_pictures > 1 else len(sizes), unit)
        assert reach is not None
        error = np.log(estimate(sample).values[0, columns] / truth(between))
        hits += (error <= reach.down[columns]) & (-error <= reach.up[columns])
    return hits / trials


@pytest.mark.parametrize(("n_pictures", "crystals"), [(1, 200), (4, 60), (15, 40)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(
    n_pictures: int, crystals: float
) -> None:
    found = dict(zip(NAMES, held(n_pictures, crystals, 150), strict=True))
    # 150 trials at 0.95 have a standard deviation of 0.018; three of them
    for name in ("number_d10", "number_d50", "number_d90", "d_1_0", "moment_0"):
        assert found[name] > 0.89, (name, found)
    # the large crystals that these rest on are few, and a bootstrap knows only of those seen
    assert found["volume_d50"] > 0.84
    assert found["d_4_3"] > 0.89


@pytest.mark.slow
@pytest.mark.parametrize(("n_pictures", "crystals"), [(1, 500), (5, 100), (30, 40)])
def test_intervals_hold_the_truth_in_a_large_simulation(n_pictures: int, crystals: float) -> None:
    found = dict(zip(NAMES, held(n_pictures, crystals, 1000), strict=True))
    for name in ("number_d10", "number_d50", "number_d90", "d_1_0", "moment_0"):
        # the standard deviation of 1000 trials is 0.007
        assert 0.925 < found[name] < 0.975, (name, found)


def test_the_interval_of_the_volume_mean_leans_up_and_shrinks_to_the_normal_one() -> None:
    rng = np.random.default_rng(8)
    few, many = (Sample.of_one_kind(rng.lognormal(3, DEVIATION, n)) for n in (40, 200_000))
    down, up = volume_mean_errors(few, "crystals")
    assert up > 1.5 * down  # crystals larger than any seen
    down, up = volume_mean_errors(many, "crystals")
    # variance of the linearised logarithm: integrals of the log-normal moments
    variance = np.exp(16 * DEVIATION**2) + np.exp(9 * DEVIATION**2) - 2 * np.exp(12 * DEVIATION**2)
    assert 0.5 * (down + up) == pytest.approx(1.96 * np.sqrt(variance / 200_000), rel=0.15)
    same = Sample.of_one_kind(np.full(10, 7.0))
    assert volume_mean_errors(same, "crystals") == (0.0, 0.0)
    assert volume_mean_errors(few, "crystals", seed=1) == volume_mean_errors(
        few, "crystals", seed=1
    )


def test_only_ratios_of_weights_and_units_of_length_that_cancel_count() -> None:
    rng = np.random.default_rng(9)
    sizes, weights, picture = (
        rng.lognormal(3, 0.3, 400),
        rng.uniform(1, 3, 400),
        np.arange(400) // 20,
    )
    rest = (picture, np.ones(20), np.ones(20), np.zeros(20, np.int64), np.zeros(1))
    found = [
        volume_mean_errors(Sample(scale * sizes, factor * weights, *rest), "pictures")
        for scale, factor in ((1, 1), (1e6, 1), (1, 7))
    ]
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-9)
    assert found[0] != volume_mean_errors(Sample(sizes, np.ones(400), *rest), "pictures")


def test_pictures_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    picture = np.repeat(np.arange(12), 40)
    sizes = np.exp(rng.normal(3.0, 0.3, 12)[picture] + rng.normal(0, 0.2, len(picture)))
    sample = Sample.of_one_kind(sizes, picture)
    by_picture = half_widths(bootstrap(sample, "pictures"), 12)[COLUMN["number_d50"]]
    by_crystal = half_widths(bootstrap(sample, "crystals"), 480)[COLUMN["number_d50"]]
    assert by_picture > 2 * by_crystal  # medians of 12 levels against medians of 480 crystals


def test_sampling_and_calibration_alone_and_together() -> None:
    sizes = np.random.default_rng(3).lognormal(3, 0.3, 300)
    sample = Sample.of_one_kind(sizes, areas=np.ones(1), scale_error=0.02)
    drawn = bootstrap(sample, "crystals", resamples=2000)
    both, sampling, calibration = (
        half_widths(drawn, 300, source) for source in ("both", "sampling", "calibration")
    )
    assert calibration[COLUMN["number_d50"]] == pytest.approx(1.96 * 0.02, rel=0.06)
    assert calibration[COLUMN["moment_0"]] == pytest.approx(2 * 1.96 * 0.02, rel=0.06)
    assert calibration[COLUMN["geometric_sd"]] == pytest.approx(0, abs=1e-12)
    known = np.isfinite(both)
    np.testing.assert_allclose(both[known], np.hypot(sampling, calibration)[known])
    exact = bootstrap(Sample.of_one_kind(sizes, areas=np.ones(1)), "crystals", resamples=200)
    assert half_widths(exact, 300, "calibration")[COLUMN["number_d50"]] == 0


def test_few_units_widen_the_interval() -> None:
    sample = Sample.of_one_kind(np.array([10.0, 20.0, 40.0]), np.arange(3))
    drawn = bootstrap(sample, "pictures")
    # Student's 4.30 for 3 units and sqrt(3 / 2), against 1.96 and almost 1
    ratio = half_widths(drawn, 3) / half_widths(drawn, 10_000)
    assert ratio[COLUMN["d_1_0"]] == pytest.approx(4.303 * np.sqrt(1.5) / 1.960, rel=1e-3)


def test_the_band_surrounds_the_curve_and_holds_the_truth() -> None:
    grid = np.array([5.0, np.exp(3.0 - 0.3), np.exp(3.0), np.exp(3.3), 1e4])
    inside = np.zeros(3)
    for seed in range(100):
        sizes = np.exp(np.random.default_rng(seed).normal(3, 0.3, 100))
        sample = Sample.of_one_kind(sizes)
        curve = estimate(sample, grid).curves[0]
        drawn = bootstrap(sample, "crystals", resamples=200, seed=seed, grid=grid)
        low, high = band(curve, drawn, 100)
        assert ((0 <= low) & (low <= curve) & (curve <= high) & (high <= 1)).all()
        assert (np.diff(low, axis=0) >= 0).all()
        assert (np.diff(high, axis=0) >= 0).all()
        true = np.array([0.15866, 0.5, 0.84134])
        inside += (low[1:4, 0] <= true) & (true <= high[1:4, 0])
    assert (inside >= 88).all()  # three standard deviations of 2.2 below 95
    assert (low[-1] == 1).all()


def test_needed_crystals_follow_the_root_law() -> None:
    assert units_needed(np.log(1.1), 100, 0.1) == 0
    assert units_needed(2 * np.log(1.05), 100, 0.05) == 300
    assert units_needed(0.01, 100, 0.05) == 0
    assert units_needed(np.nan, 100, 0.05) is None
    rng = np.random.default_rng(0)
    widths = [
        half_widths(bootstrap(Sample.of_one_kind(rng.lognormal(3, 0.3, n)), "crystals"), n)
        for n in (200, 3200)
    ]
    few, many = (width[COLUMN["d_1_0"]] for width in widths)
    wanted = units_needed(few, 200, float(np.expm1(many)))
    assert wanted == pytest.approx(3000, rel=0.25)
