from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.render.degrade.outlines import Outlines
from crystalgauge.render.degrade.vessel import Vessel, round_corners, seen_in_vessel


def test_outside_is_wall_inside_is_picture():
    picture = np.random.default_rng(1).random((80, 120), np.float32)
    vessel = Vessel(x_px=60, y_px=40, radius_px=50, softness_px=4, grey=0.1)
    covered = round_corners(picture, vessel)
    y, x = np.mgrid[:80, :120] + 0.5
    distance = np.hypot(x - 60, y - 40)
    np.testing.assert_array_equal(covered[distance < 48], picture[distance < 48])
    np.testing.assert_allclose(covered[distance > 52], 0.1, atol=1e-6)
    between = (distance > 48) & (distance < 52)
    assert np.all(np.abs(covered - 0.1)[between] <= np.abs(picture - 0.1)[between] + 1e-6)


def test_half_is_covered_on_the_edge():
    vessel = Vessel(x_px=0, y_px=30.5, radius_px=20.5, softness_px=9, grey=0.0)
    covered = round_corners(np.ones((61, 61), np.float32), vessel)
    assert covered[30, 20] == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("shape", [(384, 384), (200, 300)])
def test_the_strength_runs_from_the_corners_to_the_sides(shape):
    rng = np.random.default_rng(2)
    assert Vessel.sample(rng, shape, 0.0).radius_px == pytest.approx(math.hypot(*shape) / 2)
    assert Vessel.sample(rng, shape, 1.0).radius_px == pytest.approx(max(shape) / 2)


def test_crystals_behind_the_wall_are_told():
    vessel = Vessel(x_px=100, y_px=100, radius_px=100, softness_px=5, grey=0.1)
    square = np.array([[-8, -8], [8, -8], [8, 8], [-8, 8]], float)
    # in the middle, in a corner, on the edge: a little more or less than half of it inside
    centres = np.array([[100, 100], [15, 15], [4, 100], [-4, 100]], float)
    points = (square[None] + centres[:, None]).reshape(-1, 2)
    seen = seen_in_vessel(vessel, Outlines(points, np.arange(0, 17, 4)))
    assert seen.tolist() == [True, False, True, False]
    assert seen_in_vessel(vessel, Outlines.none()).shape == (0,)
