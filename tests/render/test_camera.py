from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from crystalgauge.core.micrograph import LUMA
from crystalgauge.render.camera import blur, expose, gain, noise_level
from crystalgauge.scenes.camera import Camera, sample_camera

PERFECT = Camera(psf_sigma_px=0, level=0.5, shot_noise=0, read_noise=0)


def flat(level, shape=(200, 200)):
    return np.full(shape, level, np.float32)


def grey(picture):
    """The picture's luma, full scale 1."""
    return (picture if picture.ndim == 2 else picture @ np.asarray(LUMA)) / 255


@pytest.mark.parametrize("sigma", [0.3, 0.8, 2.5])
def test_blur_keeps_flux_and_has_its_width(sigma):
    point = np.zeros((61, 61), np.float32)
    point[30, 30] = 1
    spread = blur(point, sigma)
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    x = np.arange(61) - 30
    variance = (spread.sum(axis=0) * x**2).sum()
    # A sampled Gaussian narrower than half a pixel is narrower than its name.
    expected = (np.exp(-(x**2) / 2 / sigma**2) * x**2).sum() / np.exp(-(x**2) / 2 / sigma**2).sum()
    assert variance == pytest.approx(expected, rel=0.01)
    assert blur(flat(1.7), sigma).std() < 1e-6


def test_no_blur_leaves_the_picture_and_exposure_leaves_the_irradiance():
    irradiance = flat(0.8)
    assert blur(irradiance, 0.0) is irradiance
    expose(irradiance, PERFECT, np.random.default_rng(0))
    assert (irradiance == np.float32(0.8)).all()


@pytest.mark.parametrize("level", [0.21, 0.9, 1.6])
def test_a_perfect_camera_is_linear(level):
    picture = expose(flat(level), PERFECT, np.random.default_rng(0))
    assert picture.dtype == np.uint8
    assert (picture == round(level * 0.5 * 255)).all()


def test_tone_contrast_gamma_and_inversion():
    camera = replace(PERFECT, contrast=0.8, gamma=1.3)
    expected = ((0.4 - 0.5) * 0.8 + 0.5) ** 1.3
    got = expose(flat(0.8), camera, np.random.default_rng(0))[0, 0] / 255
    assert got == pytest.approx(expected, abs=0.5 / 255 + 1e-3)  # rounding
    negative = expose(flat(0.8), replace(camera, inverted=True), np.random.default_rng(0))
    assert negative[0, 0] / 255 == pytest.approx(1 - expected, abs=0.5 / 255 + 1e-3)


def test_vignette_falls_by_its_strength_at_one_frame_width():
    camera = replace(PERFECT, vignette=0.4, vignette_x=0.0, vignette_y=0.5)
    picture = expose(flat(1.0, (101, 200)), camera, np.random.default_rng(0)) / 255
    assert picture[50, 0] == pytest.approx(0.5, abs=0.5 / 255 + 1e-3)
    assert picture[50, 199] == pytest.approx(0.5 * 0.6, abs=0.01)
    assert picture[0, 100] == pytest.approx(picture[100, 100], abs=1 / 255)


def test_unsharp_mask_overshoots_at_a_step_and_keeps_flats():
    step = flat(1.0)
    step[:, 100:] = 0.6
    camera = replace(PERFECT, unsharp_amount=1.0, unsharp_sigma_px=2.0)
    row = expose(step, camera, np.random.default_rng(0))[100] / 255
    assert row[99] > 0.5 + 0.05
    assert row[100] < 0.3 - 0.05
    assert row[20] == pytest.approx(0.5, abs=1 / 255)


CAMERAS = [sample_camera(np.random.default_rng(seed)) for seed in range(24)]


@pytest.mark.parametrize("seed", range(24))
def test_noise_level_is_the_measured_deviation(seed):
    camera = replace(CAMERAS[seed], vignette=0.0, jpeg_quality=None, cast=None)
    for level in (0.15, 0.6, 1.0):
        picture = grey(expose(flat(level), camera, np.random.default_rng(seed)))
        # 40 000 pixels, correlated over a few: 3 % is four standard errors or more. Noise under
        # half a grey step may be rounded away, where 1 / sqrt(12) of a step is expected.
        assert picture.std() == pytest.approx(noise_level(camera, level), rel=0.03, abs=0.3 / 255)


@pytest.mark.parametrize("seed", range(24))
def test_gain_is_the_measured_slope(seed):
    camera = replace(CAMERAS[seed], vignette=0.0, jpeg_quality=None, cast=None)
    for level in (0.4, 0.7):  # bright cameras burn out about 1
        low, high = (
            grey(expose(flat(level + d), camera, np.random.default_rng(1))).mean()
            for d in (-0.1, 0.1)
        )
        # The curve bends within the chord and noiseless flats are rounded: 4 % and a grey step.
        assert abs(high - low) / 0.2 == pytest.approx(gain(camera, level), rel=0.04, abs=0.02)


def test_noise_grows_with_the_root_of_the_light_and_gain_vanishes_when_burnt_out():
    camera = replace(PERFECT, level=0.3, shot_noise=0.02)
    rounding = 1 / 12 / 255**2
    dim, bright = (noise_level(camera, v) ** 2 - rounding for v in (0.5, 2.0))
    assert bright / dim == pytest.approx(4, rel=0.02)
    assert gain(camera) == pytest.approx(0.3, rel=1e-6)
    assert gain(replace(camera, inverted=True)) == pytest.approx(0.3, rel=1e-6)
    assert gain(replace(camera, level=0.8), 2.0) == pytest.approx(0, abs=1e-3)
    assert gain(replace(camera, contrast=0.5)) == pytest.approx(0.15, rel=1e-6)


def test_correlated_noise_has_its_deviation_and_correlation():
    camera = replace(PERFECT, read_noise=0.03, noise_sigma_px=0.8)
    noise = grey(expose(flat(1.0), camera, np.random.default_rng(3))) - 0.5
    assert noise.std() == pytest.approx(0.03, rel=0.03)
    neighbour = np.mean(noise[:, 1:] * noise[:, :-1]) / noise.var()
    # Two Gaussians of sigma s one pixel apart overlap by exp(-1 / 4 s^2), here 0.68; sampled.
    assert neighbour == pytest.approx(np.exp(-1 / (4 * 0.8**2)), abs=0.03)


@pytest.mark.parametrize("quality", [None, 45, 90])
@pytest.mark.parametrize("cast", [None, (1.1, 1.0, 0.8)])
@pytest.mark.parametrize("shape", [(1, 1), (37, 211), (64, 64)])
def test_pictures_are_uint8_of_the_right_shape(quality, cast, shape):
    camera = Camera(cast=cast, jpeg_quality=quality, unsharp_amount=0.5, noise_sigma_px=0.5)
    picture = expose(flat(1.0, shape), camera, np.random.default_rng(0))
    assert picture.dtype == np.uint8
    assert picture.shape == (shape if cast is None else (*shape, 3))
    assert picture.mean() == pytest.approx(0.6 * 255, rel=0.15)


def test_a_cast_keeps_the_grey_and_orders_the_channels():
    ramp = np.linspace(0.1, 1.2, 256, dtype=np.float32)[None].repeat(4, axis=0)
    plain = expose(ramp, PERFECT, np.random.default_rng(0))
    warm = expose(ramp, replace(PERFECT, cast=(1.1, 1.0, 0.8)), np.random.default_rng(0))
    np.testing.assert_allclose(grey(warm) * 255, plain, atol=1.0)  # three roundings
    red, green, blue = np.moveaxis(warm[:, 128:].astype(int), -1, 0)
    assert (red > green).all()
    assert (green > blue).all()


def test_jpeg_keeps_red_red():
    camera = replace(PERFECT, cast=(1.3, 0.9, 0.7), jpeg_quality=95)
    picture = expose(flat(1.0), camera, np.random.default_rng(0))[50, 50].astype(int)
    assert picture[0] > picture[1] > picture[2]


def test_jpeg_is_worse_at_lower_quality():
    rng = np.random.default_rng(0)
    scene = (1 + 0.3 * rng.standard_normal((96, 96))).astype(np.float32)
    scene = cv2.GaussianBlur(scene, (0, 0), 1.5)
    clean = expose(scene, PERFECT, rng).astype(int)
    errors = [
        np.abs(expose(scene, replace(PERFECT, jpeg_quality=q), rng) - clean).mean()
        for q in (95, 50)
    ]
    assert errors[0] < errors[1]


def test_the_noise_is_the_generators_alone():
    camera = CAMERAS[0]
    first, second, other = (
        expose(flat(1.0), camera, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()
