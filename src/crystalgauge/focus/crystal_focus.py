"""Focus of each crystal, by what its outline encloses and by its edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.focus.edges import edge_blur_px, edge_sharpness, noise_level
from crystalgauge.focus.measures import brenner, laplacian_variance, reblur, tenengrad

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

BAND_PX = 6
"""Half width of the band around an outline that counts as its edge."""

MARGIN_PX = 4
"""Around the band, so that no difference reaches beyond the window."""


@dataclass(frozen=True, eq=False)
class CrystalFocus:
    """Measures of N crystals, NaN for those that lie outside the picture.

    Parameters
    ----------
    laplacian_variance, brenner, tenengrad, reblur
        ``(N,)`` over the enclosed area.
    contour_laplacian_variance
        ``(N,)`` along the edge.
    edge_sharpness
        ``(N,)`` along the edge, px⁻².
    edge_blur_px
        ``(N,)`` the blur it stands for.
    """

    laplacian_variance: NDArray[np.float64]
    brenner: NDArray[np.float64]
    tenengrad: NDArray[np.float64]
    reblur: NDArray[np.float64]
    contour_laplacian_variance: NDArray[np.float64]
    edge_sharpness: NDArray[np.float64]
    edge_blur_px: NDArray[np.float64]


def crystal_focus(
    pixels: NDArray[np.floating[Any]],
    crystals: Crystals,
    *,
    band_px: int = BAND_PX,
    noise: float | None = None,
) -> CrystalFocus:
    """Measure the focus of every crystal.

    Parameters
    ----------
    pixels
        ``(H, W)`` grey values.
    crystals
        Outlines in px of the picture.
    band_px
        Half width of the band around an outline.
    noise
        Standard deviation of the camera's noise; estimated from the picture when None.

    Raises
    ------
    ArgumentError
        When the band has no width or the picture is not grey.
    """
    grey = np.asarray(pixels, np.float64)
    if grey.ndim != 2:
        raise ArgumentError(f"focus is measured in grey pictures, got the shape {grey.shape}")
    if band_px < 1:
        raise ArgumentError(f"the band around an outline is at least 1 px wide, got {band_px}")
    level = noise_level(grey) if noise is None else noise
    rows = [_one(grey, outline, band_px, level) for outline in crystals.outlines]
    columns = np.array(rows, np.float64).reshape(-1, 7).T
    return CrystalFocus(*columns)


def _one(grey: NDArray[np.float64], outline: Any, band_px: int, noise: float) -> tuple[float, ...]:
    """Return the measures of one crystal in the order of `CrystalFocus`."""
    window = _window(outline.bounds, grey.shape, band_px + MARGIN_PX)
    if window is None:
        return (float("nan"),) * 7
    rows, columns = window
    piece = grey[rows, columns]
    corner = np.array([columns.start, rows.start])
    line = np.asarray(outline.exterior.coords)[:, :2] - corner
    mask, band = _masks(line, piece.shape, band_px)
    sharpness = edge_sharpness(piece, band, noise=noise)
    return (
        laplacian_variance(piece, mask), brenner(piece, mask), tenengrad(piece, mask),
        reblur(piece, mask), laplacian_variance(piece, band), sharpness,
        edge_blur_px(sharpness),
    )  # fmt: skip


def _window(
    bounds: tuple[float, float, float, float], shape: tuple[int, ...], margin: int
) -> tuple[slice, slice] | None:
    """Return rows and columns around an outline within the picture, None when too few."""
    x0, y0, x1, y1 = bounds
    if not np.isfinite(bounds).all():
        return None
    top, bottom = max(int(y0) - margin, 0), min(int(np.ceil(y1)) + margin, shape[0])
    left, right = max(int(x0) - margin, 0), min(int(np.ceil(x1)) + margin, shape[1])
    if bottom - top < 3 or right - left < 3:
        return None
    return slice(top, bottom), slice(left, right)


def _masks(
    line: NDArray[np.float64], shape: tuple[int, ...], band_px: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what an outline encloses, and the band around it."""
    fixed = np.round((line - 0.5) * 16).astype(np.int32)  # cv2 counts from pixel centres
    area, edge = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    cv2.fillPoly(area, [fixed], 1, shift=4)
    cv2.polylines(edge, [fixed], True, 1, thickness=2 * band_px + 1, shift=4)
    return area.astype(bool), edge.astype(bool)
