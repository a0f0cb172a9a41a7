"""Pictures for the eye: any depth and size to 8-bit colour, and to encoded bytes."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph

STRETCH = (0.2, 99.8)
"""Percentiles shown as black and white, for anything that is not 8-bit already."""

_BAND_SAMPLES = 1 << 21


def shrink(pixels: NDArray[Any], longest_px: int) -> tuple[NDArray[Any], float]:
    """Reduce a picture by area averaging so that neither side exceeds a length.

    Parameters
    ----------
    pixels
        ``(H, W)`` or ``(H, W, 3)``, any integer or float type. Converted band by band, so that
        the peak memory is the picture plus some tens of MB.
    longest_px
        Upper bound of both sides of the result in px, at least 1.

    Returns
    -------
    reduced
        uint8 when the picture was, otherwise float32.
    scale
        Result px per picture px, at most 1.
    """
    import cv2

    height, width = pixels.shape[:2]
    kind = np.uint8 if pixels.dtype == np.uint8 else np.float32
    scale = min(1.0, longest_px / max(height, width))
    if scale == 1.0:
        return np.ascontiguousarray(pixels, dtype=kind), 1.0
    reduced = pixels
    if pixels.dtype != np.uint8:  # what OpenCV takes as it is needs no blocks
        reduced = _block_means(pixels, max(1, int(1 / scale)))  # (H / block, W / block[, 3])
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(reduced, size, interpolation=cv2.INTER_AREA), scale


def _block_means(pixels: NDArray[Any], block: int) -> NDArray[np.float32]:
    height, width = pixels.shape[:2]
    rows = np.arange(0, height, block)
    columns = np.arange(0, width, block)
    colours = pixels.shape[2:]
    means = np.empty((len(rows), len(columns), *colours), np.float32)
    band = max(1, _BAND_SAMPLES // (width * block * math.prod(colours)))
    for first in range(0, len(rows), band):
        chosen = rows[first : first + band]
        part = pixels[chosen[0] : chosen[-1] + block].astype(np.float32)
        inside = chosen - chosen[0]
        sums = np.add.reduceat(np.add.reduceat(part, inside, axis=0), columns, axis=1)
        tall = np.diff(np.append(inside, len(part)))
        wide = np.diff(np.append(columns, width))
        count = (
            np.outer(tall, wide).astype(np.float32).reshape(*sums.shape[:2], *(1,) * len(colours))
        )
        means[first : first + band] = sums / count
    return means


def to_rgb(micrograph: Micrograph, longest_px: int) -> tuple[NDArray[np.uint8], float]:
    """Return a micrograph as 8-bit red-green-blue no longer than a given side.

    Parameters
    ----------
    micrograph
        Any depth; 8-bit values are kept, others are stretched between robust percentiles.
    longest_px
        As for `shrink`.

    Returns
    -------
    rgb
        ``(h, w, 3)`` uint8.
    scale
        Result px per picture px, at most 1.
    """
    reduced, scale = shrink(micrograph.pixels, longest_px)
    if reduced.dtype != np.uint8:
        low, high = np.nanpercentile(reduced, STRETCH)
        span = max(float(high - low), 1e-12)
        level = np.nan_to_num((reduced - np.float32(low)) * np.float32(255 / span), nan=0.0)
        reduced = np.clip(level, 0, 255).astype(np.uint8)
    if reduced.ndim == 2:
        reduced = np.repeat(reduced[:, :, None], 3, axis=2)
    return np.array(reduced, dtype=np.uint8, order="C"), scale  # a copy: it is drawn upon


def encode(rgb: NDArray[np.uint8], kind: Literal["png", "webp"], *, quality: int = 80) -> bytes:
    """Encode a red-green-blue picture.

    Parameters
    ----------
    rgb
        ``(h, w, 3)``.
    kind
        Lossless PNG or lossy WebP.
    quality
        WebP quality, 1 to 100; PNG ignores it.
    """
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.fromarray(rgb)
    if kind == "png":
        picture.save(buffer, "PNG", compress_level=3)
    else:
        picture.save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()


def thumbnail(rgb: NDArray[np.uint8], longest_px: int = 1000) -> bytes:
    """Return a reduced WebP of an overlay, small enough to sit inside a page.

    Parameters
    ----------
    rgb
        ``(h, w, 3)``.
    longest_px
        Upper bound of both sides in px.
    """
    reduced, _ = shrink(rgb, longest_px)
    return encode(np.asarray(reduced, dtype=np.uint8), "webp", quality=72)
