from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from crystalgauge.core import ArgumentError
from crystalgauge.measure.clustered_sample import ClusteredSample, deal_gaps, median_and_band
from crystalgauge.measure.comparison import compare_groups, compare_pair, holm


def experiment(
    rng: np.random.Generator, n_pictures: int, shift: float = 0.0, between: float = 0.3
) -> ClusteredSample:
    """Return log-sizes whose mean varies from picture to picture, some pictures rich, some poor."""
    number = rng.integers(5, 60, n_pictures)
    picture = np.repeat(np.arange(n_pictures), number)
    means = rng.normal(shift, between, n_pictures)
    return ClusteredSample(means[picture] + rng.normal(0, 0.4, len(picture)), picture)


def test_the_clustered_test_keeps_its_level_where_the_plain_one_does_not() -> None:
    rng = np.random.default_rng(0)
    clustered, plain = [], []
    for repeat in range(300):
        pair = compare_pair("a", experiment(rng, 5), "b", experiment(rng, 4), seed=repeat)
        clustered.append(pair.p_clustered)
        plain.append(pair.p_plain)
    # 126 deals: 4.8 % of 300 are 14, with a standard deviation of 3.7
    assert 4 <= sum(p <= 0.05 for p in clustered) <= 26
    assert sum(p <= 0.05 for p in plain) > 150
    # under the null p-values are uniform: the mean is 0.5 with a standard error of 0.017
    assert np.mean(clustered) == pytest.approx(0.5, abs=0.06)


def test_a_difference_larger_than_that_between_pictures_is_found() -> None:
    rng = np.random.default_rng(1)
    pairs = [
        compare_groups({"a": experiment(rng, 8), "b": experiment(rng, 8, shift=0.8)}).pairs[0]
        for _ in range(20)
    ]
    assert sum(pair.p_clustered <= 0.05 for pair in pairs) >= 18


def test_one_crystal_a_picture_is_the_plain_test() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 1, 60), rng.normal(0.45, 1, 70)
    got = compare_groups({
        "a": ClusteredSample(a, np.arange(60)), "b": ClusteredSample(b, np.arange(70))
    }).pairs[0]  # fmt: skip
    want = ks_2samp(a, b)
    assert got.statistic == pytest.approx(want.statistic)
    assert got.p_plain == pytest.approx(want.pvalue)
    # 2000 deals give p to within 4 standard errors
    error = 4 * np.sqrt(want.pvalue * (1 - want.pvalue) / 2000)
    assert got.p_clustered == pytest.approx(want.pvalue, abs=error)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_gaps_are_those_of_scipy_with_ties_too(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.sort(rng.integers(0, 12, 40)).astype(float)
    picture = np.concatenate([np.arange(6), rng.integers(0, 6, 34)])
    deals = np.array([[True, True, False, False, True, False], [False] * 5 + [True]])
    for deal, gap in zip(deals, deal_gaps(values, np.ones(40), picture, deals), strict=True):
        first = deal[picture]
        assert gap == pytest.approx(ks_2samp(values[first], values[~first]).statistic)


def test_weights_are_crystals_replicated() -> None:
    rng = np.random.default_rng(6)
    a, b = experiment(rng, 5), experiment(rng, 4)
    counts = [rng.integers(1, 5, len(sample)) for sample in (a, b)]
    weighted, replicated = (
        compare_pair("a", *(one, "b", other))
        for one, other in (
            [ClusteredSample(s.values, s.picture, n) for s, n in zip((a, b), counts, strict=True)],
            [
                ClusteredSample(np.repeat(s.values, n), np.repeat(s.picture, n))
                for s, n in zip((a, b), counts, strict=True)
            ],
        )
    )
    assert weighted.statistic == pytest.approx(replicated.statistic)
    assert weighted.p_clustered == replicated.p_clustered
    # the classical test knows no weights
    plain = ks_2samp(a.values, b.values)
    assert (weighted.statistic_plain, weighted.p_plain) == (plain.statistic, plain.pvalue)
    bands = [
        median_and_band(ClusteredSample(a.values, a.picture, counts[0])),
        median_and_band(ClusteredSample(np.repeat(a.values, counts[0]),
                                        np.repeat(a.picture, counts[0]))),
    ]  # fmt: skip
    for name in ("median", "low", "high", "band"):
        assert getattr(bands[0], name) == pytest.approx(getattr(bands[1], name))


def test_few_pictures_are_dealt_in_every_way_and_tell_how_small_p_can_be() -> None:
    far = compare_groups({
        "a": ClusteredSample(np.arange(30.0), np.repeat([0, 1, 2], 10)),
        "b": ClusteredSample(100 + np.arange(30.0), np.repeat([0, 1, 2], 10)),
    }).pairs[0]  # fmt: skip
    assert far.n_deals == 20
    assert far.least_p == far.p_clustered == pytest.approx(2 / 20)
    assert far.p_plain < 1e-9
    single = ClusteredSample(np.arange(30.0), np.zeros(30))
    lone = compare_groups({"a": single, "b": single}).pairs[0]
    assert (lone.p_clustered, lone.least_p, lone.p_clustered_holm) == (None, None, None)


def test_holm_on_a_worked_example() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([0.7, 0.8]).tolist() == [1.0, 1.0]
    assert len(holm([])) == 0


def test_all_pairs_are_corrected_together() -> None:
    rng = np.random.default_rng(3)
    got = compare_groups({name: experiment(rng, 6) for name in "abcd"})
    assert [(p.first, p.second) for p in got.pairs] == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")
    ]  # fmt: skip
    want = holm([p.p_clustered for p in got.pairs])
    np.testing.assert_allclose([p.p_clustered_holm for p in got.pairs], want)
    assert all(p.p_plain_holm >= p.p_plain for p in got.pairs)


def test_median_interval_and_band_hold_the_truth_as_often_as_they_say() -> None:
    from scipy.stats import norm

    rng = np.random.default_rng(4)
    in_interval, in_band = [], []
    for repeat in range(200):
        sample = experiment(rng, 12)
        got = median_and_band(sample, seed=repeat)
        in_interval.append(got.low <= 0.0 <= got.high)
        truth = norm.cdf(sample.values, 0, np.hypot(0.3, 0.4))
        reached = np.arange(1, len(sample) + 1) / len(sample)
        gap = max(abs(reached - truth).max(), abs(reached - 1 / len(sample) - truth).max())
        in_band.append(gap <= got.band)
    # 95 % of 200 with a standard deviation of 1.5 %; the bootstrap is a little off with 12 units
    assert 0.90 <= np.mean(in_interval) <= 0.985
    assert 0.90 <= np.mean(in_band) <= 1.0


def test_one_picture_is_resampled_by_crystals() -> None:
    sample = ClusteredSample(np.arange(1.0, 102.0), np.zeros(101))
    got = median_and_band(sample)
    assert (got.median, got.resampled, got.n_pictures) == (51.0, "crystals", 1)
    # binomial order statistics give 41 to 61 (Conover, Practical Nonparametric Statistics)
    assert got.low == pytest.approx(41, abs=2)
    assert got.high == pytest.approx(61, abs=2)
    assert np.isnan(median_and_band(ClusteredSample([3.0], ["x"])).band)


def test_what_cannot_be_compared_is_refused() -> None:
    sample = ClusteredSample([1.0, 2.0], ["x", "y"])
    with pytest.raises(ArgumentError, match="two groups or more, got 1"):
        compare_groups({"a": sample})
    with pytest.raises(ArgumentError, match="group 'b': it is empty"):
        compare_groups({"a": sample, "b": ClusteredSample([], [])})
    with pytest.raises(ArgumentError, match="must be finite"):
        ClusteredSample([np.nan], ["x"])
    for weights in ([1.0], [1.0, 0.0], [1.0, np.nan]):
        with pytest.raises(ArgumentError, match="finite weight above 0"):
            ClusteredSample([1.0, 2.0], ["x", "y"], weights)
    with pytest.raises(ArgumentError, match="give each value its picture"):
        ClusteredSample([1.0, 2.0], ["x"])
