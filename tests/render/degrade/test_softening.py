from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.render.degrade.softening import Softening, soften


@pytest.mark.parametrize("sigma", [0.8, 1.5])
def test_a_point_spreads_with_the_stated_deviation(sigma):
    picture = np.zeros((41, 41), np.float32)
    picture[20, 20] = 1
    spread = soften(picture, Softening(sigma))
    offset = np.arange(41) - 20
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    assert math.sqrt(spread.sum(axis=0) @ offset**2) == pytest.approx(sigma, rel=0.02)
    assert math.sqrt(spread.sum(axis=1) @ offset**2) == pytest.approx(sigma, rel=0.02)


def test_a_constant_stays_up_to_its_border():
    picture = np.full((9, 12), 0.3, np.float32)
    np.testing.assert_allclose(soften(picture, Softening(1.2)), picture, atol=1e-6)
