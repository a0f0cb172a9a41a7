from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.degrade.equalise import BINS, add_equalised


def equalised(texture):
    total = np.zeros_like(texture)
    add_equalised(total, texture, 1.0)
    return total


def distance_to_uniform(values):
    """Kolmogorov and Smirnov's distance of the values' distribution to the uniform one."""
    ranks = (np.arange(values.size) + 0.5) / values.size
    return np.abs(np.sort(values.ravel()) - ranks).max()


@pytest.mark.parametrize("draw", ["standard_normal", "standard_exponential", "random"])
def test_every_grey_is_equally_frequent(draw):
    texture = getattr(np.random.default_rng(1), draw)((201, 150)).astype(np.float32)
    # what a bin holds is spread evenly over it: off by less than its share, 1 % at the most here
    assert distance_to_uniform(equalised(texture)) < 0.01


def test_order_is_kept_and_the_ends_are_0_and_1():
    texture = np.random.default_rng(2).standard_normal((40, 41)).astype(np.float32)
    flat = equalised(texture).ravel()
    assert np.all(np.diff(flat[np.argsort(texture.ravel())]) >= 0)
    assert flat.min() == 0
    assert flat.max() == pytest.approx(1, abs=1e-6)


def test_equalising_does_not_see_scale_and_offset():
    texture = np.random.default_rng(3).integers(0, BINS, (30, 30)).astype(np.float32)
    np.testing.assert_allclose(equalised(4 * texture - 64), equalised(texture), atol=1e-6)


def test_a_constant_becomes_one_half_and_sums_are_weighted():
    total = np.ones((3, 4), np.float32)
    add_equalised(total, np.full((3, 4), 7, np.float32), 0.5)
    np.testing.assert_allclose(total, 1.25)
    ramp = np.arange(12, dtype=np.float32).reshape(3, 4)
    add_equalised(total, ramp, 0.25)
    assert total.max() - total.min() == pytest.approx(0.25)
