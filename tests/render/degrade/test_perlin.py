from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.render.degrade.perlin import PerlinTexture, perlin_noise


def test_noise_is_bounded_and_centred():
    field = perlin_noise(PerlinTexture(5.0, 3), (300, 300))
    assert np.abs(field).max() <= math.sqrt(0.5)
    # 3600 cells: the mean's standard error is about 0.22 / 60
    assert field.mean() == pytest.approx(0, abs=0.02)
    assert 0.15 < field.std() < 0.3


def test_it_vanishes_on_its_lattice_and_nowhere_else():
    scale = 16
    field = perlin_noise(PerlinTexture(scale, 7), (160, 160))
    power = (field.reshape(10, scale, 10, scale) ** 2).mean(axis=(0, 2))
    # A pixel's centre lies within half a pixel of a lattice point, where the slope is 1 / scale.
    assert math.sqrt(power.min()) < math.hypot(0.5, 0.5) / scale
    assert math.sqrt(np.median(power)) > 0.15


def test_it_is_smooth_across_cells():
    field = perlin_noise(PerlinTexture(32.0, 5), (256, 256))
    # The fade has a second derivative, at most 10 / sqrt(3) per cell squared, on values below 1.
    assert np.abs(np.diff(field, 2, axis=1)).max() < 12 / 32**2
    assert np.abs(np.diff(field, 2, axis=0)).max() < 12 / 32**2


def test_coarse_samples_are_those_of_the_fine_field():
    texture = PerlinTexture(21.3, 11)
    fine = perlin_noise(texture, (64, 80))
    coarse = perlin_noise(texture, (16, 20), step_px=4)
    np.testing.assert_allclose(coarse, fine[::4, ::4], atol=1e-5)


def test_the_seed_names_the_field():
    first = perlin_noise(PerlinTexture(9.0, 1), (50, 60))
    assert first.tobytes() == perlin_noise(PerlinTexture(9.0, 1), (50, 60)).tobytes()
    other = perlin_noise(PerlinTexture(9.0, 2), (50, 60))
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.4
