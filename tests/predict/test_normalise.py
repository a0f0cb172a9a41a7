"""Brightness, contrast and depth of the camera do not reach the network."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import Micrograph
from crystalgauge.predict.normalise import (
    LIMIT,
    NOISE_UNITS,
    input_channels,
    measure_intensity,
    noise_sigma,
)


def picture(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.full((200, 240), 140.0)
    image[50:90, 60:120] -= 60
    image[120:140, 150:160] += 50
    return image + rng.normal(0, 3, image.shape)


def channels(pixels: np.ndarray) -> np.ndarray:
    micrograph = Micrograph(pixels)
    return input_channels(micrograph.grey(), measure_intensity(micrograph))


@pytest.mark.parametrize(("gain", "offset"), [(3.0, 0.0), (0.5, 40.0), (200.0, 1000.0)])
def test_gain_and_offset_change_nothing(gain: float, offset: float) -> None:
    plain = picture()
    np.testing.assert_allclose(channels(plain * gain + offset), channels(plain), atol=1e-3)


def test_sixteen_bits_read_like_eight() -> None:
    plain = np.rint(picture())
    np.testing.assert_allclose(
        channels((plain * 257).astype(np.uint16)), channels(plain.astype(np.uint8)), atol=1e-5
    )


def test_noise_is_measured() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 5.0, (256, 256)).astype(np.float32)
    # 65 536 correlated responses: the standard error is about half a percent
    assert noise_sigma(noise) == pytest.approx(5.0, rel=0.03)
    ramp = np.linspace(0, 100, 256, dtype=np.float32)[None] + np.zeros((256, 1), np.float32)
    assert noise_sigma(ramp) < 0.01


def test_a_blank_picture_stays_calm() -> None:
    noise = 100 + np.random.default_rng(2).normal(0, 2.0, (256, 256))
    plain = channels(noise)[0]
    assert plain.std() == pytest.approx(1 / NOISE_UNITS, rel=0.1)


def test_the_local_channel_takes_the_lamp_out() -> None:
    plain = picture()
    shaded = plain * np.linspace(0.4, 1.0, plain.shape[1])[None]
    spread = [np.ptp(np.median(channel, axis=0)) for channel in channels(shaded)]
    assert spread[1] < 0.75 * spread[0]


def test_bounded_and_finite_for_extremes() -> None:
    extremes = [
        np.zeros((5, 7), np.uint8),
        np.full((1, 1), 65535, np.uint16),
        np.eye(40, dtype=np.float64) * 1e30,
        np.array([[0, 255]], np.uint8),
    ]
    for pixels in extremes:
        result = channels(pixels)
        assert np.isfinite(result).all()
        assert np.abs(result).max() <= LIMIT
