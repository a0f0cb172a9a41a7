"""From the network's values to blur, its interval and content.

The three values of a tile are ``log(1 + sigma)``, the logarithm of the width of a Laplace density
about it, and the logit of there being content. Adding 1 px before the logarithm makes errors
relative for strong blur and absolute for weak blur.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

COVERAGE = 0.9
"""Share of the truths that the stated interval holds."""

MOST_BLUR_PX = 20.0
"""Answers are cut here; training ends at about 14 px."""


@dataclass(frozen=True, eq=False)
class DecodedTiles:
    """What the network says of a picture's tiles.

    Parameters
    ----------
    blur_px
        ``(h, w)`` standard deviation of the blur of the edges, px.
    low_px, high_px
        ``(h, w)`` ends of its interval at `COVERAGE`.
    content
        ``(h, w)`` probability that there is something to judge by, 0 to 1.
    """

    blur_px: NDArray[np.float32]
    low_px: NDArray[np.float32]
    high_px: NDArray[np.float32]
    content: NDArray[np.float32]


def decode(tiles: NDArray[np.float32], width_factor: float = 1.0) -> DecodedTiles:
    """Read the network's values.

    Parameters
    ----------
    tiles
        ``(3, h, w)``.
    width_factor
        What stated widths must be multiplied by to hold `COVERAGE` of the truths, positive.
    """
    middle, spread = tiles[0], np.exp(np.clip(tiles[1], -6, 2))
    reach = width_factor * spread * np.float32(np.log(1 / (1 - COVERAGE)))
    blur, low, high = (
        np.clip(np.expm1(np.clip(z, 0, 5)), 0, MOST_BLUR_PX).astype(np.float32)
        for z in (middle, middle - reach, middle + reach)
    )
    return DecodedTiles(blur, low, high, (1 / (1 + np.exp(-tiles[2]))).astype(np.float32))


def encode(blur_px: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the value that stands for a blur, 0 where that is NaN.

    Parameters
    ----------
    blur_px
        Standard deviations, any shape.
    """
    return np.log1p(np.nan_to_num(blur_px)).astype(np.float32)
