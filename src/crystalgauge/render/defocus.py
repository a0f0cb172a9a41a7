"""The blur of a depth, as a box filter of any variance run twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEGLIGIBLE_SIGMA_PX = 0.35
"""Less blur than this is lost in the pixel."""


@njit(cache=True, nogil=True)
def box_of(sigma_px: float) -> tuple[int, float]:
    """Return the half width and the weight of the two end pixels of one of two box passes.

    Parameters
    ----------
    sigma_px
        Standard deviation of both passes together.

    Notes
    -----
    Weights 1 on ``|i| <= r`` and ``a`` on ``|i| = r + 1`` have any variance between those of
    two odd boxes ("extended box filter", Gwosdek et al. 2011, doi 10.1007/978-3-642-24785-9_38).
    """
    variance = sigma_px * sigma_px / 2
    radius = math.floor((math.sqrt(12 * variance + 1) - 1) / 2)
    inner = radius * (radius + 1) * (2 * radius + 1) / 3
    excess = variance * (2 * radius + 1) - inner
    return radius, excess / (2 * ((radius + 1) ** 2 - variance))


@njit(cache=True, nogil=True)
def blur_margin(sigma_px: float) -> int:
    """Return how many px `blur` carries light.

    Parameters
    ----------
    sigma_px
        Standard deviation.
    """
    return 2 * (box_of(sigma_px)[0] + 1)


@njit(cache=True, nogil=True)
def blur(image: NDArray[np.float32], sigma_px: float, scratch: NDArray[np.float32]) -> None:
    """Blur an image in place; its border is taken to go on outside.

    Parameters
    ----------
    image
        ``(H, W)``.
    sigma_px
        Standard deviation.
    scratch
        ``(>= H, >= W)``, overwritten.
    """
    height, width = image.shape
    radius, end = box_of(sigma_px)
    scale = np.float32(1.0 / (2 * radius + 1 + 2 * end))
    tail = np.float32(end)
    total = np.empty(width, np.float32)
    for _ in range(2):
        for y in range(height):
            inside = np.float32(0.0)
            for i in range(-radius, radius + 1):
                inside += image[y, min(max(i, 0), width - 1)]
            for x in range(width):
                left, right = max(x - radius - 1, 0), min(x + radius + 1, width - 1)
                scratch[y, x] = scale * (inside + tail * (image[y, left] + image[y, right]))
                inside += image[y, right] - image[y, max(x - radius, 0)]
        for x in range(width):
            total[x] = 0.0
        for i in range(-radius, radius + 1):
            row = min(max(i, 0), height - 1)
            for x in range(width):
                total[x] += scratch[row, x]
        for y in range(height):
            above, below = max(y - radius - 1, 0), min(y + radius + 1, height - 1)
            leaving = max(y - radius, 0)
            for x in range(width):
                ends = scratch[above, x] + scratch[below, x]
                image[y, x] = scale * (total[x] + tail * ends)
                total[x] += scratch[below, x] - scratch[leaving, x]
