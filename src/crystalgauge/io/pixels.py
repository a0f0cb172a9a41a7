"""Bring decoded arrays to what a micrograph may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ReadError
from crystalgauge.io.scratch import pixel_room

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.io.planes import Remark

ROWS_AT_ONCE = 1024
"""Rows per block where a whole-picture temporary would double the memory."""


def micrograph_pixels(pixels: NDArray[Any], path: Path, remark: Remark) -> NDArray[Any]:
    """Return ``(H, W)`` or ``(H, W, 3)`` in native byte order, finite, without alpha.

    Two samples are grey and alpha, four are red-green-blue and alpha; what is transparent is
    laid over white. Booleans become 0 and 255.

    Parameters
    ----------
    pixels
        ``(H, W)`` or ``(H, W, samples)``.
    path
        The file, for messages.
    remark
        Receives what was converted.

    Raises
    ------
    ReadError
        For complex numbers, NaN, infinities and other numbers of samples.
    """
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = over_white(pixels, remark)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise ReadError(
            f"{str(path)!r} holds an array of shape {pixels.shape}, not a grey or colour picture; "
            "export one plane as TIFF"
        )
    return _finite(_plain_type(pixels, path, remark), path)


def over_white(
    pixels: NDArray[Any], remark: Remark, *, premultiplied: bool = False
) -> NDArray[Any]:
    """Lay ``(H, W, 2)`` or ``(H, W, 4)`` over white and drop the last sample, alpha.

    An alpha that is 0 everywhere is a camera's unused fourth byte and is dropped as well.

    Parameters
    ----------
    pixels
        Grey or red-green-blue, then alpha. White is the type's largest value, 1 for floats.
    remark
        Told when something was transparent.
    premultiplied
        Whether the colours carry the alpha already.
    """
    colour, alpha = pixels[..., :-1], pixels[..., -1]
    white = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    lowest, highest = float(alpha.min()), float(alpha.max())
    if lowest >= white:
        return np.ascontiguousarray(colour)
    if highest == 0:
        remark("pixels", "the alpha channel is 0 everywhere and was ignored")
        return np.ascontiguousarray(colour)
    remark("pixels", "partly transparent; laid over white")
    result = pixel_room(colour.shape, pixels.dtype)
    for start in range(0, len(colour), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        opacity = alpha[rows, :, None].astype(np.float64) / white
        own = colour[rows] if premultiplied else colour[rows] * opacity
        blended = own + (1.0 - opacity) * white
        if pixels.dtype.kind != "f":
            blended = np.clip(np.rint(blended), 0, white)
        result[rows] = blended
    return result


def _plain_type(pixels: NDArray[Any], path: Path, remark: Remark) -> NDArray[Any]:
    """Refuse or convert unusual element types, and swap bytes to the machine's order."""
    kind = pixels.dtype.kind
    if kind == "b":
        remark("pixels", "a black-and-white (1 bit) picture; read as 0 and 255")
        return pixels.astype(np.uint8) * np.uint8(255)
    if kind == "c":
        raise ReadError(
            f"{str(path)!r} holds complex numbers ({pixels.dtype}); export their magnitude"
        )
    if kind not in "uif":
        raise ReadError(f"{str(path)!r} holds {pixels.dtype}, not intensities; export it as TIFF")
    if kind == "f" and pixels.dtype.itemsize not in (4, 8):
        return pixels.astype(np.float32 if pixels.dtype.itemsize == 2 else np.float64)
    if pixels.dtype.isnative:
        return pixels
    native = pixel_room(pixels.shape, pixels.dtype.newbyteorder("="))
    native[...] = pixels
    return native


def _finite(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    """Count NaN and infinities, in blocks; they are an error because every mean would be NaN."""
    if pixels.dtype.kind != "f":
        return pixels
    nan = infinite = 0
    for start in range(0, len(pixels), ROWS_AT_ONCE):
        block = pixels[start : start + ROWS_AT_ONCE]
        nan += int(np.count_nonzero(np.isnan(block)))
        infinite += int(np.count_nonzero(np.isinf(block)))
    if nan or infinite:
        raise ReadError(
            f"{str(path)!r} has {nan} NaN and {infinite} infinite values out of {pixels.size}; "
            "replace them (for example by the background) and save it again"
        )
    return pixels
