"""Blur along outlines: what was put in comes out, also beside other edges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import shapely

from crystalgauge.core import Crystals, Micrograph
from crystalgauge.focus import outline_blur


def disc(sigma: float, *, extra: float = 0.0, gain: float = 1.0) -> Micrograph:
    """Return a dark disc of radius 40 px blurred by a Gaussian, and a blurred bar across it."""
    y, x = np.mgrid[:160, :200] + 0.5
    sharp = 1.0 - 0.5 * (np.hypot(x - 80, y - 80) < 40)
    picture = cv2.GaussianBlur(sharp, (0, 0), sigma) if sigma > 0 else sharp
    if extra:
        bar = 1.0 - 0.6 * ((x > 80) & (x < 130) & (y > 60) & (y < 100))
        picture = picture * cv2.GaussianBlur(bar, (0, 0), extra)
    return Micrograph((picture * gain).astype(np.float32))


def outline(expected: float) -> Crystals:
    ring = shapely.Point(80, 80).buffer(40, quad_segs=32)
    return Crystals(np.array([ring], object), {"defocus_px": np.array([expected])})


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("expected", [0.7, 1.3])
def test_blur_of_a_disc(sigma: float, expected: float) -> None:
    blur = outline_blur(disc(sigma), outline(expected * sigma))
    for value in (blur.lower_px, blur.median_px, blur.upper_px):
        # the grid of samples is a sixth of the blur, and the edge is curved
        assert value[0] == pytest.approx(sigma, rel=0.15)


def test_contrast_does_not_matter() -> None:
    one = outline_blur(disc(2.0), outline(2.0)).median_px
    other = outline_blur(disc(2.0, gain=37.0), outline(2.0)).median_px
    assert one == pytest.approx(other, rel=1e-3)


def test_another_crystal_across_it_changes_the_median_little() -> None:
    alone = outline_blur(disc(1.5), outline(1.5))
    crossed = outline_blur(disc(1.5, extra=6.0), outline(1.5))
    assert crossed.median_px == pytest.approx(alone.median_px, rel=0.1)


def test_sharper_and_blurrier_are_in_order() -> None:
    blur = [outline_blur(disc(s), outline(2.0)).median_px[0] for s in (1.0, 1.5, 2.0, 3.0)]
    assert np.all(np.diff(blur) > 0.2)


def test_outlines_outside_are_not_measured_and_others_keep_their_place() -> None:
    ring = outline(2.0).outlines[0]
    far = shapely.affinity.translate(ring, 5000, 0)
    three = Crystals(np.array([far, ring, shapely.Polygon()], object),
                     {"defocus_px": np.full(3, 2.0)})  # fmt: skip
    median = outline_blur(disc(2.0), three).median_px
    assert np.isnan(median[[0, 2]]).all()
    assert median[1] == pytest.approx(2.0, rel=0.15)
    assert outline_blur(disc(2.0), outline(2.0).take(slice(0, 0))).median_px.shape == (0,)


def test_crystals_far_apart_are_measured_as_if_alone() -> None:
    wide = np.ones((160, 4600), np.float32)
    wide[:, :200] = disc(1.5).pixels
    wide[:, 4300:4500] = disc(3.0).pixels
    ring = outline(2.0).outlines[0]
    both = Crystals(np.array([shapely.affinity.translate(ring, 4300, 0), ring], object),
                    {"defocus_px": np.full(2, 2.0)})  # fmt: skip
    assert outline_blur(Micrograph(wide), both).median_px == pytest.approx([3.0, 1.5], rel=0.15)
