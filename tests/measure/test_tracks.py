from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.affinity import rotate, translate

from crystalgauge.core import ArgumentError, Crystals
from crystalgauge.measure.facet_growth import (
    QUANTITIES,
    TrackGrowth,
    robust_slope,
    side_positions,
    summarise_growth,
    track_growth,
)
from crystalgauge.measure.picture_shift import shift_of_crystals, shift_of_pictures
from crystalgauge.measure.tracks import Tracks, assign, track

HOURS = np.array([0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 4.0])
PLACES = np.array([[100, 100], [220, 110], [330, 90], [120, 240], [260, 250], [380, 220]], float)


def brick(place: np.ndarray, reach: np.ndarray, angle: float = 0.0) -> shapely.Polygon:
    """Return a box that reaches so far from a place: right, left, down, up, then turned."""
    right, left, down, up = reach
    box = shapely.box(-left, -up, right, down)
    return translate(rotate(box, angle, origin=(0, 0), use_radians=True), *place)


def growing(
    rates: np.ndarray, angle: float = 0.0, drift: np.ndarray | None = None
) -> list[Crystals]:
    """Return pictures of six boxes whose sides move outwards at given rates per hour."""
    frames = []
    for number, hour in enumerate(HOURS):
        shift = np.zeros(2) if drift is None else drift[number]
        reach = np.array([30, 30, 15, 15]) + rates * hour
        frames.append(Crystals([brick(place + shift, reach, angle) for place in PLACES]))
    return frames


def members(tracks: Tracks, number: int) -> list[tuple[int, int]]:
    rows = tracks.track == number
    return list(zip(tracks.frame[rows].tolist(), tracks.row[rows].tolist(), strict=True))


def test_still_crystals_keep_their_numbers_in_any_order() -> None:
    rng = np.random.default_rng(0)
    orders = [rng.permutation(6) for _ in HOURS]
    frames = [f.take(o) for f, o in zip(growing(np.full(4, 2.0)), orders, strict=True)]
    tracks = track(frames, HOURS)
    assert len(tracks) == 6
    for number in range(6):
        place = orders[0][number]
        found = [orders[frame][row] for frame, row in members(tracks, number)]
        assert found == [place] * len(HOURS)
    np.testing.assert_array_equal(tracks.first_h, np.zeros(6))
    np.testing.assert_array_equal(tracks.last_h, np.full(6, 4.0))


def test_sides_grow_at_their_own_rates() -> None:
    rates, angle = np.array([4.0, 1.0, 2.0, 0.5]), 0.4
    growth = track_growth(track(growing(rates, angle), HOURS))
    np.testing.assert_allclose(growth.angle_rad, angle, atol=1e-9)
    np.testing.assert_allclose(growth.rate_px_per_h[:, 1:], np.tile(rates, (6, 1)), atol=1e-9)
    np.testing.assert_allclose(growth.low_px_per_h[:, 1:], growth.high_px_per_h[:, 1:], atol=1e-9)
    # areas from 60 x 30 to 80 x 40 in four hours
    diameters = 2 * np.sqrt(np.array([60 * 30, 80 * 40]) / np.pi)
    np.testing.assert_allclose(growth.rate_px_per_h[:, 0], np.diff(diameters)[0] / 4, rtol=0.02)
    for name, each in zip(QUANTITIES, summarise_growth(growth), strict=True):
        assert each.quantity == name
        assert each.n_tracks == 6
    assert summarise_growth(growth)[1].median_px_per_h == pytest.approx(4.0)
    assert summarise_growth(growth)[1].deviation_px_per_h == pytest.approx(0, abs=1e-9)


def test_a_shift_of_the_stage_is_not_taken_for_growth() -> None:
    rates = np.array([4.0, 1.0, 2.0, 0.5])
    drift = np.cumsum([[0, 0], [45, -20], [30, 30], [-10, 40], [5, 5], [60, 0], [0, -50]], axis=0)
    frames = growing(rates, drift=drift)
    assert len(track(frames, HOURS)) > 6  # they do not overlap themselves
    tracks = track(frames, HOURS, shift="crystals")
    assert len(tracks) == 6
    # crystals see the shift of their centres, which uneven growth moves too
    centre = np.outer(HOURS, [(4.0 - 1.0) / 2, (2.0 - 0.5) / 2])
    np.testing.assert_allclose(tracks.shifts_px, drift + centre, atol=1e-6)
    known = track(frames, HOURS, shift=drift.astype(float))
    growth = track_growth(known)
    np.testing.assert_allclose(growth.rate_px_per_h[:, 1:], np.tile(rates, (6, 1)), atol=1e-9)


def test_shift_of_crystals_withstands_new_and_lost_ones() -> None:
    rng = np.random.default_rng(4)
    places = rng.uniform(0, 800, (40, 2))
    before = Crystals([shapely.Point(p).buffer(8) for p in places])
    after = np.concatenate([places[:25] + np.array([37, -12]), rng.uniform(0, 800, (20, 2))])
    after += rng.normal(0, 0.5, after.shape)
    moved = Crystals([shapely.Point(p).buffer(9) for p in after])
    np.testing.assert_allclose(shift_of_crystals(before, moved), [37, -12], atol=0.5)
    np.testing.assert_array_equal(shift_of_crystals(before.take([0, 1]), moved), [0, 0])
    np.testing.assert_array_equal(shift_of_crystals(Crystals.empty(), moved), [0, 0])


def test_shift_of_pictures_adds_up() -> None:
    whole = np.random.default_rng(1).normal(size=(20, 20)).repeat(12, 0).repeat(12, 1)
    corners = [(40, 40), (43, 38), (50, 38)]  # row, column: content moves against the window
    pictures = [whole[y : y + 160, x : x + 150] for y, x in corners]
    found = shift_of_pictures(pictures)
    np.testing.assert_allclose(found, [[0, 0], [2, -3], [2, -10]], atol=0.2)
    with pytest.raises(ArgumentError, match="one shape"):
        shift_of_pictures([whole, whole[:-1]])


def test_crystals_missed_for_a_while_are_taken_up_again() -> None:
    frames = growing(np.full(4, 2.0))
    frames[2], frames[3] = (frames[k].take([0, 1, 3, 4, 5]) for k in (2, 3))
    bridged = track(frames, HOURS, gap=2)
    assert len(bridged) == 6
    assert [frame for frame, _ in members(bridged, 2)] == [0, 1, 4, 5, 6]
    broken = track(frames, HOURS, gap=1)
    assert len(broken) == 7
    growth = track_growth(bridged)
    np.testing.assert_array_equal(growth.n_observations, [7, 7, 5, 7, 7, 7])
    np.testing.assert_allclose(growth.rate_px_per_h[:, 1:], 2.0, atol=1e-9)


def test_crystals_appear_and_vanish() -> None:
    frames = growing(np.full(4, 2.0))
    frames = [f.take(np.arange(6) != 5) if k < 3 else f for k, f in enumerate(frames)]
    frames = [f.take(np.arange(len(f)) != 0) if k > 4 else f for k, f in enumerate(frames)]
    tracks = track(frames, HOURS)
    assert len(tracks) == 6
    assert tracks.last_h[0] == HOURS[4]
    assert tracks.first_h[5] == HOURS[3]
    assert np.bincount(tracks.track).tolist() == [5, 7, 7, 7, 7, 4]


def test_pairs_are_best_together_not_one_by_one() -> None:
    before = np.array([shapely.box(0, 0, 10, 10), shapely.box(6, 0, 16, 10)])
    # the first one alone would take the nearer of the two, and leave nothing for the second
    after = np.array([shapely.box(3, 0, 13, 10), shapely.box(-5, 0, 5, 10)])
    np.testing.assert_array_equal(assign(before, after, 0.2), [1, 0])
    np.testing.assert_array_equal(assign(before, after, 0.5), [0, -1])
    np.testing.assert_array_equal(assign(before, after[:0], 0.2), [])
    np.testing.assert_array_equal(assign(before[:0], after, 0.2), [-1, -1])


def test_overlapping_crystals_that_grow_into_each_other_stay_apart() -> None:
    hours = np.arange(5.0)
    frames = [
        Crystals([brick(np.array([x, 50.0]), np.full(4, 10 + 3 * h)) for x in (30.0, 60.0)])
        for h in hours
    ]
    tracks = track(frames, hours)
    assert len(tracks) == 2
    assert [row for _, row in members(tracks, 0)] == [0] * 5


def test_outlines_at_the_border_are_followed_but_not_measured() -> None:
    frames = growing(np.full(4, 3.0))
    growth = track_growth(track(frames, HOURS), shape=(300, 420))
    # the last box reaches x = 380 + 30 + 3 t and leaves at 419 after three hours
    np.testing.assert_array_equal(growth.n_observations, [7, 7, 7, 7, 7, 6])


def test_robust_slopes_hold_the_truth_and_withstand_wrong_outlines() -> None:
    rng = np.random.default_rng(7)
    hours = np.arange(10.0)
    held = []
    for _ in range(200):
        values = 3 * hours + rng.normal(0, 1, 10)
        values[rng.integers(10)] += 40 * (rng.random() < 0.3)
        _, low, high = robust_slope(hours, values)
        held.append(low <= 3 <= high)
    assert 0.9 < np.mean(held) <= 1
    slope, low, high = robust_slope(hours[:4], 3 * hours[:4])
    assert slope == pytest.approx(3)
    assert np.isnan([low, high]).all()


def test_summaries_of_tracks_hold_the_median_growth() -> None:
    rng = np.random.default_rng(3)
    held = []
    nothing = np.full(12, np.nan)
    for seed in range(100):
        rates = rng.normal(5, 1, (12, 5))
        growth = TrackGrowth(np.full(12, 9), *(3 * [nothing]), rates, rates, rates)
        each = summarise_growth(growth, resamples=200, seed=seed)[0]
        held.append(each.low_px_per_h <= 5 <= each.high_px_per_h)
    assert 0.9 < np.mean(held) < 1


def test_positions_rise_outwards() -> None:
    outlines = np.array([shapely.box(10, 20, 40, 35)], dtype=object)
    found = side_positions(outlines, 0.0, np.array([[1.0, 2.0]]))
    np.testing.assert_allclose(found, [[39, -9, 33, -18]])


def test_nothing_to_follow_is_no_error() -> None:
    tracks = track([Crystals.empty(), Crystals.empty()], [0.0, 1.0], shift="crystals")
    assert len(tracks) == 0
    growth = track_growth(tracks)
    assert growth.rate_px_per_h.shape == (0, 5)
    assert summarise_growth(growth)[0].n_tracks == 0


def test_what_does_not_fit_is_refused() -> None:
    frames = growing(np.full(4, 2.0))
    with pytest.raises(ArgumentError, match="they must rise"):
        track(frames, HOURS[::-1])
    with pytest.raises(ArgumentError, match="least overlap"):
        track(frames, HOURS, least_iou=0.0)
    with pytest.raises(ArgumentError, match="finite pairs"):
        track(frames, HOURS, shift=np.zeros((2, 2)))
    with pytest.raises(ArgumentError, match="2 observations"):
        track_growth(track(frames, HOURS), fewest=1)
