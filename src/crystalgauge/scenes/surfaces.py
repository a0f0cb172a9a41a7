"""What makes a crystal look less than perfect: veils, lines, absorption, roughness, inclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.scenes.scene import Population
from crystalgauge.scenes.statistics import log_uniform

if TYPE_CHECKING:
    from numpy.random import Generator


def with_surfaces(
    rng: Generator, crystals: Population, *, lined: float, absorbing: float, rough: float
) -> Population:
    """Give crystals veils, absorption, rough faces, inclusions and steps.

    Parameters
    ----------
    rng
        Source.
    crystals
        Perfect ones.
    lined
        Probability that the edges of facets show as lines.
    absorbing
        Probability that the crystals absorb light.
    rough
        Probability of rough faces, inclusions or steps.
    """
    count = len(crystals)
    glare = rng.choice([1.0, 0.75, 0.5, 0.3], p=[0.55, 0.2, 0.15, 0.1])
    looks = dict(vars(crystals))
    looks["visibility"] = np.minimum(glare * rng.uniform(0.5, 1.5, count), 1).astype(np.float32)
    if rng.random() < lined:
        depth = rng.uniform(0.1, 0.7) * rng.choice([1.0, -0.5], p=[0.85, 0.15])
        looks["edge_depth"] = (depth * rng.uniform(0.3, 1.2, count)).astype(np.float32)
        looks["edge_px"] = np.full(count, rng.uniform(0.4, 1.3), np.float32)
    if rng.random() < absorbing:
        typical = max(float(crystals.size_px.mean()), 1.0) if count else 1.0
        per_px = log_uniform(rng, 0.02, 1.5, 1)[0] / typical
        looks["absorption_per_px"] = (per_px * rng.uniform(0.5, 1.5, count)).astype(np.float32)
    if rng.random() < rough:
        chosen = rng.random(count) < rng.uniform(0.2, 1.0)
        spread = log_uniform(rng, 0.01, 0.2, 1)[0] * (rng.random() < 0.7)
        looks["roughness"] = (chosen * spread * rng.uniform(0.3, 1.5, count)).astype(np.float32)
        looks["grain_px"] = log_uniform(rng, 1.0, 8.0, count).astype(np.float32)
        looks["specks"] = (chosen * rng.poisson(rng.uniform(0, 5), count)).astype(np.int32)
        looks["steps"] = (chosen * rng.poisson(rng.uniform(0, 1.5), count)).astype(np.int32)
        looks["surface_seed"] = rng.integers(0, 2**31, count)
    return Population(**looks)
