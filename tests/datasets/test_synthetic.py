from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.datasets import sample_picture


def test_a_picture_depends_on_seed_and_index_alone() -> None:
    first, truth = sample_picture(4, 2, size=96)
    sample_picture(4, 1, size=96)
    again, _ = sample_picture(4, 2, size=96)
    other, _ = sample_picture(5, 2, size=96)
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()
    assert first.dtype == np.uint8
    assert first.shape[:2] == (96, 96)
    assert {"id", "habit", "defocus_px", "ignore", "visible_fraction"} <= set(
        truth.crystals.columns
    )


def test_an_unknown_regime_is_refused() -> None:
    with pytest.raises(ArgumentError, match="known are agglomerates, blank, drop, growth, pcs"):
        sample_picture(0, 0, regime="snow")


def test_blank_pictures_have_no_crystals() -> None:
    for index in range(6):
        pixels, truth = sample_picture(1, index, size=96, regime="blank")
        assert pixels.shape[:2] == (96, 96)
        assert len(truth.crystals) == 0


def test_base_pictures_of_crystals_in_suspension_are_grey_and_whole() -> None:
    for index in range(3):
        pixels, truth = sample_picture(1, index, size=128, regime="pcs")
        again, _ = sample_picture(1, index, size=128, regime="pcs")
        np.testing.assert_array_equal(pixels, again)
        assert pixels.shape == (128, 128)
        assert (truth.crystals["in_frame_fraction"] > 0.999).all()
        assert truth.crystals["box_length_px"].max() < 128 * 2**0.5
