"""PNG, JPEG, BMP, WebP and GIF, through Pillow and, for 16-bit colour, OpenCV."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from crystalgauge.core import ReadError
from crystalgauge.io.exif import EXIF_FOLDER, exif_facts, upright
from crystalgauge.io.pixels import ROWS_AT_ONCE, over_white
from crystalgauge.io.planes import Stack, check_size
from crystalgauge.io.scratch import pixel_room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

    from crystalgauge.io.planes import Index, Remark

_COLOUR_MODELS = ("CMYK", "YCbCr", "LAB", "HSV")
_PNG_RGB, _PNG_GREY_ALPHA, _PNG_RGB_ALPHA = 2, 4, 6


@contextlib.contextmanager
def raster_stacks(path: Path, kind: str, remark: Remark) -> Iterator[list[Stack]]:
    """Open a picture file; an animation is one stack with a frame axis ``I``.

    EXIF orientation is applied. The resolution tags of these formats are print sizes and are
    never taken for a calibration.

    Parameters
    ----------
    path
        The file.
    kind
        ``png``, ``jpeg``, ``bmp``, ``webp`` or ``gif``.
    remark
        Receives what was converted.
    """
    with path.open("rb") as file:
        image = opened(file, path, kind)
        check_size(path, image.height, image.width)
        orientation, taken = _exif(image)
        frames = int(getattr(image, "n_frames", 1)) if kind != "jpeg" else 1
        if frames > 1:
            remark("series", f"an animation; its {frames} frames are read as a series")

        def fetch(index: Index) -> NDArray[Any]:
            if frames > 1:
                image.seek(index["I"])
            deep = kind == "png" and _is_deep_colour(path)
            pixels = _deep_png(path, remark) if deep else _decoded(image, remark)
            if frames == 1:
                image.close()  # Pillow's own copy of a picture may be as large
            return upright(pixels, orientation) if orientation != 1 else pixels

        def time_at(_index: Index) -> datetime | None:
            return taken

        turned = orientation >= 5
        shape = (image.width, image.height) if turned else (image.height, image.width)
        yield [Stack(shape, {"I": frames} if frames > 1 else {}, fetch, time_at=time_at)]


def opened(file: BinaryIO, path: Path, kind: str) -> ImageFile:
    """Open with the one Pillow plugin of that format, without decoding.

    Going past ``Image.open`` keeps its guard against large pictures, a global setting, out of
    the way: size is checked by `check_size`, and 20 000 x 20 000 px is an ordinary slide scan.
    """
    from PIL import (
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    plugins: dict[str, Any] = {
        "png": PngImagePlugin.PngImageFile,
        "jpeg": JpegImagePlugin.JpegImageFile,
        "bmp": BmpImagePlugin.BmpImageFile,
        "webp": WebPImagePlugin.WebPImageFile,
        "gif": GifImagePlugin.GifImageFile,
        "tiff": TiffImagePlugin.TiffImageFile,
    }
    return plugins[kind](file, str(path))


def _exif(image: ImageFile) -> tuple[int, datetime | None]:
    """Read orientation and time; damaged EXIF is no reason to refuse a picture."""
    try:
        tags = image.getexif()
        return exif_facts(tags, tags.get_ifd(EXIF_FOLDER))
    except Exception:
        return 1, None


def _decoded(image: ImageFile, remark: Remark) -> NDArray[Any]:
    """Decode the current frame to ``(H, W)`` or ``(H, W, samples)``."""
    image.load()
    if image.mode in ("P", "PA"):
        return _from_palette(image, remark)
    if image.mode in _COLOUR_MODELS:
        remark("pixels", f"colours converted from {image.mode} to RGB, without a colour profile")
        return in_strips(image.convert("RGB"))
    pixels = in_strips(image)
    key = image.info.get("transparency")
    if key is not None and image.mode in ("L", "I;16", "RGB"):
        return _keyed_over_white(pixels, key, remark)
    return pixels


def in_strips(image: Any) -> NDArray[Any]:
    """Copy a Pillow image to an array strip by strip.

    Parameters
    ----------
    image
        Decoded, of any mode numpy knows. ``np.asarray`` alone would take two more copies of it.
    """
    if image.height <= ROWS_AT_ONCE:
        return np.asarray(image)
    top = np.asarray(image.crop((0, 0, image.width, 1)))
    pixels = pixel_room((image.height, *top.shape[1:]), top.dtype)
    for start in range(0, image.height, ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, image.height)
        pixels[start:stop] = np.asarray(image.crop((0, start, image.width, stop)))
    return pixels


def _from_palette(image: ImageFile, remark: Remark) -> NDArray[Any]:
    """Look colours up; a palette of greys stays grey, a transparent one goes over white."""
    image.apply_transparency()
    indices = in_strips(image)
    if image.mode == "PA":
        indices = indices[..., 0]
    entries = np.asarray(image.getpalette("RGBA") or [0, 0, 0, 255], np.uint8).reshape(-1, 4)
    used = int(indices.max()) + 1
    if used > len(entries):
        raise ReadError(f"pixel value {used - 1} is outside the palette of {len(entries)} colours")
    entries = entries[:used]
    if (entries[:, 3] < 255).any():
        table = over_white(entries[None], remark)[0]
    else:
        table = entries[:, :3]
    if (table == table[:, :1]).all():
        table = table[:, 0]
    return table[indices]


def _keyed_over_white(pixels: NDArray[Any], key: object, remark: Remark) -> NDArray[Any]:
    """Paint the one colour that a PNG declares transparent white."""
    transparent = pixels == np.asarray(key, dtype=pixels.dtype)
    if transparent.ndim == 3:
        transparent = transparent.all(axis=2)
    if not transparent.any():
        return pixels
    remark("pixels", "partly transparent; laid over white")
    result = pixels.copy()
    result[transparent] = np.iinfo(pixels.dtype).max
    return result


def _is_deep_colour(path: Path) -> bool:
    """Tell whether a PNG has 16-bit samples in a layout that Pillow would cut to 8 bit."""
    with path.open("rb") as file:
        header = file.read(26)
    return header[24] == 16 and header[25] in (_PNG_RGB, _PNG_GREY_ALPHA, _PNG_RGB_ALPHA)


def _deep_png(path: Path, remark: Remark) -> NDArray[Any]:
    """Decode 16-bit colour with OpenCV, which keeps all bits."""
    import cv2

    content = np.fromfile(path, np.uint8)
    if b"IEND" not in content[-64:].tobytes():
        # OpenCV returns the rows it has and leaves the rest black
        raise ReadError(f"{str(path)!r} is cut short: copy or export it again")
    pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ReadError(f"{str(path)!r} is damaged: copy or export it again")
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 4:
        return over_white(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA), remark)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
