"""The engine is what replication would be, only faster; the same seed gives the same result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import ArgumentError
from crystalgauge.measure import bootstrap as engine
from crystalgauge.measure.bootstrap import bootstrap, estimate
from crystalgauge.measure.bootstrap_kernels import BLOCK, fill_resamples
from crystalgauge.measure.sample import Sample
from crystalgauge.measure.statistics import COLUMN, MEANS, SHARES, STATISTICS, percentile_name
from crystalgauge.measure.weighted_sizes import KINDS, WeightedSizes


def reference(sizes: np.ndarray, weights: np.ndarray, area: float) -> dict[str, float]:
    """Return the statistics from their definitions."""
    plain = WeightedSizes(sizes, weights)
    found = {
        percentile_name(r, share): float(plain.quantile(share, r))
        for r in KINDS
        for share in SHARES
    }
    found |= {f"{kind}_span": plain.span(r) for r, kind in enumerate(("number", "length"))}
    found |= {f"d_{p}_{q}": plain.mean(p, q) for p, q in MEANS}
    found["geometric_sd"] = plain.geometric_deviation()
    return found | {f"moment_{k}": (weights * sizes**k).sum() / area for k in range(5)}


def check(values: np.ndarray, expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert values[COLUMN[name]] == pytest.approx(value, rel=1e-9), name


def pictures(seed: int, n: int, n_pictures: int) -> Sample:
    rng = np.random.default_rng(seed)
    return Sample.of_one_kind(
        np.round(rng.lognormal(3, 0.5, n), 1),  # with ties
        rng.integers(0, n_pictures, n),
        weights=rng.uniform(1, 2, n),
        areas=rng.uniform(1, 3, n_pictures),
        coverages=rng.uniform(0, 1, n_pictures),
    )


@pytest.mark.parametrize("n", [1, 2, BLOCK, BLOCK + 1, 3000])
def test_estimates_are_the_definitions(n: int) -> None:
    sample = pictures(n, n, 4)
    values = estimate(sample).values[0]
    check(values, reference(sample.sizes, sample.weights, sample.areas.sum()))
    assert values[COLUMN["coverage"]] == pytest.approx(sample.coverages.mean())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 700), st.integers(2, 9))
def test_a_resample_is_what_replication_of_its_pictures_would_be(
    seed: int, n: int, n_pictures: int
) -> None:
    sample = pictures(seed, n, n_pictures)
    drawn = np.random.default_rng(seed).integers(0, n_pictures, (1, n_pictures), dtype=np.uint32)
    order = np.argsort(sample.sizes, kind="stable")
    sizes = sample.sizes[order]
    sums, found, curve = np.zeros((1, 7)), np.zeros((1, 4, 3), np.int64), np.zeros((1, 3, 4))
    marks = np.array([[0, n // 2, n]])
    fill_resamples(
        sizes, np.log(sizes), sample.weights[order], sample.picture[order].astype(np.uint32),
        drawn, np.array(SHARES), marks, sums, found, curve,
    )  # fmt: skip
    rows = np.concatenate([np.flatnonzero(sample.picture[order] == p) for p in drawn[0]])
    if not len(rows):
        assert (found == -1).all()
        assert np.isnan(curve).all()
        return
    copied = WeightedSizes(sizes[rows], sample.weights[order][rows])
    for r in KINDS:
        np.testing.assert_array_equal(sizes[found[0, r]], copied.quantile(SHARES, r))
        shares = sample.weights[order][rows] * sizes[rows] ** r
        before = [shares[rows < mark].sum() / shares.sum() for mark in marks[0]]
        np.testing.assert_allclose(curve[0, :, r], before, rtol=1e-9)
    np.testing.assert_allclose(
        sums[0, :5], [(copied.weights * copied.sizes**k).sum() for k in range(5)]
    )


def test_resamples_spread_as_theory_says() -> None:
    sizes = np.random.default_rng(1).normal(100, 10, 400)
    by_crystal = bootstrap(Sample.of_one_kind(sizes, areas=np.ones(1)), "crystals").values
    mean, number = by_crystal[:, COLUMN["d_1_0"]], by_crystal[:, COLUMN["moment_0"]]
    # a thousand resamples know a standard deviation to 2.2 %; three of those
    assert mean.std() == pytest.approx(sizes.std() / np.sqrt(400), rel=0.07)
    assert number.std() == pytest.approx(np.sqrt(400), rel=0.07)  # Poisson
    cubes = by_crystal[:, COLUMN["moment_3"]]
    assert cubes.std() == pytest.approx(np.sqrt((sizes**6).sum()), rel=0.07)  # compound Poisson


def test_pictures_stay_together_with_their_areas_and_coverage() -> None:
    sample = Sample.of_one_kind(
        np.array([1.0, 1.0, 1.0, 2.0]), np.array([0, 0, 0, 1]),
        areas=np.array([1.0, 3.0, 2.0]), coverages=np.array([0.3, 0.6, 0.0]),
    )  # fmt: skip
    values = bootstrap(sample, "pictures").values
    number, coverage = values[:, COLUMN["moment_0"]], values[:, COLUMN["coverage"]]
    seen = {
        (a, b, 3 - a - b): (3 * a + b) / (a + 3 * b + 2 * (3 - a - b))
        for a in range(4) for b in range(4 - a)
    }  # fmt: skip
    assert np.unique(number).tolist() == pytest.approx(np.unique(list(seen.values())))
    means = [(0.3 * a + 0.6 * b) / 3 for a, b, _ in seen]
    assert np.unique(np.round(coverage, 9)).tolist() == pytest.approx(np.unique(np.round(means, 9)))
    empty = np.isnan(values[:, COLUMN["d_1_0"]])
    assert 0 < empty.mean() < 0.1  # all three drawn are the picture without crystals: 1 in 27
    assert (number[empty] == 0).all()


def test_order_of_crystals_units_and_threads_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = pictures(3, 500, 6)
    shuffled = np.random.default_rng(0).permutation(500)
    other = Sample.of_one_kind(
        sample.sizes[shuffled] * 1e-90, sample.picture[shuffled],
        weights=sample.weights[shuffled], areas=sample.areas, coverages=sample.coverages,
    )  # fmt: skip
    powers = np.array([s.power if "moment" not in s.name else s.power + 2 for s in STATISTICS])
    one = bootstrap(sample, "pictures", resamples=100, seed=2).values
    small = bootstrap(other, "pictures", resamples=100, seed=2).values
    known = powers < 4  # (1e-90)**4 is 0
    np.testing.assert_allclose(small[:, known], (one * 1e-90 ** powers.astype(float))[:, known])
    monkeypatch.setattr(engine, "_WORK_OF_A_THREAD", 1)
    threaded = bootstrap(sample, "pictures", resamples=100, seed=2, threads=2).values
    np.testing.assert_array_equal(threaded, one)
    assert (bootstrap(sample, "pictures", resamples=100, seed=3).values != one).any()


def test_one_factor_scales_all_pictures_of_a_calibration() -> None:
    sample = pictures(4, 200, 5)
    scaled = Sample.of_one_kind(
        sample.sizes, sample.picture, weights=sample.weights, areas=sample.areas, scale_error=0.05
    )
    drawn = bootstrap(scaled, "pictures", seed=1)
    logs = np.log(drawn.scaling[:, COLUMN["d_4_3"]])
    assert logs.std() == pytest.approx(0.05, rel=0.07)
    np.testing.assert_allclose(np.log(drawn.scaling[:, COLUMN["moment_0"]]), -2 * logs)
    np.testing.assert_allclose(np.log(drawn.scaling[:, COLUMN["moment_4"]]), 2 * logs, atol=1e-12)
    assert (drawn.scaling[:, COLUMN["volume_span"]] == 1).all()


def test_several_calibrations_are_what_scaled_sizes_would_be() -> None:
    plain = pictures(5, 300, 6)
    several = Sample(
        plain.sizes, plain.weights, plain.picture, plain.areas, plain.coverages,
        np.array([0, 1, 0, 1, 2, 2]), np.array([0.1, 0.02, 0.0]),
    )  # fmt: skip
    drawn = bootstrap(several, "pictures", resamples=20, seed=8, grid=np.array([15.0, 30.0]))
    own = estimate(several).values[0]
    # the same draws again
    rng = np.random.default_rng(np.random.SeedSequence(8).spawn(1)[0])
    chosen = rng.integers(0, 6, (20, 6), dtype=np.uint32)
    errors = np.sqrt(np.log1p(several.scale_errors**2))
    factors = np.exp(errors * rng.standard_normal((20, 3)))
    for b in range(20):
        factor = factors[b][several.calibrations]
        rows = np.concatenate([np.flatnonzero(plain.picture == p) for p in chosen[b]])
        sizes = plain.sizes * factor[plain.picture]
        whole = reference(sizes, plain.weights, (plain.areas * factor**2).sum())
        check(own * drawn.scaling[b], whole)
        area = plain.areas[chosen[b]].sum()
        check(drawn.values[b], reference(plain.sizes[rows], plain.weights[rows], area))
        expected = WeightedSizes(sizes[rows], plain.weights[rows]).cumulative([15.0, 30.0], 3)
        np.testing.assert_allclose(drawn.curves[b, :, 3], expected)


def test_nothing_gives_nothing_and_nonsense_is_refused() -> None:
    empty = estimate(Sample.of_one_kind(np.empty(0), areas=np.array([2.0])))
    assert empty.values[0, COLUMN["moment_0"]] == 0.0
    assert np.isnan(empty.values[0, COLUMN["number_d50"]])
    assert np.isnan(estimate(Sample.of_one_kind(np.ones(1))).values[0, COLUMN["moment_0"]])
    one = Sample.of_one_kind(np.ones(1))
    for arguments, words in (
        ((np.zeros(1),), "above 0"),
        ((np.ones(2), np.array([0, -1])), "picture numbers"),
    ):
        with pytest.raises(ArgumentError, match=words):
            Sample.of_one_kind(*arguments)
    with pytest.raises(ArgumentError, match="weights"):
        Sample.of_one_kind(np.ones(1), weights=np.zeros(1))
    with pytest.raises(ArgumentError, match="pixel size"):
        Sample.of_one_kind(np.ones(1), scale_error=-0.1)
    with pytest.raises(ArgumentError, match="at least 1 resample"):
        bootstrap(one, "crystals", resamples=0)
