from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import ArgumentError
from crystalgauge.measure.weighted_sizes import KINDS, WeightedSizes

LOG_DEVIATION = 0.35
MEDIAN = 20.0


@pytest.fixture(scope="module")
def log_normal() -> WeightedSizes:
    """Return the quantiles of a log-normal distribution: a sample without noise."""
    from scipy.special import ndtri

    share = (np.arange(200_000) + 0.5) / 200_000
    return WeightedSizes.unweighted(MEDIAN * np.exp(LOG_DEVIATION * ndtri(share)))


def test_by_hand() -> None:
    sample = WeightedSizes(np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0]))
    assert sample.sizes.tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(sample.cumulative([0.5, 1, 1.5, 2, 9]), [0, 0.5, 0.5, 0.75, 1])
    # volumes 2 x 1, 8 and 27 of 37
    np.testing.assert_allclose(sample.cumulative([1, 2, 3], 3), np.array([2, 10, 37]) / 37)
    assert sample.quantile([0.5, 0.75, 0.76]).tolist() == [1.0, 2.0, 3.0]
    assert sample.moment(1) == pytest.approx(7 / 4)
    assert sample.mean(1, 0) == pytest.approx(7 / 4)
    assert sample.mean(3, 2) == pytest.approx(37 / 15)
    assert sample.mean(0, 0) == pytest.approx((2 * 3) ** 0.25)
    assert sample.effective_number() == pytest.approx(16 / 6)


@pytest.mark.parametrize("r", KINDS)
def test_log_normal_closed_forms(log_normal: WeightedSizes, r: int) -> None:
    """Hatch and Choate: the median of kind r is x50,0 exp(r s²), the deviation stays."""
    variance = LOG_DEVIATION**2
    assert log_normal.quantile(0.5, r) == pytest.approx(MEDIAN * np.exp(r * variance), rel=2e-3)
    assert log_normal.geometric_deviation(r) == pytest.approx(np.exp(LOG_DEVIATION), rel=2e-3)
    for p, q in ((1, 0), (3, 2), (4, 3)):
        expected = MEDIAN * np.exp((p + q) / 2 * variance)
        assert log_normal.mean(p, q) == pytest.approx(expected, rel=2e-3)
    low, high = np.exp(np.array([-1.2816, 1.2816]) * LOG_DEVIATION)
    assert log_normal.span(r) == pytest.approx(high - low, rel=5e-3)


def test_density_integrates_to_one_and_has_its_peak(log_normal: WeightedSizes) -> None:
    edges = np.geomspace(2, 200, 80)
    assert (log_normal.density(edges, 3) * np.diff(edges)).sum() == pytest.approx(1, abs=1e-4)
    logs = log_normal.log_density(edges)
    assert (logs * np.diff(np.log(edges))).sum() == pytest.approx(1, abs=1e-4)
    peak = np.sqrt(edges[:-1] * edges[1:])[np.argmax(logs)]
    assert peak == pytest.approx(MEDIAN, rel=0.06)
    assert logs.max() == pytest.approx(1 / (LOG_DEVIATION * np.sqrt(2 * np.pi)), rel=0.02)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(1e-3, 1e3), st.integers(1, 4)), min_size=1, max_size=30),
    st.sampled_from(KINDS), st.floats(0.01, 1.0),
)  # fmt: skip
def test_weights_are_what_replication_would_be(
    rows: list[tuple[float, int]], r: int, share: float
) -> None:
    sizes, weights = np.array(rows).T
    weighted = WeightedSizes(sizes, weights)
    replicated = WeightedSizes.unweighted(np.repeat(sizes, weights.astype(int)))
    assert weighted.mean(4, 3) == pytest.approx(replicated.mean(4, 3))
    np.testing.assert_allclose(weighted.cumulative(sizes, r), replicated.cumulative(sizes, r))
    x = float(weighted.quantile(share, r))
    assert float(weighted.cumulative(x, r)) >= share * (1 - 1e-9)  # Q(x_p) reaches p
    below = weighted.sizes[weighted.sizes < x]
    assert not len(below) or float(weighted.cumulative(below[-1], r)) < share


def test_units_do_not_matter() -> None:
    sizes = np.random.default_rng(0).uniform(5, 50, 100)
    one, small = WeightedSizes.unweighted(sizes), WeightedSizes.unweighted(sizes * 1e-120)
    for r in KINDS:
        assert small.quantile(0.9, r) == pytest.approx(one.quantile(0.9, r) * 1e-120)
        assert small.span(r) == pytest.approx(one.span(r))
    assert small.mean(4, 3) == pytest.approx(one.mean(4, 3) * 1e-120)


def test_nothing_is_nan_and_nonsense_is_refused() -> None:
    empty = WeightedSizes.unweighted([])
    assert np.isnan(empty.quantile(0.5))
    assert np.isnan(empty.mean(4, 3))
    assert empty.effective_number() == 0.0
    assert np.isnan(WeightedSizes(np.array([2.0]), np.array([0.0])).quantile(0.5))
    for sizes, weights in (([0.0], [1.0]), ([np.nan], [1.0]), ([1.0], [-1.0]), ([1.0], [])):
        with pytest.raises(ArgumentError):
            WeightedSizes(np.array(sizes), np.array(weights))
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        WeightedSizes.unweighted([1.0]).quantile(50)
    with pytest.raises(ArgumentError, match="rise"):
        WeightedSizes.unweighted([1.0]).density([2.0, 1.0])


def test_a_crystal_of_no_weight_is_nobodys_percentile() -> None:
    sample = WeightedSizes(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0]))
    assert sample.quantile([0.0, 0.5, 1.0]).tolist() == [2.0, 2.0, 2.0]
