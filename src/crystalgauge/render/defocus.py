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

BLOCK = 2048
"""Pixels that are filtered at a time, so that they stay in the fastest cache."""


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
def blur(images: NDArray[np.float32], sigma_px: float, scratch: NDArray[np.float32]) -> None:
    """Blur images in place that are flat within `blur_margin` of their borders.

    Where they are not, the margins are spoiled, but nothing further in.

    Parameters
    ----------
    images
        ``(K, H, W)``, contiguous.
    sigma_px
        Standard deviation.
    scratch
        At least as many float32, contiguous; overwritten.
    """
    radius, end = box_of(sigma_px)
    image = images.reshape(-1)
    other = scratch.reshape(-1)[: len(image)]
    for step in (1, images.shape[2]):
        _box_pass(image, other, step, radius, np.float32(end))
        _box_pass(other, image, step, radius, np.float32(end))


@njit(cache=True, nogil=True)
def _box_pass(image, target, step, radius, end):  # type: ignore[no-untyped-def]
    """Write one box filter over every ``step``-th pixel of flattened images.

    All rows of all images are one closed line to it: they run into each other where they are flat.
    Boxes of real blurs are a few px wide, so that sums without a carry, which run in vector
    registers, cost less than a running one.
    """
    scale = np.float32(1.0 / (2 * radius + 1 + 2 * end))
    reach = (radius + 1) * step
    if len(image) <= 2 * reach:  # all of it is margin
        target[:] = image
        return
    for i in range(-reach, reach):  # the line's ends; what is negative counts from the last
        total = end * (image[i - reach] + image[i + reach])
        for shift in range(-radius * step, radius * step + 1, step):
            total += image[i + shift]
        target[i] = scale * total
    for start in range(reach, len(image) - reach, BLOCK):
        block = target[start : min(start + BLOCK, len(image) - reach)]
        left, right = image[start - reach :], image[start + reach :]
        for i in range(len(block)):
            block[i] = end * (left[i] + right[i])
        for shift in range(-radius * step, radius * step + 1, step):
            shifted = image[start + shift :]
            for i in range(len(block)):
                block[i] += shifted[i]
        for i in range(len(block)):
            block[i] *= scale
