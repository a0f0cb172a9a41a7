from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.measure import bootstrap_percentiles, weighted_percentiles

D50 = 1


def test_percentiles_of_ten_are_the_first_fifth_and_ninth() -> None:
    number, volume = weighted_percentiles(np.arange(10.0, 0.0, -1.0))
    np.testing.assert_array_equal(number, [1, 5, 9])
    # the cubes of 1 ... 10 sum to 3025: 302.5 is reached at 6 (441), 1512.5 at 9, 2722.5 at 10
    np.testing.assert_array_equal(volume, [6, 9, 10])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.1, 1e3), min_size=1, max_size=20), st.integers(2, 5))
def test_counting_every_crystal_again_changes_nothing(sizes: list[float], times: int) -> None:
    once = weighted_percentiles(np.array(sizes))
    np.testing.assert_array_equal(once, weighted_percentiles(np.repeat(sizes, times)))
    assert (np.diff(once, axis=1) >= 0).all()
    assert (once[1] >= once[0]).all()  # weight moves to the large ones
    np.testing.assert_allclose(weighted_percentiles(np.array(sizes) * 1e-9), once * 1e-9)


def test_volume_percentiles_of_a_lognormal_follow_hatch_and_choate() -> None:
    sizes = np.exp(np.random.default_rng(1).normal(3.0, 0.4, 200_000))
    number, volume = weighted_percentiles(sizes)
    assert number[D50] == pytest.approx(np.exp(3.0), rel=0.01)
    # Hatch and Choate (1929): the volume median is the number median times exp(3 ln² sigma_g)
    assert volume[D50] == pytest.approx(np.exp(3.0 + 3 * 0.4**2), rel=0.01)


def test_the_same_seed_gives_the_same_interval() -> None:
    sizes = np.random.default_rng(0).lognormal(2, 0.5, 50)
    units = np.arange(50)
    first = bootstrap_percentiles(sizes, units, 50, seed=4)
    np.testing.assert_array_equal(first, bootstrap_percentiles(sizes, units, 50, seed=4))
    assert (first != bootstrap_percentiles(sizes, units, 50, seed=5)).any()
    assert (first[..., 0] <= weighted_percentiles(sizes)).all()
    assert (first[..., 1] >= weighted_percentiles(sizes)).all()


def test_pictures_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    level = rng.normal(3.0, 0.3, 12)
    picture = np.repeat(np.arange(12), 40)
    sizes = np.exp(level[picture] + rng.normal(0, 0.2, len(picture)))
    by_picture = np.ptp(bootstrap_percentiles(sizes, picture, 12)[0, D50])
    by_crystal = np.ptp(bootstrap_percentiles(sizes, np.arange(len(sizes)), len(sizes))[0, D50])
    # medians of 12 levels against medians of 480 crystals
    assert by_picture > 2 * by_crystal


def coverage_of_intervals(
    n_crystals: int, n_pictures: int, trials: int, between: float = 0.2
) -> np.ndarray:
    """Return how often intervals hold the true D10, D50, D90, by number and by volume."""
    hits = np.zeros((2, 3))
    sigma = np.hypot(0.35, between if n_pictures > 1 else 0.0)
    quantile = np.array([-1.2815515655446004, 0.0, 1.2815515655446004])
    truth = np.exp(3.0 + np.array([[0.0], [3 * sigma**2]]) + sigma * quantile)
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        level = rng.normal(0, between, n_pictures) if n_pictures > 1 else np.zeros(1)
        picture = np.repeat(np.arange(n_pictures), n_crystals // n_pictures)
        sizes = np.exp(3.0 + level[picture] + rng.normal(0, 0.35, len(picture)))
        units = picture if n_pictures > 1 else np.arange(len(sizes))
        ends = bootstrap_percentiles(sizes, units, int(units.max()) + 1, seed=seed)
        hits += (ends[..., 0] <= truth) & (truth <= ends[..., 1])
    return hits / trials


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = coverage_of_intervals(200, 1, 120)
    # 120 trials at 0.95 have a standard deviation of 0.02; three of them, and a percentile
    # bootstrap is a little optimistic in the tails
    assert (held[0] > 0.88).all()
    assert held[1, D50] > 0.86


@pytest.mark.slow
def test_intervals_hold_the_truth_in_a_large_simulation() -> None:
    one = coverage_of_intervals(500, 1, 1000)
    np.testing.assert_allclose(one[0], 0.95, atol=0.025)
    np.testing.assert_allclose(one[1, :2], 0.95, atol=0.04)
    # 500 trials at 0.95 have a standard deviation of 0.01; D90 of clusters is known to fall short
    many = coverage_of_intervals(1200, 30, 500)
    assert (many[0] > [0.92, 0.90, 0.87]).all()
    few = coverage_of_intervals(200, 5, 500)
    assert (few[0] > [0.83, 0.91, 0.88]).all()
