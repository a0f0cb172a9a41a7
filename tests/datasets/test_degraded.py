"""Degraded pictures keep a truth that says what can still be seen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import shapely

from crystalgauge.core import Crystals
from crystalgauge.datasets import sample_picture
from crystalgauge.datasets.degraded import UPRIGHT, degrade_picture, likeness
from crystalgauge.render.degrade import Chance, Degradations
from crystalgauge.render.truth import Truth

NONE = Degradations.none()


def squares_on_grey() -> tuple[np.ndarray, Truth]:
    """Return a strong and a faint square."""
    pixels = np.full((96, 96), 128, np.uint8)
    pixels[20:44, 20:44] = 40
    pixels[60:84, 60:84] = 124
    outlines = np.array([shapely.box(20, 20, 44, 44), shapely.box(60, 60, 84, 84)], dtype=object)
    crystals = Crystals(outlines, {"defocus_px": np.array([0.6, 0.8]), "ignore": np.zeros(2, bool)})
    return pixels, Truth(crystals, np.zeros((0, 2), np.int64))


def test_nothing_on_changes_nothing() -> None:
    pixels, truth = squares_on_grey()
    degraded, after = degrade_picture(pixels, truth, np.random.default_rng(0), NONE)
    np.testing.assert_array_equal(degraded, pixels)
    assert not after.crystals["ignore"].any()
    np.testing.assert_allclose(after.crystals["defocus_px"], [0.6, 0.8])


def test_noise_hides_the_faint_one_alone() -> None:
    pixels, truth = squares_on_grey()
    noisy = dataclasses.replace(NONE, grain=Chance(1.0, (0.1, 0.1)))
    _, after = degrade_picture(pixels, truth, np.random.default_rng(0), noisy)
    assert after.crystals["ignore"].tolist() == [False, True]


def test_blur_adds_in_squares() -> None:
    pixels, truth = squares_on_grey()
    soft = dataclasses.replace(NONE, softening=Chance(1.0, (1.5, 1.5)))
    _, after = degrade_picture(pixels, truth, np.random.default_rng(0), soft)
    np.testing.assert_allclose(after.crystals["defocus_px"], np.hypot([0.6, 0.8], 1.5))


def test_likeness_is_the_share_of_the_crystal_in_the_variance() -> None:
    rng = np.random.default_rng(1)
    pixels, truth = squares_on_grey()
    low, high = 18, 46  # the outline's bounds and a margin of 2
    spread = pixels[low:high, low:high].astype(float).std()
    noise = rng.normal(0, spread, pixels.shape)
    seen = np.clip(0.5 * (pixels + noise) + 40, 0, 255).astype(np.uint8)
    value = likeness(pixels, seen, truth.crystals)[0]
    assert value == pytest.approx(np.sqrt(0.5), abs=0.05)
    assert likeness(pixels, np.full_like(pixels, 9), truth.crystals).tolist() == [0.0, 0.0]
    away = Crystals(np.array([shapely.box(200, 200, 220, 220)], dtype=object))
    assert likeness(pixels, pixels, away).tolist() == [0.0]


def test_degraded_pictures_depend_on_seed_and_index_alone() -> None:
    one, truth = sample_picture(4, 2, size=96, regime="pcs", degraded=1.0)
    again, _ = sample_picture(4, 2, size=96, regime="pcs", degraded=1.0)
    clean, plain = sample_picture(4, 2, size=96, regime="pcs")
    np.testing.assert_array_equal(one, again)
    assert one.shape == clean.shape
    assert (one != clean).any()
    assert len(truth.crystals) == len(plain.crystals)
    assert UPRIGHT.orientation.probability == 0.0
