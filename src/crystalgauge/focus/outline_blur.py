"""Blur of each crystal from the widths of its edge, place by place along the outline.

Another crystal's edge, a face's edge or a shadow falsifies a measure that takes the whole edge
together. Here every place of the outline is measured for itself, and quantiles over the places,
weighted by the height of the step found there, leave such places out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals, Micrograph

PLACES = 48
"""Along an outline."""

REACH = 4.0
"""Profiles reach this many expected blurs to either side ..."""

SEARCH = 2.0
"""... and the steepest slope is looked for within so many."""

SAMPLES = 49

LEAST_EXPECTED_PX = 0.8
"""Finer steps than a pixel's tell nothing."""

FOOT = 0.35
"""An edge ends where the slope falls below this share of its steepest ..."""

FOOT_SIGMAS = float(2 * np.sqrt(2 * np.log(1 / FOOT)))
"""... which for a Gaussian's edge is so many standard deviations from end to end."""

BLOCK_PX = 2048
"""Pictures are read in blocks of this edge."""

_BATCH = 256  # crystals at a time, which bounds the memory


@dataclass(frozen=True, eq=False)
class OutlineBlur:
    """Quantiles of the blur along each outline, NaN for outlines outside the picture.

    Parameters
    ----------
    lower_px, median_px, upper_px
        ``(N,)`` quarter, half and three quarters of the outline, by height of step, are sharper;
        standard deviation of the blur in px.
    """

    lower_px: NDArray[np.float64]
    median_px: NDArray[np.float64]
    upper_px: NDArray[np.float64]


def outline_blur(micrograph: Micrograph, crystals: Crystals) -> OutlineBlur:
    """Measure the blur of every crystal's edge.

    Parameters
    ----------
    micrograph
        The picture.
    crystals
        Outlines in px of the picture, with the blur expected, ``defocus_px``.
    """
    quantiles = np.full((len(crystals), 3), np.nan)
    for rows, piece, x, y in _blocks(micrograph, crystals):
        near = crystals.take(rows)
        expected = np.maximum(near["defocus_px"].astype(np.float64), LEAST_EXPECTED_PX)
        place, normal = _places(near.outlines)
        place -= (x, y)
        blur, height = edge_widths(_profiles(piece, place, normal, expected), expected)
        inside = (place > 2).all(axis=2) & (place < (piece.shape[1] - 2, piece.shape[0] - 2)).all(2)
        quantiles[rows] = _weighted_quantiles(blur, height * inside, (0.25, 0.5, 0.75))
    return OutlineBlur(*quantiles.T)


def edge_widths(
    profiles: NDArray[np.floating], expected_px: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the steepest edge of profiles of grey.

    Parameters
    ----------
    profiles
        ``(N, K, S)`` grey at S places across the edge, spaced evenly over `REACH` expected blurs
        to either side.
    expected_px
        ``(N,)`` expected blur.

    Returns
    -------
    tuple
        ``(N, K)`` standard deviations of the blur in px, and ``(N, K)`` heights of the steps.
    """
    count = profiles.shape[2]
    across = np.linspace(-REACH, REACH, count)
    step = across[1] - across[0]
    slope = np.gradient(profiles.astype(np.float64), step, axis=2)
    slope[..., 1:-1] = 0.25 * slope[..., :-2] + 0.5 * slope[..., 1:-1] + 0.25 * slope[..., 2:]
    steepest = np.argmax(np.abs(slope) * (np.abs(across) <= SEARCH), axis=2)[..., None]
    peak = np.take_along_axis(slope, steepest, axis=2)
    rising = slope * np.sign(peak)
    below = rising < FOOT * np.abs(peak)
    index = np.arange(count)
    start = np.where(below & (index < steepest), index, -1).max(axis=2)[..., None]
    stop = np.where(below & (index > steepest), index, count).min(axis=2)[..., None]
    edge = (index > start) & (index < stop)
    width = edge.sum(axis=2) * step * expected_px[:, None]
    return width / FOOT_SIGMAS, (rising * edge).sum(axis=2) * step


def _places(outlines: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``(N, K, 2)`` places evenly along outlines and unit normals there."""
    share = (np.arange(PLACES) + 0.5) / PLACES
    rings = shapely.get_exterior_ring(outlines)[:, None]
    points = shapely.line_interpolate_point(rings, share, normalized=True)
    place = shapely.get_coordinates(points).reshape(-1, PLACES, 2)
    along = np.roll(place, -1, axis=1) - np.roll(place, 1, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-9)
    return place, np.stack([along[..., 1], -along[..., 0]], axis=2)


def _profiles(
    grey: NDArray[np.float32],
    place: NDArray[np.float64],
    normal: NDArray[np.float64],
    expected_px: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return ``(N, K, S)`` grey across the edge."""
    reach = np.linspace(-REACH, REACH, SAMPLES)[:, None] * expected_px[:, None, None, None]
    position = place[:, :, None] + normal[:, :, None] * reach - 0.5  # cv2 counts pixel centres
    flat = position.reshape(-1, SAMPLES, 2).astype(np.float32)
    picked = cv2.remap(grey, flat[..., 0], flat[..., 1], cv2.INTER_CUBIC, None, cv2.BORDER_REFLECT)
    return picked.reshape(*place.shape[:2], SAMPLES)


def _weighted_quantiles(
    values: NDArray[np.float64], weights: NDArray[np.float64], shares: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return ``(N, Q)`` the quantiles of each row, NaN for rows without weight."""
    order = np.argsort(values, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    below = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    total = below[:, -1:]
    at = [(below < share * total).sum(axis=1, keepdims=True) for share in shares]
    found = np.take_along_axis(values, np.minimum(np.hstack(at), values.shape[1] - 1), axis=1)
    return np.where(total > 0, found, np.nan)


def _blocks(
    micrograph: Micrograph, crystals: Crystals
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32], int, int]]:
    """Yield rows of crystals that lie together, the grey around them, and its corner."""
    height, width = micrograph.shape
    bounds = np.nan_to_num(crystals.bounds, nan=-np.float64(width + height))
    margin = REACH * np.maximum(crystals["defocus_px"], LEAST_EXPECTED_PX) + 4
    corner = np.floor(bounds[:, :2] / BLOCK_PX).astype(np.int64)
    whole = shapely.get_type_id(crystals.outlines) == shapely.GeometryType.POLYGON.value
    whole &= ~shapely.is_empty(crystals.outlines)
    blocks, of = np.unique(corner, axis=0, return_inverse=True)
    for block in range(len(blocks)):
        rows = np.flatnonzero((of.ravel() == block) & whole)
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            reach = margin[part].max()
            x0, y0 = np.maximum(np.floor(bounds[part, :2].min(axis=0) - reach), 0).astype(int)
            x1, y1 = np.ceil(bounds[part, 2:].max(axis=0) + reach).astype(int)
            if x0 < min(x1, width) and y0 < min(y1, height):  # else they lie outside
                grey = micrograph.grey(slice(y0, min(y1, height)), slice(x0, min(x1, width)))
                yield part, np.ascontiguousarray(grey, np.float32), int(x0), int(y0)
