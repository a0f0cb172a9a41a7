"""Pictures of things that are no crystals, for judging focus: nuclei, dead leaves, empty fields.

Dead leaves (Lee, Mumford and Huang, Int. J. Comput. Vis. 41 (2001) 35) are opaque shapes of all
sizes that hide each other; they have the edges and the spectrum of natural pictures without being
of any one kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.render.camera import blur

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVERSAMPLED = 2
"""Shapes are drawn so many times finer and averaged, so that their edges cross pixels evenly."""

_FINE = 8  # parts of a pixel by which a disc is drawn
_SHIFT = 4  # fractional bits of cv2's coordinates


def draw_leaves(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Draw opaque discs and polygons that hide each other.

    Parameters
    ----------
    rng
        Source.
    size
        Height and width in px.

    Returns
    -------
    ndarray
        ``(size, size)`` irradiance, 1 in the mean, sharp to a pixel.
    """
    edge = size * OVERSAMPLED
    canvas = np.ones((edge, edge), np.float32)
    contrast = np.exp(rng.uniform(np.log(0.05), np.log(0.9)))
    least, most = OVERSAMPLED * rng.uniform(3, 10), OVERSAMPLED * rng.uniform(25, 80)
    sparse = rng.random() < 0.4
    count = int(rng.integers(4, 25) if sparse else 3.0 * edge**2 / (least * most))
    for _ in range(min(count, 1500)):
        share = rng.random()  # radii with density r^-3, which looks alike at every scale
        radius = (least**-2 + share * (most**-2 - least**-2)) ** -0.5
        centre = rng.uniform(-radius, edge + radius, 2)
        shade = float(1 + contrast * rng.uniform(-1, 1))
        corners = 40 if rng.random() < 0.4 else int(rng.integers(3, 8))
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners)) if corners < 40 else (
            np.linspace(0, 2 * np.pi, corners, endpoint=False))  # fmt: skip
        around = radius * np.stack([np.cos(angle), np.sin(angle)], 1) + centre
        cv2.fillPoly(canvas, [_fixed(around)], shade, cv2.LINE_8, _SHIFT)
    return _coarser(canvas, size)


def draw_nuclei(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Draw stained nuclei that glow on a dark field.

    Ellipsoids glow by their thickness along the line of sight, with a mottled stain.

    Parameters
    ----------
    rng
        Source.
    size
        Height and width in px.

    Returns
    -------
    ndarray
        ``(size, size)`` irradiance, the brightest about 1, sharp to a pixel.
    """
    edge = size * OVERSAMPLED
    y, x = np.mgrid[:edge, :edge].astype(np.float32)
    field = np.full((edge, edge), rng.uniform(0.02, 0.15), np.float32)
    mottle = blur(rng.normal(size=(edge, edge)).astype(np.float32), OVERSAMPLED * 1.5)
    mottle /= mottle.std()
    typical = OVERSAMPLED * np.exp(rng.uniform(np.log(6), np.log(25)))
    flat = rng.uniform(0.15, 0.5)  # 0.5 is an ellipsoid, less has steeper flanks
    for _ in range(int(rng.integers(2, 26))):
        long, ratio = typical * rng.uniform(0.7, 1.4), rng.uniform(0.55, 1.0)
        centre, angle = rng.uniform(0, edge, 2), rng.uniform(0, np.pi)
        along = (x - centre[0]) * np.cos(angle) + (y - centre[1]) * np.sin(angle)
        across = (y - centre[1]) * np.cos(angle) - (x - centre[0]) * np.sin(angle)
        inside = np.maximum(1 - (along / long) ** 2 - (across / (ratio * long)) ** 2, 0)
        glow = rng.uniform(0.25, 0.9) * inside**flat
        field += (glow * (1 + rng.uniform(0, 0.25) * mottle)).astype(np.float32)
    return _coarser(np.maximum(field, 0), size)


def draw_empty(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Draw a field with nothing but uneven light.

    Parameters
    ----------
    rng
        Source.
    size
        Height and width in px.

    Returns
    -------
    ndarray
        ``(size, size)`` irradiance.
    """
    level = np.exp(rng.uniform(np.log(0.03), np.log(1.1)))
    waves = rng.normal(size=(4, 4)).astype(np.float32)
    uneven = cv2.resize(waves, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(level * (1 + rng.uniform(0, 0.12) * uneven), np.float32).clip(0)


def disc_blur(picture: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Blur by the uniform disc of a defocused lens, edges replicated.

    Parameters
    ----------
    picture
        ``(H, W)`` float32.
    sigma_px
        Standard deviation of the disc along one axis, half its radius; less than 0.3 does nothing.
    """
    if sigma_px < 0.3:
        return picture
    radius = 2 * np.sqrt(sigma_px**2 - 1 / 12)  # the kernel's square pixels add the rest
    reach = int(np.ceil(radius)) + 1
    fine = (np.arange((2 * reach + 1) * _FINE) + 0.5) / _FINE - reach - 0.5
    inside = (fine**2 + fine[:, None] ** 2 <= radius**2).astype(np.float32)
    kernel = cv2.resize(inside, (2 * reach + 1,) * 2, interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.filter2D(picture, cv2.CV_32F, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    )


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round((points - 0.5) * 2**_SHIFT).astype(np.int32)


def _coarser(canvas: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA), np.float32)
