from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.measure.chord_length import chord_lengths, parallel_chords


def test_chords_of_a_disc_have_their_closed_form() -> None:
    disc = np.array([shapely.Point(7, -3).buffer(10, quad_segs=256)])
    chords = chord_lengths(disc, n_lines=500)
    assert chords.mean(1, 0) == pytest.approx(np.pi * 20 / 4, rel=1e-3)
    # lines of uniform distance: F(l) = 1 - sqrt(1 - (l / d)²)
    at = np.array([4.0, 8.0, 12.0, 16.0, 19.0])
    want = 1 - np.sqrt(1 - (at / 20) ** 2)
    np.testing.assert_allclose(chords.cumulative(at), want, atol=3e-3)


@pytest.mark.parametrize("sides", [(10, 10), (30, 4), (100, 2)])
def test_chords_of_a_rectangle_have_their_moments(sides: tuple[float, float]) -> None:
    length, width = sides
    bar = shapely.affinity.rotate(shapely.box(0, 0, length, width), 20)
    chords = chord_lengths(np.array([bar]), n_directions=720, n_lines=200)
    area, perimeter = length * width, 2 * (length + width)
    assert chords.mean(1, 0) == pytest.approx(np.pi * area / perimeter, rel=2e-3)
    # of every convex outline (Crofton's second theorem)
    assert chords.moment(3) == pytest.approx(3 * area**2 / perimeter, rel=2e-3)


def test_an_outline_with_notches_gives_several_chords_of_the_same_mean() -> None:
    comb = shapely.unary_union([
        shapely.box(0, 0, 40, 5), *(shapely.box(x, 5, x + 4, 25) for x in (0, 12, 24, 36))
    ])  # fmt: skip
    chords = chord_lengths(np.array([comb]), n_directions=90, n_lines=200)
    assert chords.mean(1, 0) == pytest.approx(np.pi * comb.area / comb.length, rel=5e-3)
    across = parallel_chords(np.array([comb]), 0.0, np.array([15.0]), np.array([1.0]), 1)
    np.testing.assert_allclose(across.start, [0, 12, 24, 36])
    np.testing.assert_allclose(across.stop, [4, 16, 28, 40])


def test_crystals_are_met_as_often_as_their_perimeters_say() -> None:
    boxes = shapely.box(0, 0, np.array([10, 50]), np.array([10, 20]))
    both = chord_lengths(boxes, n_directions=180)
    assert both.weights.sum() == pytest.approx(shapely.length(boxes).sum() / np.pi, rel=1e-3)
    alone = [chord_lengths(boxes[k : k + 1], n_directions=180) for k in (0, 1)]
    share = alone[0].weights.sum() / both.weights.sum()
    at = np.array([3.0, 9.0, 15.0, 30.0])
    mixed = share * alone[0].cumulative(at) + (1 - share) * alone[1].cumulative(at)
    np.testing.assert_allclose(both.cumulative(at), mixed, rtol=1e-9)


def test_nothing_has_no_chords() -> None:
    assert len(chord_lengths(np.array([shapely.Polygon()]))) == 0
    assert len(chord_lengths(np.empty(0, dtype=object))) == 0
    with pytest.raises(ArgumentError, match="got 0 in 24 directions"):
        chord_lengths(np.empty(0, dtype=object), n_lines=0)
