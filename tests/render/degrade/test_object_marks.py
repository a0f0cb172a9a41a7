from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.degrade.object_marks import ObjectMarks, mark_objects
from crystalgauge.render.degrade.outlines import Outlines

# an L: the square [20, 80] x [10, 60] without its upper right quarter
CORNERS = np.array([[20, 10], [50, 10], [50, 35], [80, 35], [80, 60], [20, 60]], float)
AREA = 60 * 50 - 30 * 25


def marked(points=CORNERS, *, outlined, softness=2.0, share=1.0, seed=1):
    marks = ObjectMarks(share, float(outlined), 0.1, softness, seed)
    grey = np.full((80, 100), 0.5, np.float32)
    return mark_objects(grey, marks, Outlines(points, np.array([0, len(points)]))) - grey


def test_a_crystal_is_brightened_as_a_whole():
    change = marked(outlined=False)
    inside = change[45, 35]
    assert 0 < abs(inside) <= 0.1
    assert np.all(change[13:32, 24:47] == inside)
    # the notch, and what lies beyond the soft edge
    assert np.all(change[:32, 53:] == 0)
    assert np.all(change[:, 83:] == 0)
    # A symmetric soft edge keeps the area but for the corners, each below a px squared.
    assert change.sum() / inside == pytest.approx(AREA, abs=6)
    # half of it on the outline, which runs between two columns of pixels
    assert (change[45, 19] + change[45, 20]) / inside == pytest.approx(1, abs=0.01)


def test_an_outline_is_drawn_where_the_crystal_ends():
    change = marked(outlined=True)
    assert change[45, 35] == 0
    peak = np.abs(change).max()
    assert 0 < peak <= 0.1
    assert abs(change[45, 20]) == pytest.approx(peak, rel=0.01)  # half a pixel away everywhere
    assert np.all(change[:, 86:] == 0)
    assert change[45, 22] / change[45, 20] == pytest.approx(
        np.exp(-(2.5**2 - 0.5**2) / 2.0**2), rel=0.01
    )


def test_crystals_differ_and_the_share_is_kept():
    offsets = np.arange(0, 4 * 400 + 1, 4)
    square = np.array([[1, 1], [4, 1], [4, 4], [1, 4]], float)
    corners = np.array([[5 * (i % 20), 5 * (i // 20)] for i in range(400)], float)
    points = (square[None] + corners[:, None]).reshape(-1, 2)
    grey = np.full((100, 100), 0.5, np.float32)
    marks = ObjectMarks(0.3, 0.0, 0.1, 0.5, 6)
    change = mark_objects(grey, marks, Outlines(points, offsets)) - grey
    centres = change[2::5, 2::5]
    # binomial: standard error 0.023
    assert np.mean(centres != 0) == pytest.approx(0.3, abs=0.08)
    assert (centres > 0).any()
    assert (centres < 0).any()


@pytest.mark.parametrize("outlined", [False, True])
def test_crystals_beyond_the_frame_do_no_harm(outlined):
    assert np.all(marked(CORNERS + 300, outlined=outlined) == 0)
    part = marked(CORNERS - [50, 20], outlined=outlined)
    # the same mark, cut by the frame
    whole = marked(outlined=outlined)
    np.testing.assert_allclose(part[:50, :40], whole[20:70, 50:90], atol=1e-6)


def test_without_crystals_or_share_nothing_happens():
    assert np.all(marked(outlined=False, share=0.0) == 0)
    grey = np.full((5, 6), 0.5, np.float32)
    none = mark_objects(grey, ObjectMarks(1.0, 0.5, 0.1, 1.0, 1), Outlines.none())
    np.testing.assert_array_equal(none, grey)
