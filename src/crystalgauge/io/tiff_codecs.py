"""Decode TIFF pages, also those whose compression tifffile leaves to imagecodecs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import MissingExtraError
from crystalgauge.io.exif import ORIENTATION
from crystalgauge.io.scratch import pixel_room

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB = 0, 1, 2

_STORED_AT_ONCE = 1 << 25
"""Bytes of tiles or strips read before they are decoded."""


def decoded_page(path: Path, tiff: Any, page: Any) -> NDArray[Any]:
    """Decode one page as stored, its tiles or strips one after the other.

    tifffile decodes what needs no package and what imagecodecs brings. Without that package LZW,
    JPEG, predictors and the like go to the libtiff inside Pillow and OpenCV.

    Parameters
    ----------
    path
        The file.
    tiff
        The open file; its ``pages`` number the page.
    page
        The page.

    Returns
    -------
    ndarray
        Of ``page.shape`` and ``page.dtype``.

    Raises
    ------
    MissingExtraError
        When neither of them knows the compression.
    """
    try:
        room = pixel_room(page.shape, page.dtype)
        return page.asarray(out=room, buffersize=_STORED_AT_ONCE)
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
    number = _page_number(tiff, page)
    for decode in (_with_pillow, _with_opencv):
        pixels = decode(path, number, page) if number is not None else None
        if pixels is not None:
            return pixels
    name = getattr(page.compression, "name", page.compression)
    raise MissingExtraError(
        "imagecodecs", "formats", f"reading {name}-compressed {page.dtype} TIFF such as {path}"
    )


def _page_number(tiff: Any, page: Any) -> int | None:
    """Return the place of a page in the main chain of directories, None when it is outside."""
    index = page.index
    if not isinstance(index, int) or index >= len(tiff.pages):
        return None
    return index if tiff.pages[index].offset == page.offset else None


def _with_pillow(path: Path, number: int, page: Any) -> NDArray[Any] | None:
    """Decode with Pillow, which has no 16-bit colour; None when it cannot."""
    from PIL import TiffImagePlugin

    deep = page.dtype in (np.uint16, np.int32, np.float32) and len(page.shape) == 2
    turned = page.tags.valueof(ORIENTATION, default=1) != 1  # Pillow would turn it as well
    if turned or page.planarconfig != 1 or not (deep or page.dtype in (np.uint8, np.bool_)):
        return None
    try:
        with path.open("rb") as file:
            image = TiffImagePlugin.TiffImageFile(file, str(path))
            image.seek(number)
            image.load()
            pixels = np.asarray(image)
    except (OSError, SyntaxError, KeyError) as error:
        _refuse_damaged(error)
        return None
    if page.photometric == _MIN_IS_WHITE and pixels.dtype in (np.uint8, np.bool_):
        pixels = ~pixels  # Pillow has turned it into a positive
    return _as_stored(pixels, page)


def _refuse_damaged(error: Exception) -> None:
    """Let the next decoder try, unless the data themselves are cut short or broken."""
    words = str(error)
    if "truncated" in words or "decoder error" in words or "unpack" in words:
        raise ValueError(words) from error


def _with_opencv(path: Path, number: int, page: Any) -> NDArray[Any] | None:
    """Decode deep pages with OpenCV; None when it cannot.

    Only types whose damage OpenCV reports: 8-bit and 64-bit pages come back black instead.
    """
    import cv2

    deep = page.dtype in (np.uint16, np.int16, np.uint32, np.int32, np.float32)
    if not deep or page.planarconfig != 1 or page.photometric not in (_MIN_IS_BLACK, _RGB):
        return None
    if page.tags.valueof(ORIENTATION, default=1) != 1:
        return None
    found, pages = cv2.imreadmulti(str(path), number, 1, flags=cv2.IMREAD_UNCHANGED)
    if not found or len(pages) != 1:
        return None
    pixels = np.asarray(pages[0])
    if pixels.ndim == 3:
        order = [2, 1, 0, 3] if pixels.shape[2] == 4 else [2, 1, 0]
        pixels = np.ascontiguousarray(pixels[..., order])
    return _as_stored(pixels, page)


def _as_stored(pixels: NDArray[Any], page: Any) -> NDArray[Any] | None:
    """Refuse what a decoder has converted on its own account."""
    return pixels if pixels.shape == page.shape and pixels.dtype == page.dtype else None
