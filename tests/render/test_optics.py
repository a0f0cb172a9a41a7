from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.render.optics import (
    GHOST_SIGMA,
    aperture_slopes,
    condenser_radiance,
    condenser_terms,
    pixel_jitter,
    reflectance,
    refracted_cosine,
)
from crystalgauge.scenes import Optics


@pytest.mark.parametrize("ratio", [1 / 1.5, 1 / 1.03, 1.33])
def test_refraction_follows_snell(ratio: float) -> None:
    for angle in np.linspace(0, 1.5, 16):
        sine = ratio * math.sin(angle)
        expected = math.cos(math.asin(sine)) if sine <= 1 else -1.0
        # asin is ill-conditioned at its end, hence no tighter
        assert refracted_cosine(math.cos(angle), ratio) == pytest.approx(expected, abs=1e-7)


def test_reflectance_at_normal_incidence_brewster_and_grazing() -> None:
    n = 1.5
    assert reflectance(1.0, 1.0, 1.0, n) == pytest.approx(((n - 1) / (n + 1)) ** 2)
    brewster = math.atan(n)
    inside = math.asin(math.sin(brewster) / n)
    s_only = math.sin(brewster - inside) ** 2 / math.sin(brewster + inside) ** 2
    assert reflectance(math.cos(brewster), math.cos(inside), 1.0, n) == pytest.approx(s_only / 2)
    assert reflectance(0.0, math.sqrt(1 - 1 / n**2), 1.0, n) == pytest.approx(1.0)


def test_condenser_is_half_as_bright_at_its_half_angle_and_follows_its_tilt() -> None:
    upright = condenser_terms(Optics(condenser_rad=0.2, condenser_falloff_rad=0.1, stray_light=0))
    assert condenser_radiance(0, 0, -1, upright) == 1.0
    assert condenser_radiance(math.sin(0.2), 0, -math.cos(0.2), upright) == pytest.approx(0.5)
    assert condenser_radiance(0, 0, 1, upright) == 0.0
    tilted = condenser_terms(Optics(0.05, 0.2, 0.1, 0.0, (math.tan(0.15), 0.0)))
    assert condenser_radiance(math.sin(0.35), 0, -math.cos(0.35), tilted) == pytest.approx(0.5)


@pytest.mark.parametrize("count", [6, 8, 16, 33])
def test_directions_neither_shift_nor_skew_and_keep_the_disc_variance(count: int) -> None:
    slopes = aperture_slopes(count, 0.1)
    moments = slopes.T @ slopes / count + np.eye(2) * (GHOST_SIGMA * 0.1) ** 2 / count
    np.testing.assert_allclose(slopes.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(moments, np.eye(2) * 0.1**2 / 4, atol=1e-12)
    jitter = pixel_jitter(count)
    np.testing.assert_allclose(slopes.T @ (jitter - 0.5), 0, atol=1e-12)
    assert np.hypot(*slopes.T).max() < 0.1 * 1.15
    np.testing.assert_allclose(jitter.mean(axis=0), 0.5)
    assert jitter.min() > 0
    assert jitter.max() < 1
