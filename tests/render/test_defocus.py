from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.defocus import blur, blur_margin


@pytest.mark.parametrize("sigma", [0.4, 0.9, 1.7, 3.3, 6.0])
def test_blur_keeps_the_flux_and_has_the_variance_asked_for(sigma: float) -> None:
    size = 2 * blur_margin(sigma) + 9
    images = np.zeros((2, size, size + 4), np.float32)
    image = images[1]
    centre = (size // 2, size // 2 + 2)
    image[centre] = 1.0
    blur(images, sigma, np.empty_like(images))
    assert images[0].sum() == 0.0
    assert image.sum() == pytest.approx(1.0, abs=1e-5)
    for axis in (0, 1):
        line = image.sum(axis=1 - axis)
        offset = np.arange(len(line)) - centre[axis]
        assert line @ offset == pytest.approx(0.0, abs=1e-5)
        assert line @ offset**2 == pytest.approx(sigma**2, rel=1e-4)


def test_light_stays_within_the_margin() -> None:
    margin = blur_margin(2.3)
    images = np.zeros((1, 81, 81), np.float32)
    image = images[0]
    image[40, 40] = 1.0
    blur(images, 2.3, np.empty_like(images))
    rows = np.flatnonzero(np.abs(image).sum(axis=1) > 1e-6)
    assert rows[0] >= 40 - margin
    assert rows[-1] <= 40 + margin


def test_a_flat_field_stays_flat() -> None:
    images = np.full((3, 40, 50), 0.7, np.float32)
    blur(images, 4.0, np.empty_like(images))
    np.testing.assert_allclose(images, 0.7, rtol=1e-5)


def test_what_lies_at_the_border_spoils_the_margin_only() -> None:
    """Rows are one line to the filter: what leaves at the right may come back at the left."""
    margin = blur_margin(1.8)
    images = np.zeros((2, 40, 50), np.float32)
    images[0, :, 0] = images[1, 39] = 1.0
    blur(images, 1.8, np.empty_like(images))
    assert images[0, 20, -1] > 0.01
    assert images[0, 0, 25] > 0.01
    assert images[0, margin:, margin + 1 : -margin].max() == 0.0
    assert images[1, margin : -margin - 1, margin:-margin].max() == 0.0


def test_an_image_that_is_all_margin_is_left_alone() -> None:
    images = np.random.default_rng(0).random((2, 1, 9), np.float32)
    before = images.copy()
    blur(images, 9.0, np.empty_like(images))
    np.testing.assert_array_equal(images, before)
