from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.measure.censored import _places, fit_binned, fit_log_normal
from crystalgauge.measure.visible_axes import VisibleAxes, visible_axes

MEDIAN, SPREAD = 60.0, 0.45
SHAPE = (162, 202)  # with its border of 1 px, 160 x 200


def rectangles(
    rng: np.random.Generator, density: float, *, lean: float | None = None
) -> np.ndarray:
    """Return needles of 3 px cut by the frame, as a picture shows them."""
    height, width = SHAPE
    margin = 200.0  # half the longest
    number = rng.poisson(density * (height + 2 * margin) * (width + 2 * margin))
    x = rng.uniform(-margin, width + margin, number)
    y = rng.uniform(-margin, height + margin, number)
    length = np.exp(rng.normal(math.log(MEDIAN), SPREAD, number))
    angle = rng.uniform(0, np.pi, number) if lean is None else rng.normal(lean, 0.3, number)
    corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    local = corner[None] * np.stack([length, np.full(number, 3.0)], axis=1)[:, None]
    c, s = np.cos(angle), np.sin(angle)
    turned = local @ np.stack([np.stack([c, s], 1), np.stack([-s, c], 1)], axis=1)
    outlines = shapely.polygons(turned + np.stack([x, y], axis=1)[:, None])
    seen = shapely.intersection(outlines, shapely.box(0, 0, width, height))
    return seen[shapely.area(seen) > 0]


def sample(seed: int, frames: int, density: float = 8e-4, lean: float | None = None) -> VisibleAxes:
    rng = np.random.default_rng(seed)
    return VisibleAxes.joined([
        visible_axes(rectangles(rng, density, lean=lean), SHAPE, least_px=8) for _ in range(frames)
    ])  # fmt: skip


@pytest.fixture(scope="module")
def many() -> VisibleAxes:
    return sample(0, 150)


def test_the_log_normal_is_found_where_whole_crystals_alone_mislead(many: VisibleAxes) -> None:
    whole = many.length[many.hidden_ends == 0]
    assert np.median(whole) < 0.9 * MEDIAN
    assert np.median(many.length) < 0.9 * MEDIAN
    got = fit_log_normal(many)
    # some 6000 axes: standard errors of 0.9 % and 0.5 %
    assert got.median == pytest.approx(MEDIAN, rel=3 * got.median_error)
    assert got.geometric_deviation == pytest.approx(
        math.exp(SPREAD), rel=3 * got.geometric_deviation_error
    )
    assert got.median_error < 0.012
    assert got.number_per_area == pytest.approx(8e-4, rel=0.04)
    assert got.mean(4, 3) == pytest.approx(MEDIAN * math.exp(3.5 * SPREAD**2), rel=0.04)
    assert got.quantile(0.5, 3) == pytest.approx(MEDIAN * math.exp(3 * SPREAD**2), rel=0.04)


def test_classes_find_it_without_being_told_its_form(many: VisibleAxes) -> None:
    got = fit_binned(many)
    assert got.shares.sum() == pytest.approx(1)
    assert got.quantile(0.5) == pytest.approx(MEDIAN, rel=0.03)
    want = np.exp(math.log(MEDIAN) + SPREAD * np.array([-1.2816, 1.2816]))
    np.testing.assert_allclose(got.quantile([0.1, 0.9]), want, rtol=0.05)
    assert got.number_per_area == pytest.approx(8e-4, rel=0.04)


def test_directions_may_have_any_distribution() -> None:
    got = fit_log_normal(sample(1, 60, lean=0.3))
    assert got.median == pytest.approx(MEDIAN, rel=3 * got.median_error)
    assert got.number_per_area == pytest.approx(8e-4, rel=0.06)


def test_stated_errors_are_those_of_repeats() -> None:
    fits = [fit_log_normal(sample(seed, 6)) for seed in range(100, 130)]
    logs = np.log([fit.median for fit in fits])
    # the standard deviation of 30 is known to 13 %
    assert logs.std() == pytest.approx(np.mean([fit.median_error for fit in fits]), rel=0.4)
    assert logs.mean() == pytest.approx(math.log(MEDIAN), abs=3 * logs.std() / math.sqrt(30))


def test_ends_that_the_border_hides_are_counted_and_lengths_cut() -> None:
    boxes = np.array([
        shapely.box(20, 20, 80, 24), shapely.box(-10, 50, 31, 54), shapely.box(-5, 90, 300, 93),
        shapely.box(-9, -9, 40, 0.5), shapely.Polygon(),
    ])  # fmt: skip
    got = visible_axes(boxes, SHAPE, least_px=0)
    np.testing.assert_array_equal(got.hidden_ends, [0, 1, 2])
    np.testing.assert_allclose(got.length, [60, 30, 200])
    assert got.frames_area == 160 * 200
    # the visible part of a slanted needle has a slanted end, and the same axis
    needle = shapely.affinity.rotate(shapely.box(120, 60, 320, 66), 25)
    cut = shapely.intersection(needle, shapely.box(0, 0, 202, 162))
    whole, part = (visible_axes(np.array([each]), SHAPE, least_px=5) for each in (needle, cut))
    assert part.length[0] == pytest.approx(whole.length[0])
    assert part.hidden_ends[0] == 1


def test_places_that_show_enough_are_those_counted() -> None:
    """Compare D(L), which the whole likelihood rests on, with axes dropped at random."""
    rng = np.random.default_rng(6)
    width, height, length, least, angle = 90.0, 60.0, 70.0, 20.0, 0.6
    half = 0.5 * length * np.array([math.cos(angle), math.sin(angle)])
    room = np.array([width, height]) / 2 + half
    middle = rng.uniform(-room, room, (40_000, 2))
    lines = shapely.linestrings(np.stack([middle - half, middle + half], axis=1))
    frame = shapely.box(-width / 2, -height / 2, width / 2, height / 2)
    share = (shapely.length(shapely.intersection(lines, frame)) >= least).mean()
    one = np.ones(1)
    axes = VisibleAxes(
        30 * one, angle * one, np.zeros(1, int), width * one, height * one, 1.0, least
    )
    constant, slope = _places(axes)
    want = (constant + slope * length)[0] / (4 * room.prod())
    # 4 standard errors
    assert share == pytest.approx(want, abs=4 * math.sqrt(want * (1 - want) / 40_000))


def test_units_scale(many: VisibleAxes) -> None:
    some = sample(3, 10)
    px, um = fit_log_normal(some), fit_log_normal(some.scaled(0.5))
    assert um.median == pytest.approx(0.5 * px.median, rel=1e-3)
    assert um.geometric_deviation == pytest.approx(px.geometric_deviation, rel=1e-3)
    assert um.number_per_area == pytest.approx(4 * px.number_per_area, rel=1e-3)


def test_classes_without_cut_axes_are_counts_over_the_chance_to_be_seen() -> None:
    length = np.array([10.0] * 30 + [30.0] * 10)
    number = np.full(40, 100.0)
    axes = VisibleAxes(length, np.zeros(40), np.zeros(40, int), number, number, 1e4)
    got = fit_binned(axes, [0.0, 20.0, 40.0])
    # the likelihood of shares p: p1^30 p2^10 / (p1 D1 + p2 D2)^40, greatest at n / D
    chance = np.array([1e4 + 10 * 100, 1e4 + 30 * 100])
    want = np.array([30, 10]) / chance
    np.testing.assert_allclose(got.shares, want / want.sum(), rtol=1e-6)
    assert got.number_per_area == pytest.approx(want.sum(), rel=1e-6)


def test_what_cannot_be_fitted_is_refused() -> None:
    few = VisibleAxes(*[np.ones(3)] * 2, np.zeros(3, int), *[np.full(3, 9.0)] * 2, 81.0)
    for fit in (fit_log_normal, fit_binned):
        with pytest.raises(ArgumentError, match="takes 10 crystals or more"):
            fit(few)
    same = VisibleAxes(*[np.ones(20)] * 2, np.zeros(20, int), *[np.full(20, 9.0)] * 2, 81.0)
    with pytest.raises(ArgumentError, match="no distribution to fit"):
        fit_log_normal(same)
    with pytest.raises(ArgumentError, match="do not lie below"):
        fit_binned(same, [2.0, 3.0])
    with pytest.raises(ArgumentError, match="must rise"):
        fit_binned(same, [3.0, 2.0])
    with pytest.raises(ArgumentError, match="got 3 length, 2 angle_rad"):
        VisibleAxes(np.ones(3), np.ones(2), np.zeros(3, int), *[np.full(3, 9.0)] * 2, 81.0)
