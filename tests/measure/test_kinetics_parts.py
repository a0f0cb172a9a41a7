"""The parts that kinetics rest on, each against what is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from crystalgauge.core import ArgumentError
from crystalgauge.measure.few_units import (
    few_units_factor,
    interval,
    student_quantile,
    student_quotient,
    widening,
)
from crystalgauge.measure.induction import fit_delayed_nucleation, induction_time
from crystalgauge.measure.local_regression import (
    between_samples,
    birge_ratio,
    choose_bandwidth,
    local_quadratic,
)
from crystalgauge.measure.rate_laws import Supersaturation
from crystalgauge.measure.timed_sample import Resamples, TimedSample
from crystalgauge.measure.weighted_sizes import WeightedSizes

TIMES = np.array([0.0, 0.2, 0.7, 1.0, 1.0, 1.6, 2.5, 3.1, 4.0])


@pytest.mark.parametrize("bandwidth", [0.01, 0.8, 50.0])
def test_the_regression_reproduces_parabolas_and_their_slopes(bandwidth: float) -> None:
    at = np.linspace(0, 4, 17)
    smoother = local_quadratic(TIMES, at, bandwidth)
    values = 2 - 3 * TIMES + 0.5 * TIMES**2
    np.testing.assert_allclose(smoother.curve @ values, 2 - 3 * at + 0.5 * at**2, atol=1e-8)
    np.testing.assert_allclose(smoother.slope @ values, -3 + at, atol=1e-7)


def test_the_bandwidth_follows_what_the_samples_show() -> None:
    time = np.linspace(0, 4, 40)
    even = [np.ones(40)]
    wide, narrow = [], []
    for noise in np.random.default_rng(0).normal(0, 0.05, (9, 40)):
        wide.append(choose_bandwidth(time, [time + noise], even))
        narrow.append(choose_bandwidth(time, [np.sin(4 * time) + noise], even))
    assert max(narrow) < 1 < np.median(wide)


def test_scatter_between_samples_is_found() -> None:
    rng = np.random.default_rng(1)
    time = np.linspace(0, 4, 80)
    level, errors = 100 + 50 * time, np.full(80, 5.0)
    curve = local_quadratic(time, time, 2.0).curve
    even = level + rng.normal(0, errors)
    uneven = level * rng.normal(1, 0.1, 80) + rng.normal(0, errors)
    assert birge_ratio(even, errors, curve) == pytest.approx(1, abs=0.2)
    assert birge_ratio(uneven, errors, curve) > 2
    assert between_samples(even, errors, curve)[0] < 0.02
    # the standard error of a deviation from 75 degrees of freedom is 8 %
    assert between_samples(uneven, errors, curve)[0] == pytest.approx(0.1, rel=0.25)


def test_few_pictures_widen_intervals_as_student_says() -> None:
    assert student_quotient(4) == pytest.approx(t.ppf(0.975, 4) / 1.959964, rel=1e-6)
    assert student_quantile([0, 4]).tolist() == [np.inf, pytest.approx(t.ppf(0.975, 4))]
    # both corrections of three units together (Hesterberg, 2015)
    assert few_units_factor(3) == pytest.approx(t.ppf(0.975, 2) / 1.959964 * np.sqrt(1.5), rel=1e-6)
    one = widening(np.array([[1.0, 0.0]]), np.array([5, 3]))
    assert one[0] == pytest.approx(np.sqrt(5 / 4) * t.ppf(0.975, 4) / 1.959964, rel=1e-6)
    both = widening(np.array([[1.0, 1.0]]), np.array([5, 5]))
    assert both[0] == pytest.approx(np.sqrt(5 / 4) * t.ppf(0.975, 8) / 1.959964, rel=1e-6)
    assert widening(np.array([[1.0, 1.0]]), np.array([0, 0]))[0] == pytest.approx(1, abs=1e-6)


def test_intervals_leave_out_resamples_without_a_value() -> None:
    replicates = np.column_stack([np.arange(101.0), np.full(101, np.nan), np.arange(101.0)])
    replicates[::2, 2] = np.nan
    low, high = interval([50.0, np.nan, 50.0], replicates, 2.0)
    np.testing.assert_allclose(low, [50 - 2 * 47.5, np.nan, 50 - 2 * 46.55])
    np.testing.assert_allclose(high, [50 + 2 * 47.5, np.nan, 50 + 2 * 46.55])


def test_moments_and_sizes_of_a_sample() -> None:
    sample = TimedSample.of_pictures(
        1.0, [WeightedSizes(np.array([1.0, 3.0]), np.array([2.0, 1.0])), [2.0], []], [2.0, 1.0, 1.0]
    )
    once = Resamples.once(sample)
    np.testing.assert_allclose(once.moments([0, 1, 2]), [[4 / 4, 7 / 4, 15 / 4]])
    # from the top 3, 2 and 1 stand at 0.5, 1.5 and 3 of 4 crystals
    found = once.sizes_from_top(np.array([[0.1, 0.125, 0.25, 0.375, 0.75, 0.9, 2.0]]))
    np.testing.assert_allclose(found, [[3, 3, 2.5, 2, 1, 1, 1]])
    assert sample.above(2.0).sizes.tolist() == [3.0, 2.0]


def test_pictures_are_drawn_whole_and_crystals_where_pictures_are_few() -> None:
    rng = np.random.default_rng(0)
    many = TimedSample.of_pictures(0.0, [[1.0, 1.0], [5.0], [2.0]], [1.0, 2.0, 3.0])
    drawn = Resamples.draw(many, 400, rng)
    assert (drawn.times.sum(axis=1) == 3).all()
    density = drawn.moments([0])[:, 0]
    assert {round(float(d), 6) for d in density} <= {
        round((2 * a + b + c) / (a + 2 * b + 3 * c), 6)
        for a in range(4) for b in range(4 - a) for c in [3 - a - b]
    }  # fmt: skip
    single = TimedSample.of_pictures(0.0, [np.arange(1.0, 101.0)], 2.0)
    density = Resamples.draw(single, 2000, rng).moments([0])[:, 0]
    assert density.mean() == pytest.approx(50, rel=0.01)
    assert density.std() == pytest.approx(5, rel=0.1)  # Poisson: the root of 100, over 2


def test_samples_that_do_not_fit_are_refused() -> None:
    one = np.ones(1)
    with pytest.raises(ArgumentError, match="as many weights"):
        TimedSample(0.0, one, np.ones(2), np.zeros(1, np.int64), one)
    with pytest.raises(ArgumentError, match="between 0 and 0"):
        TimedSample(0.0, one, one, np.ones(1, np.int64), one)
    with pytest.raises(ArgumentError, match="every picture"):
        TimedSample.of_pictures(0.0, [[1.0], [2.0]], [1.0, np.nan])
    with pytest.raises(ArgumentError, match="one picture or more"):
        TimedSample.of_pictures(0.0, [])
    with pytest.raises(ArgumentError, match="finite number"):
        TimedSample.of_pictures(np.inf, [[1.0]])
    with pytest.raises(ArgumentError, match="must rise"):
        Supersaturation(np.array([1.0, 0.0]), np.ones(2))
    with pytest.raises(ArgumentError, match="not below 0"):
        Supersaturation(np.array([0.0, 1.0]), np.array([1.0, -1.0]))
    with pytest.raises(ArgumentError, match="4 different times"):
        local_quadratic(np.array([0.0, 1.0, 1.0, 2.0]), np.zeros(1), 1.0)


def passage(densities: list[float], threshold: float) -> tuple[float, str]:
    values = np.array(densities)
    time = np.arange(len(values), dtype=float)
    found = induction_time(time, values, np.tile(values, (3, 1)), threshold, np.ones(len(values)))
    return found.time_h, found.status


def test_the_first_passage_of_a_threshold() -> None:
    assert passage([0, 0, 2, 4], 1.0) == (1.5, "observed")
    assert passage([0, 0, 2, 4], 3.0) == (2.5, "observed")
    # 3 and 0 become 1.5 and 1.5: a peak by chance is no beginning by itself
    assert passage([0, 3, 0, 6, 1], 2.0) == (pytest.approx(2 + 0.5 / 4.5), "observed")
    assert passage([2, 3, 4], 1.0)[1] == "before the first sample"
    assert passage([0, 1, 1], 5.0)[1] == "not reached"


def test_the_interval_of_a_passage_reaches_to_the_samples_beside_it() -> None:
    time, values = np.arange(4.0), np.array([0.0, 0.0, 2.0, 4.0])
    found = induction_time(time, values, np.tile(values, (9, 1)), 1.0, np.ones(4))
    assert (found.low_h, found.time_h, found.high_h) == (1.0, 1.5, 2.0)


def test_a_delayed_curve_is_found_again() -> None:
    time = np.linspace(0, 5, 21)
    values = 80 * -np.expm1(-0.7 * np.clip(time - 1.13, 0, None))
    found = fit_delayed_nucleation(time, values, np.ones(21))
    assert found.onset_h == pytest.approx(1.13, abs=1e-3)
    assert found.plateau == pytest.approx(80, rel=1e-3)
    assert found.rate == pytest.approx(56, rel=2e-3)
    assert found.low_h <= 1.13 <= found.high_h
    assert found.high_h - found.low_h < 0.2
    started = fit_delayed_nucleation(time, 10 + time, np.ones(21))
    assert np.isnan(started.low_h)
