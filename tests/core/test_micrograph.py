from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import ArgumentError, Micrograph


@pytest.mark.parametrize("shape", [(3,), (3, 0), (3, 4, 2), (3, 4, 4), (2, 3, 4, 3)])
def test_shapes_that_are_no_picture(shape):
    with pytest.raises(ArgumentError, match="shape"):
        Micrograph(np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64, ">u2"])
def test_grey_keeps_the_intensity_units(dtype):
    stored = np.arange(12).reshape(3, 4).astype(dtype)
    grey = Micrograph(stored).grey()
    assert grey.dtype == np.float32
    assert np.array_equal(grey, stored)


def test_grey_of_a_colour_picture_is_its_luma():
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 0], pixels[0, 1], pixels[0, 2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    pixels[1] = 200
    grey = Micrograph(pixels).grey()
    assert grey[0] == pytest.approx([0.299 * 255, 0.587 * 255, 0.114 * 255])
    assert grey[1] == pytest.approx([200] * 3)


@pytest.mark.parametrize("samples", [(), (3,)])
def test_a_window_is_the_window_of_the_whole(samples):
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, *samples)).astype(np.uint8)
    picture = Micrograph(pixels)
    window = picture.grey(slice(3, 9), slice(5, 25))
    assert window.flags.c_contiguous
    assert np.allclose(window, picture.grey()[3:9, 5:25], atol=1e-4)
    assert picture.shape == (20, 30)
