"""Small frames see fewer large crystals; the weights take the bias out."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.measure.frame_correction import miles_lantuejoul_weights, number_per_area
from crystalgauge.measure.weighted_sizes import WeightedSizes

FRAME = (300, 400)
DENSITY = 2e-4  # needles per px²
MARGIN = 250.0


def field(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds and lengths of needles that lie anywhere about a frame, at random."""
    height, width = FRAME
    area = (height + 2 * MARGIN) * (width + 2 * MARGIN)
    count = rng.poisson(DENSITY * area)
    length = np.minimum(60 * np.exp(rng.normal(0, 0.5, count)), 2 * MARGIN)
    angle = rng.uniform(0, np.pi, count)
    x = rng.uniform(-MARGIN, width + MARGIN, count)
    y = rng.uniform(-MARGIN, height + MARGIN, count)
    dx, dy = np.abs(length * np.cos(angle)) / 2 + 2, np.abs(length * np.sin(angle)) / 2 + 2
    return np.stack([x - dx, y - dy, x + dx, y + dy], 1), length


def test_number_and_sizes_come_out_right_over_many_frames() -> None:
    rng = np.random.default_rng(5)
    densities, lengths, weights = [], [], []
    for _ in range(1500):
        bounds, length = field(rng)
        weight = miles_lantuejoul_weights(bounds, FRAME)
        densities.append(number_per_area(weight, FRAME[0] * FRAME[1]))
        lengths.append(length[weight > 0])
        weights.append(weight[weight > 0])
    seen = np.concatenate(lengths)
    corrected = WeightedSizes(seen, np.concatenate(weights))
    plain = WeightedSizes.unweighted(seen)
    error = np.std(densities) / np.sqrt(len(densities))
    assert np.mean(densities) == pytest.approx(DENSITY, abs=4 * error)
    assert error < 0.01 * DENSITY
    assert corrected.quantile(0.5) == pytest.approx(60, rel=0.01)
    assert corrected.quantile(0.9) == pytest.approx(60 * np.exp(1.2816 * 0.5), rel=0.015)
    assert plain.quantile(0.5) < 0.95 * 60  # without weights short ones win
    assert plain.quantile(0.9) < 0.95 * 60 * np.exp(1.2816 * 0.5)


def test_weights_by_hand() -> None:
    bounds = np.array([[10, 10, 30, 50], [0.5, 5, 9, 9], [5, 5, 99, 9], [1, 1, 99, 99]])
    got = miles_lantuejoul_weights(bounds, (100, 100))
    assert got[0] == pytest.approx(100 * 100 / ((98 - 20) * (98 - 40)))
    assert got[1] == 0.0  # enters the outermost row of pixels
    assert got[2] == pytest.approx(100 * 100 / ((98 - 94) * (98 - 4)))
    assert got[3] == 0.0  # fits in one place only
    assert miles_lantuejoul_weights(np.zeros((0, 4)), (100, 100)).shape == (0,)


def test_impossible_frames_are_refused() -> None:
    with pytest.raises(ArgumentError, match="no inside"):
        miles_lantuejoul_weights(np.zeros((1, 4)), (2, 50))
    with pytest.raises(ArgumentError, match="above 0"):
        number_per_area(np.ones(3), 0.0)
