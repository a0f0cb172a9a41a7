from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import rankdata

from crystalgauge.render.degrade.plane_waves import PlaneWave, add_equalised_wave, wave_profile


def field(wave, shape):
    """Equation 9 at every pixel's centre."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return wave_profile(wave, x * math.cos(wave.angle_rad) + y * math.sin(wave.angle_rad))


def test_amplitude_period_and_phase():
    wave = PlaneWave(scale_px=12.5, angle_rad=0.3, phase_rad=0.8)
    path = np.linspace(-40, 60, 4001)
    values = wave_profile(wave, path)
    assert (values.min(), values.max()) == pytest.approx((0, 1), abs=1e-5)
    np.testing.assert_allclose(wave_profile(wave, path + 12.5), values, atol=1e-12)
    np.testing.assert_allclose(wave_profile(wave, path + 12.5 / 2), 1 - values, atol=1e-12)
    # The crest lies where 2 pi x / k + phi = 0.
    crest = np.array([-0.8 / (2 * math.pi) * 12.5])
    assert wave_profile(wave, crest)[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("wave", "tolerance"),
    [
        # crests are dulled by 1 / 64
        (PlaneWave(23.4, 0.7, 1.0), 0.016),
        (PlaneWave(7.1, 3.9, 0.0), 0.016),
        (PlaneWave(400.0, 2.2, 5.0), 0.016),
        # along an axis the 120 or 171 lines of pixels are too few to fill the plane evenly
        (PlaneWave(31.0, 0.0, 2.0), 0.035),
        (PlaneWave(31.0, -math.pi / 2, 2.0), 0.035),
    ],
)
def test_equalising_the_profile_equalises_the_picture(wave, tolerance):
    shape = (120, 171)
    total = np.zeros(shape, np.float32)
    add_equalised_wave(total, wave, 1.0)
    ranks = (rankdata(field(wave, shape).ravel()) - 0.5) / total.size
    np.testing.assert_allclose(total.ravel(), ranks, atol=tolerance)


def test_coarse_samples_lie_on_the_fine_ones():
    wave = PlaneWave(60.0, 1.1, 0.4)
    fine, coarse = np.zeros((128, 192), np.float32), np.zeros((32, 48), np.float32)
    add_equalised_wave(fine, wave, 1.0)
    add_equalised_wave(coarse, wave, 1.0, step_px=4)
    np.testing.assert_allclose(coarse, fine[::4, ::4], atol=1e-4)


def test_it_is_added_with_its_weight():
    total = np.ones((40, 40), np.float32)
    add_equalised_wave(total, PlaneWave(10.0, 0.5, 0.0), 0.25)
    assert 1 <= total.min() < 1.02
    assert 1.23 < total.max() <= 1.2501
