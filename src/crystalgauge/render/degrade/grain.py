"""Additive Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.noise import hash_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Grain:
    """White noise.

    Parameters
    ----------
    deviation
        Standard deviation, full scale 1.
    seed
        Of the noise.
    """

    deviation: float
    seed: int

    @classmethod
    def sample(cls, rng: np.random.Generator, shape: tuple[int, int], strength: float) -> Grain:
        """Draw the seed of noise whose standard deviation is the strength."""
        return cls(strength, int(rng.integers(2**31)))


def add_grain(picture: NDArray[np.float32], grain: Grain) -> NDArray[np.float32]:
    """Add nearly normal noise: sums of four uniform numbers, within 3.5 standard deviations.

    Parameters
    ----------
    picture
        ``(H, W)`` grey, full scale 1.
    grain
        The noise.
    """
    noisy = np.empty_like(picture)
    _add(noisy, picture, np.float32(grain.deviation), grain.seed)
    return noisy


@njit(cache=True, nogil=True)
def _add(out, picture, deviation, seed):  # type: ignore[no-untyped-def]
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = picture[y, x] + deviation * np.float32(hash_normal(seed, y, x))
