"""Zernike's polynomials."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.models.focus_cnn.zernike import MODES, zernike


def test_modes_are_orthonormal_over_the_disc() -> None:
    x = np.linspace(-1, 1, 401)
    rho, angle = np.hypot(x[:, None], x), np.arctan2(x[:, None], np.broadcast_to(x, (401, 401)))
    modes = zernike(rho, angle)[:, rho <= 1]
    np.testing.assert_allclose(modes @ modes.T / modes.shape[1], np.eye(len(MODES)), atol=0.02)


def test_the_last_mode_is_spherical_aberration() -> None:
    rho = np.array([0.0, 0.5, 1.0])
    assert zernike(rho, rho * 0)[-1] == pytest.approx(np.sqrt(5) * np.array([1, -0.125, 1]))
