from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.degrade.splines import Spline, Splines, draw_splines, spline_curve


def test_a_curve_is_the_cubic_b_spline_of_its_points():
    points = np.array([[0, 0], [10, 30], [40, 20], [50, 60], [90, 10]], float)
    curve = spline_curve(points)
    assert curve.shape == (2 * 16 + 1, 2)
    np.testing.assert_allclose(curve[0], (points[0] + 4 * points[1] + points[2]) / 6)
    np.testing.assert_allclose(curve[16], (points[1] + 4 * points[2] + points[3]) / 6)
    np.testing.assert_allclose(curve[-1], (points[2] + 4 * points[3] + points[4]) / 6)
    middle = np.array([1, 23, 23, 1]) / 48 @ points[:4]
    np.testing.assert_allclose(curve[8], middle)


def test_equally_spaced_points_on_a_line_give_that_line():
    points = np.c_[np.arange(6) * 7.0, np.arange(6) * 3.0]
    curve = spline_curve(points)
    np.testing.assert_allclose(np.diff(curve, axis=0), [[7 / 16, 3 / 16]] * (len(curve) - 1))


@pytest.mark.parametrize("shape", [(384, 384), (60, 200), (1, 1)])
def test_drawn_splines_lie_within_the_picture(shape):
    for seed in range(30):
        splines = Splines.sample(np.random.default_rng(seed), shape, 0.5)
        assert 1 <= len(splines.curves) <= 4
        for spline in splines.curves:
            curve = spline_curve(np.array(spline.points))
            assert curve.min() >= 0
            assert np.all(curve <= [shape[1], shape[0]])


def test_a_line_covers_its_middle_and_fades_beside_it():
    points = tuple((10.0 * i, 20.5) for i in range(1, 7))
    spline = Spline(points, width_px=2.0, grey=0.1, opacity=0.8)
    picture = np.full((41, 80), 0.6, np.float32)
    drawn = draw_splines(picture, Splines((spline,)))
    assert drawn[20, 40] == pytest.approx(0.6 + 0.8 * (0.1 - 0.6), abs=1e-5)
    assert drawn[22, 40] == pytest.approx(0.6 + 0.8 * np.exp(-1) * (0.1 - 0.6), abs=1e-5)
    np.testing.assert_allclose(drawn[20 - 3], drawn[20 + 3], atol=1e-6)
    assert np.all(drawn[:15] == picture[:15])
    assert np.all(drawn[:, 60:] == picture[:, 60:])  # the curve ends at x = 50


def test_a_crossing_is_not_darker_than_the_line():
    loop = tuple((40 + 20 * np.cos(a), 40 + 20 * np.sin(a)) for a in np.linspace(0, 12, 30))
    drawn = draw_splines(np.ones((80, 80), np.float32), Splines((Spline(loop, 2.0, 0.0, 0.5),)))
    assert drawn.min() == pytest.approx(0.5, abs=0.01)


def test_without_opacity_nothing_is_seen():
    picture = np.random.default_rng(0).random((50, 60), np.float32)
    splines = Splines.sample(np.random.default_rng(1), (50, 60), 0.0)
    np.testing.assert_array_equal(draw_splines(picture, splines), picture)
