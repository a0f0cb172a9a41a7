"""Pictures to learn focus on: their blur is what they say, and every kind has its truth."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import center_of_mass

from crystalgauge.core import ArgumentError
from crystalgauge.datasets.focus_content import disc_blur, draw_leaves, draw_nuclei
from crystalgauge.datasets.focus_pictures import KINDS, sample_focus_picture


def test_the_disc_has_the_standard_deviation_it_says() -> None:
    point = np.zeros((101, 101), np.float32)
    point[50, 50] = 1.0
    for sigma in (1.0, 2.5, 6.0):
        spread = disc_blur(point, sigma).astype(np.float64)
        x = np.arange(101) - 50
        assert spread.sum() == pytest.approx(1.0, abs=1e-4)
        assert center_of_mass(spread) == pytest.approx((50, 50), abs=1e-3)
        assert np.sqrt((spread.sum(0) * x**2).sum()) == pytest.approx(sigma, rel=0.02)


def test_the_same_number_gives_the_same_picture() -> None:
    one, two, other = (sample_focus_picture(91, k, size=96) for k in (3, 3, 4))
    assert np.array_equal(one.pixels, two.pixels)
    assert np.array_equal(one.blur_px, two.blur_px, equal_nan=True)
    assert not np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_says_what_is_in_it(kind: str) -> None:
    found = [sample_focus_picture(91, k, size=96, kind=kind) for k in range(6)]
    seen = [p.strength[np.isfinite(p.blur_px)].max(initial=0.0) for p in found]
    for each in found:
        assert len(each.points) == len(each.blur_px) == len(each.strength)
        assert each.pixels.shape[:2] == (96, 96)
    if kind == "empty":
        assert max(seen) < 1  # light alone; wells without crystals have dust and walls
    else:
        assert max(seen) > 1


def test_a_blur_asked_for_is_the_one_given() -> None:
    leaves = sample_focus_picture(91, 1, size=96, kind="leaves", blur_px=4.5)
    assert leaves.blur_px == pytest.approx(4.5)
    crystals = sample_focus_picture(91, 2, size=128, kind="suspension", blur_px=4.5)
    known = crystals.blur_px[np.isfinite(crystals.blur_px)]
    assert known.min() >= 4.5 - 1e-6  # each crystal's own defocus comes on top


def test_a_stronger_blur_of_the_same_leaves_is_seen_less() -> None:
    mean = [
        sample_focus_picture(91, 5, size=96, kind="leaves", blur_px=b).strength.mean()
        for b in (1.0, 4.0, 9.0)
    ]
    assert mean[0] > mean[1] > mean[2]


def test_drawn_shapes_are_sharp_to_a_pixel() -> None:
    leaves = draw_leaves(np.random.default_rng(2), 96)
    steps = np.abs(np.diff(leaves, axis=1))
    wide = np.abs(leaves[:, 3:] - leaves[:, :-3])
    assert steps.max() > 0.4 * wide.max()
    nuclei = draw_nuclei(np.random.default_rng(2), 96)
    assert nuclei.min() >= 0
    assert cv2.GaussianBlur(nuclei, (0, 0), 8).max() > 1.5 * np.median(nuclei)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ArgumentError, match="unknown kind 'stars'; known are suspension"):
        sample_focus_picture(1, 1, kind="stars")  # type: ignore[arg-type]
