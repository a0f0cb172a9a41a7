from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.noise import hash_normal, hash_uniform, value_noise


def test_same_seed_same_field_and_other_seed_another():
    first = value_noise((40, 50), 7.3, 11, octaves=3)
    assert first.tobytes() == value_noise((40, 50), 7.3, 11, octaves=3).tobytes()
    other = value_noise((40, 50), 7.3, 12, octaves=3)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.5


@pytest.mark.parametrize("cell", [1.3, 2.7, 6.4])
@pytest.mark.parametrize("octaves", [1, 3])
def test_mean_and_deviation(cell, octaves):
    field = value_noise((500, 500), cell, 3, octaves=octaves)
    # About (500 / cell)^2 independent values: the standard error of the mean is about cell / 500
    # times 1.5 for their correlation, that of the deviation the same; four of them.
    tolerance = 4 * 1.5 * cell / 500 + 0.01
    assert field.mean() == pytest.approx(0, abs=tolerance)
    assert field.std() == pytest.approx(1, abs=tolerance)
    # Sums of many hashed numbers are nearly normal.
    assert abs(((field - field.mean()) ** 3).mean()) < 0.15
    assert ((field - field.mean()) ** 4).mean() / field.var() ** 2 == pytest.approx(3, abs=0.4)


def test_correlation_ends_after_four_cells_and_is_smooth_within_one():
    cell = 8.0
    field = value_noise((1024, 1024), cell, 5)

    def correlation(lag):
        return float(np.mean(field[:, :-lag] * field[:, lag:]) / field.var())

    assert correlation(1) > 0.97
    # The autocorrelation of a cubic B-spline at its own spacing is 1191 / 2416 (its 7th-order
    # B-spline at 1 over that at 0); beyond four spacings nothing is shared.
    assert correlation(8) == pytest.approx(1191 / 2416, abs=0.05)
    assert correlation(33) == pytest.approx(0, abs=0.05)


def test_a_window_is_the_field_of_its_origin():
    whole = value_noise((60, 80), (5.0, 9.0), 21, octaves=2)
    part = value_noise((20, 30), (5.0, 9.0), 21, octaves=2, origin_px=(13, 41))
    np.testing.assert_allclose(part, whole[13:33, 41:71], atol=1e-5)  # float32 sums


def test_stretched_cells_stretch_the_field():
    field = value_noise((400, 400), (4.0, 40.0), 2)
    down = np.abs(np.diff(field, axis=0)).mean()
    across = np.abs(np.diff(field, axis=1)).mean()
    assert down / across == pytest.approx(10, rel=0.25)  # few cells across: 400 / 40


def test_hashes_are_uniform_and_uncorrelated_along_the_lattice():
    uniform = np.array([[hash_uniform(9, i, j) for j in range(200)] for i in range(200)])
    assert uniform.min() >= 0
    assert uniform.max() < 1
    counts = np.histogram(uniform, bins=20, range=(0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 43.8  # chi-squared, 19 degrees, p = 0.001
    normal = np.array([[hash_normal(9, i, j) for j in range(200)] for i in range(200)])
    # 40 000 pairs: the standard error of a correlation is 0.005.
    assert abs(np.mean(normal[1:] * normal[:-1])) < 0.02
    assert abs(np.mean(normal[:, 1:] * normal[:, :-1])) < 0.02
    assert normal.std() == pytest.approx(1, abs=0.02)
    assert np.abs(normal).max() <= 2 * 3**0.5 + 1e-9
