"""Stated errors put right."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.core import Crystals
from crystalgauge.metrics import EvaluationPair
from crystalgauge.train.calibration import diameter_error_factor


def made(stated: float, spread: float, count: int = 400) -> list[EvaluationPair]:
    """Discs found with radii that are wrong by +-`spread`, with errors stated alike."""
    rng = np.random.default_rng(0)
    centres = np.stack(np.meshgrid(np.arange(20), np.arange(count // 20)), -1).reshape(-1, 2) * 60
    factor = 1 + spread * rng.choice([-1, 1], count)
    truth = np.array([shapely.Point(*c).buffer(10) for c in centres], object)
    found = np.array(
        [shapely.Point(*c).buffer(10 * f) for c, f in zip(centres, factor, strict=True)], object
    )
    columns = {"score": np.full(count, 0.9), "diameter_error": np.full(count, stated)}
    return [EvaluationPair(Crystals(truth, {}), Crystals(found, columns))]


def test_the_factor_makes_the_mean_right() -> None:
    assert diameter_error_factor(made(0.05, 0.08), 0.5) == pytest.approx(1.6, rel=1e-6)
    assert diameter_error_factor(made(0.1, 0.08), 0.5) == pytest.approx(0.8, rel=1e-6)


def test_too_little_changes_nothing() -> None:
    assert diameter_error_factor(made(0.05, 0.08, 40), 0.5) == 1.0
    assert diameter_error_factor(made(0.05, 0.08), 0.95) == 1.0
    assert diameter_error_factor([], 0.5) == 1.0
