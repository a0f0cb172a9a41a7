"""Blur of edges, free of their contrast and length.

Across a step of height h that is blurred by a Gaussian of width sigma, the gradient is a Gaussian
and the Laplacian its derivative, so that

    sum Laplacian^2 / sum gradient^2 = 1 / (2 sigma^2),

whatever h and however long the edge. Pixels and differences change this for sigma near 1 px; the
inversion below is of the sums over pixels themselves. Noise of variance v adds 20 v to a squared
Laplacian and v to a squared gradient in the mean; both are taken off.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.focus.measures import laplacian, squared_gradient

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGMAS_PX = (0.3, 20.0)
"""Range of the inversion; edges beyond are given its ends."""

LAPLACIAN_NOISE, GRADIENT_NOISE = 20.0, 1.0
"""Variance of the five-point Laplacian, and of the squared gradient's mean, of unit noise."""

_MAD = 0.6744897501960817  # of the standard normal distribution


def edge_sharpness(
    pixels: NDArray[np.floating[Any]], mask: NDArray[np.bool_], *, noise: float = 0.0
) -> float:
    """Return sum Laplacian² / sum gradient² along edges, in px⁻²; NaN where noise is all.

    Parameters
    ----------
    pixels
        ``(H, W)`` grey values.
    mask
        ``(H, W)`` a band around the edges, some 3 sigma to either side.
    noise
        Standard deviation of the camera's noise, white, in grey values.
    """
    inside = mask.copy()
    inside[[0, -1]] = inside[:, [0, -1]] = False
    count = int(inside.sum())
    curvature = float((laplacian(pixels)[inside] ** 2).sum())
    slope = float(squared_gradient(pixels)[inside].sum())
    curvature -= LAPLACIAN_NOISE * count * noise**2
    slope -= GRADIENT_NOISE * count * noise**2
    return curvature / slope if curvature > 0 and slope > 0 else float("nan")


def edge_blur_px(sharpness: float) -> float:
    """Return the blur of straight edges from their sharpness, as a Gaussian's sigma in px.

    Parameters
    ----------
    sharpness
        Of `edge_sharpness`, px⁻².
    """
    if not np.isfinite(sharpness):
        return float("nan")
    sigma, falling = _inversion()
    return float(np.interp(-np.log(sharpness), -falling, sigma))


def noise_level(pixels: NDArray[np.floating[Any]]) -> float:
    """Return the standard deviation of white noise, by the median of the Laplacian.

    Robust while edges fill less than half of the picture (Immerkær, CVIU 64 (1996) 300, with the
    median in place of the mean).

    Parameters
    ----------
    pixels
        ``(H, W)`` grey values.
    """
    grey = np.asarray(pixels, np.float64)
    inner = (
        grey[:-2, :-2] + grey[:-2, 2:] + grey[2:, :-2] + grey[2:, 2:]
        - 2 * (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:])
        + 4 * grey[1:-1, 1:-1]
    )  # fmt: skip
    return float(np.median(np.abs(inner)) / _MAD / 6.0)


@lru_cache(maxsize=1)
def _inversion() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sigmas and the logarithms of their sharpness, of pixel-integrated straight edges.

    Averaged over edges in all directions and at all places between pixels.
    """
    from scipy.special import erf

    sigma = np.geomspace(*SIGMAS_PX, 60)
    angles = np.radians(np.linspace(0, 45, 10))
    ratios = np.empty(len(sigma))
    for row, width in enumerate(sigma):
        reach = int(np.ceil(4 * width)) + 3
        y, x = np.mgrid[-reach : reach + 1, -4:5].astype(np.float64)
        curved = sloped = 0.0
        for angle in angles:
            for place in (0.0, 0.25, 0.5, 0.75):
                away = y * np.cos(angle) + x * np.sin(angle) + place
                # a pixel is a square; the second moment of its shadow is 1/12 px^2 at any angle
                spread = np.sqrt(width**2 + 1 / 12)
                step = 0.5 * (1 + erf(away / (np.sqrt(2) * spread)))
                curved += (laplacian(step)[1:-1, 1:-1] ** 2).sum()
                sloped += squared_gradient(step)[1:-1, 1:-1].sum()
        ratios[row] = curved / sloped
    return sigma, np.log(ratios)
