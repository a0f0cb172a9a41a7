from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.degrade.grain import Grain, add_grain

FLAT = np.full((300, 300), 0.5, np.float32)


def test_the_noise_is_white_with_the_stated_variance():
    noise = add_grain(FLAT, Grain(0.04, 7)) - FLAT
    # 90 000 values: standard errors 1 / 300 of the mean, 1 / 420 of the deviation, 1 / 300 of a
    # correlation; four of them.
    assert noise.mean() / 0.04 == pytest.approx(0, abs=4 / 300)
    assert noise.std() / 0.04 == pytest.approx(1, abs=4 / 420)
    assert np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1] == pytest.approx(0, abs=4 / 300)
    assert np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1] == pytest.approx(
        0, abs=4 / 300
    )


def test_the_seed_names_the_noise():
    first = add_grain(FLAT, Grain(0.04, 1))
    assert first.tobytes() == add_grain(FLAT, Grain(0.04, 1)).tobytes()
    other = add_grain(FLAT, Grain(0.04, 2))
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 4 / 300


def test_no_deviation_no_noise():
    np.testing.assert_array_equal(add_grain(FLAT, Grain(0.0, 1)), FLAT)
