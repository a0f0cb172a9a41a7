from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.core.micrograph import LUMA
from crystalgauge.scenes.camera import Camera, sample_camera

CAMERAS = [sample_camera(np.random.default_rng(seed)) for seed in range(400)]


def test_same_generator_same_camera():
    assert CAMERAS[7] == sample_camera(np.random.default_rng(7))
    assert len(set(CAMERAS)) == 400


def test_a_camera_is_frozen_and_of_plain_numbers():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CAMERAS[0].level = 1.0
    for value in dataclasses.astuple(CAMERAS[0]):
        assert type(value) in (float, int, bool, tuple, type(None))


def test_casts_keep_white_grey():
    casts = [camera.cast for camera in CAMERAS if camera.cast is not None]
    np.testing.assert_allclose(np.asarray(casts) @ np.asarray(LUMA), 1, atol=1e-9)


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        # 400 draws of a probability p: four standard errors are at most 0.1.
        (lambda c: c.inverted, 0.02, 0.13),
        (lambda c: c.cast is not None, 0.25, 0.45),
        (lambda c: c.jpeg_quality is not None, 0.3, 0.5),
        (lambda c: c.psf_sigma_px < 0.7, 0.65, 0.85),
        (lambda c: c.unsharp_amount > 0, 0.38, 0.6),
    ],
)
def test_how_often_what_appears(share, low, high):
    assert low < np.mean([share(camera) for camera in CAMERAS]) < high


def test_ranges():
    for camera in CAMERAS:
        assert 0.3 <= camera.psf_sigma_px <= 1.6
        assert 0 < camera.level < 1
        assert 0.0015 < np.hypot(camera.shot_noise, camera.read_noise) < 0.036
        assert camera.bit_depth == 8
    assert Camera() == Camera()


@pytest.mark.parametrize("bits", [0, 9, 16])
def test_depths_that_no_picture_here_has(bits):
    with pytest.raises(ArgumentError, match="stores 1 to 8 bits per channel"):
        Camera(bit_depth=bits)
