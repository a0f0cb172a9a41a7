from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.defocus import blur, blur_margin


@pytest.mark.parametrize("sigma", [0.4, 0.9, 1.7, 3.3, 6.0])
def test_blur_keeps_the_flux_and_has_the_variance_asked_for(sigma: float) -> None:
    size = 2 * blur_margin(sigma) + 9
    image = np.zeros((size, size + 4), np.float32)
    centre = (size // 2, size // 2 + 2)
    image[centre] = 1.0
    blur(image, sigma, np.empty_like(image))
    assert image.sum() == pytest.approx(1.0, abs=1e-5)
    for axis in (0, 1):
        line = image.sum(axis=1 - axis)
        offset = np.arange(len(line)) - centre[axis]
        assert line @ offset == pytest.approx(0.0, abs=1e-5)
        assert line @ offset**2 == pytest.approx(sigma**2, rel=1e-4)


def test_light_stays_within_the_margin() -> None:
    margin = blur_margin(2.3)
    image = np.zeros((81, 81), np.float32)
    image[40, 40] = 1.0
    blur(image, 2.3, np.empty_like(image))
    rows = np.flatnonzero(np.abs(image).sum(axis=1) > 1e-6)
    assert rows[0] >= 40 - margin
    assert rows[-1] <= 40 + margin


def test_a_flat_field_stays_flat() -> None:
    image = np.full((20, 30), 0.7, np.float32)
    blur(image, 4.0, np.empty_like(image))
    np.testing.assert_allclose(image, 0.7, rtol=1e-5)
