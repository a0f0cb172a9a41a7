"""Draws that several of the backdrop's samplers share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SEED_END = 2**31
"""Seeds of noise fields are drawn below this."""


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform between those of ``low`` and ``high``."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return True with the given probability."""
    return bool(rng.random() < probability)


def draw_seed(rng: np.random.Generator) -> int:
    """Draw the seed of a noise field."""
    return int(rng.integers(SEED_END))


def point_in(
    rng: np.random.Generator, shape: tuple[int, int], margin_px: float = 0.0
) -> tuple[float, float]:
    """Draw x and y uniformly in a frame widened by a margin (narrowed where negative), px."""
    height, width = shape
    return (
        float(rng.uniform(-margin_px, width + margin_px)),
        float(rng.uniform(-margin_px, height + margin_px)),
    )
