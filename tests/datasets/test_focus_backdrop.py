"""Edges of what is no crystal: softness measured in pictures whose softness is known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from crystalgauge.datasets.focus_backdrop import (
    NO_THINGS,
    WIDEST_PX,
    backdrop_edges,
    contrast_left,
    defocused_backdrop,
    measured_edges,
)
from crystalgauge.datasets.focus_pictures import UNSURE, sample_focus_picture
from crystalgauge.models.focus_tiles.targets import tile_targets
from crystalgauge.scenes.backdrop import Backdrop
from crystalgauge.scenes.backdrop_dust import Specks
from crystalgauge.scenes.backdrop_marks import DeadBorder
from crystalgauge.scenes.camera import Camera

SIZE = 128
QUIET = Camera(psf_sigma_px=0.7, shot_noise=0.002)


def disc(sigma: float, radius: float = 40) -> np.ndarray:
    """Return a dark disc whose border is a Gaussian step of this standard deviation."""
    y, x = np.mgrid[: 4 * SIZE, : 4 * SIZE] / 4 + 0.125
    fine = np.where(np.hypot(x - SIZE / 2, y - SIZE / 2) < radius, 0.5, 1.0).astype(np.float32)
    fine = cv2.GaussianBlur(fine, (0, 0), 4 * sigma)
    return cv2.resize(fine, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 4.0])
def test_the_softness_of_a_border_is_measured(sigma: float) -> None:
    points, softness, height = measured_edges(disc(sigma))
    away = np.hypot(*(points - SIZE / 2).T)
    assert away == pytest.approx(np.full(len(points), 40), abs=1.5)
    # pixels average over 1 px, a variance of 1 / 12; a tile goes by its sharpest points, those
    # whose crest lies in the middle of a pixel
    sharpest = np.percentile(softness, 10)
    assert sharpest == pytest.approx(np.hypot(sigma, 12**-0.5), rel=0.08)
    assert np.median(softness) < np.hypot(sigma, 12**-0.5) + 0.5
    assert np.median(height) == pytest.approx(0.5, rel=0.06)


def test_a_ramp_of_light_has_no_edge_and_leaves_no_contrast() -> None:
    ramp = np.tile(np.linspace(0.2, 0.8, SIZE, dtype=np.float32), (SIZE, 1))
    points, softness, _ = measured_edges(ramp)
    assert len(points) == 0 or softness.min() > WIDEST_PX / 2
    middle = np.array([SIZE // 2])
    assert contrast_left(ramp, middle, middle, np.array([3.0]))[0] < 0.01


@pytest.mark.parametrize("sigma", [1.0, 4.0])
def test_a_blurred_step_keeps_its_contrast_and_a_speck_does_not(sigma: float) -> None:
    at = np.array([SIZE // 2 + 40]), np.array([SIZE // 2])
    whole = contrast_left(disc(sigma), *at, np.array([sigma]))[0]
    assert whole == pytest.approx(0.5, rel=0.4 if sigma < 2 else 0.05)  # pixels cost the sharp
    speck = cv2.GaussianBlur(disc(0.3, radius=1.5), (0, 0), sigma)
    near = contrast_left(speck, np.array([SIZE // 2]), np.array([SIZE // 2]), np.array([sigma]))[0]
    assert near < (0.45 if sigma < 2 else 0.12)


def test_blur_of_dust_is_softness_defocus_and_point_spread_together() -> None:
    sharp = disc(1.0)
    seen = cv2.GaussianBlur(sharp, (0, 0), 3.0)
    clear = np.ones_like(sharp)
    found = backdrop_edges(sharp, seen, clear, QUIET, 3.0, UNSURE)
    assert np.median(found.blur_px) == pytest.approx((1 + 9 + 0.49) ** 0.5, rel=0.04)
    assert np.median(found.strength) > 1
    hidden = backdrop_edges(sharp, seen, np.zeros_like(sharp), QUIET, 3.0, UNSURE)
    assert hidden.strength.max() == 0
    noisy = backdrop_edges(sharp, seen, clear, replace(QUIET, read_noise=0.5), 3.0, UNSURE)
    assert np.median(noisy.strength) < 0.5 * np.median(found.strength)


def test_defocus_reaches_dust_and_not_what_is_drawn_on_the_picture() -> None:
    dust = Specks(((64.0, 64.0, 6.0, 2.0),), 0.5, 0.1, 0.0, 1)
    backdrop = Backdrop((dust,))
    sharp, soft = (defocused_backdrop(backdrop, (SIZE, SIZE), s) for s in (0.0, 4.0))
    assert sharp.min() < 0.2 < 0.4 < soft.min()
    assert (1 - soft).sum() == pytest.approx((1 - sharp).sum(), rel=0.01)  # light is kept
    assert DeadBorder in NO_THINGS


def test_a_dirty_empty_well_has_content_and_a_clean_one_has_none() -> None:
    asked = []
    for index in range(12):
        picture = sample_focus_picture(91, index, size=128, kind="blank")
        targets = tile_targets(picture.points, picture.blur_px, picture.strength, (128, 128))
        asked.append((targets.content == 1).mean())
    assert max(asked) > 0.5
    assert min(asked) == 0
