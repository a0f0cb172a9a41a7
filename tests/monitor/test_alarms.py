"""Limits and drifts of a figure over time."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.monitor.alarms import (
    Cusum,
    Threshold,
    check_name,
    cusum_alarms,
    cusum_series,
    parse_threshold,
    threshold_alarms,
)
from crystalgauge.monitor.trends import possible_names

NAN = np.nan


def test_limits_are_read() -> None:
    assert parse_threshold("number_d50_um>120") == Threshold("number_d50_um", ">", 120)
    assert parse_threshold(" coverage <= 1e-2 ") == Threshold("coverage", "<=", 0.01)


@pytest.mark.parametrize(
    "text", ["", "coverage", "coverage=3", ">3", "a>b", "a>nan", "a>inf", "a>1>2"]
)
def test_bad_limits_are_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="write it as"):
        parse_threshold(text)


def test_a_misspelled_figure_is_named_with_its_neighbours() -> None:
    with pytest.raises(ArgumentError, match="did you mean number_d50_um"):
        check_name("number_d5_um", ["number_d50_um", "coverage"])
    check_name("coverage", ["coverage"])


def test_a_name_like_none_is_answered_with_a_few_and_not_with_hundreds() -> None:
    with pytest.raises(ArgumentError, match="such as") as refused:
        check_name("nope", possible_names())
    assert len(str(refused.value)) < 250
    assert "_low" not in str(refused.value)


def test_stretches_beyond_a_limit() -> None:
    values = np.array([1, 5, NAN, 7, 6, 2, 9.0])
    alarms = threshold_alarms(values, Threshold("x", ">", 4))
    assert [(a.first, a.last, a.worst) for a in alarms] == [(1, 4, 3), (6, 6, 6)]
    below = threshold_alarms(values, Threshold("x", "<", 3))
    assert [(a.first, a.last, a.worst) for a in below] == [(0, 0, 0), (5, 5, 5)]
    assert threshold_alarms(np.array([4.0]), Threshold("x", ">", 4)) == []
    assert len(threshold_alarms(np.array([4.0]), Threshold("x", ">=", 4))) == 1
    assert threshold_alarms(np.full(3, NAN), Threshold("x", ">", 4)) == []
    assert threshold_alarms(np.array([]), Threshold("x", ">", 4)) == []


def test_sums_follow_the_recursion() -> None:
    # mean 10 and standard deviation 1 of the window; then z = 2, 2, -3
    window = [9, 11, 9, 11, 10, 10, 9, 11, 10.0]
    values = np.array([*window, 12, NAN, 12, 7])
    series = cusum_series(values, Cusum("x", k=0.5, h=2, reference=len(window)))
    assert series is not None
    assert (series.mean, series.deviation) == (10, pytest.approx(np.sqrt(6 / 8)))
    z = (values - 10) / series.deviation
    start = series.high[8]
    assert series.high[9:] == pytest.approx(
        [start + z[9] - 0.5] * 2
        + [start + z[9] + z[11] - 1, max(0, start + z[9] + z[11] + z[12] - 1.5)]
    )
    assert series.low[12] == pytest.approx(-z[12] - 0.5)
    assert series.reference.sum() == len(window)


def test_montgomerys_example() -> None:
    # Montgomery, Introduction to Statistical Quality Control, table 9.1: target 10, sigma 1,
    # the mean moves to 11 after 20 samples; the sum passes h = 5 at sample 29, drifting since 23
    data = [
        9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40,
        10.08, 9.37, 10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38,
        11.62, 11.31, 10.52,
    ]  # fmt: skip
    window = np.tile([10 - np.sqrt(0.95), 10 + np.sqrt(0.95)], 10)  # mean 10, deviation 1
    cusum = Cusum("x", reference=20)
    series = cusum_series(np.concatenate([window, data]), cusum)
    assert series is not None
    assert (series.mean, series.deviation) == (pytest.approx(10), pytest.approx(1))
    alarms = [alarm for alarm in cusum_alarms(series, cusum) if "upwards" in alarm.rule]
    assert [(a.first - 19, a.since - 19) for a in alarms] == [(29, 23)]


def test_a_shift_of_one_deviation_is_found_and_quiet_processes_stay_quiet() -> None:
    # from tables: on average 10 pictures with the shift, 465 without; the window's own error
    # makes both worse, hence the long window
    rng = np.random.default_rng(5)
    cusum = Cusum("x", reference=2000)
    delays, quiet = [], []
    for _ in range(200):
        values = rng.normal(size=2400)
        values[2200:] += 1
        series = cusum_series(values, cusum)
        assert series is not None
        starts = [alarm.first for alarm in cusum_alarms(series, cusum)]
        quiet.append(sum(2000 <= first < 2200 for first in starts))
        after = np.flatnonzero(series.high[2200:] > cusum.h)
        delays.append(after[0] + 1)
    assert np.mean(delays) == pytest.approx(10, rel=0.15)
    assert np.mean(quiet) == pytest.approx(200 / 465, rel=0.4)


def test_no_sums_without_a_full_or_varying_window() -> None:
    assert cusum_series(np.arange(4.0), Cusum("x", reference=5)) is None
    assert cusum_series(np.full(30, 7.0), Cusum("x")) is None
    assert cusum_series(np.full(30, NAN), Cusum("x")) is None


@pytest.mark.parametrize("bad", [{"k": -1}, {"h": 0}, {"h": np.inf}, {"reference": 4}])
def test_bad_settings_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=r"CUSUM|reference window"):
        Cusum("x", **bad)  # type: ignore[arg-type]
