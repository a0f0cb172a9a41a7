"""Orientation and time from EXIF and TIFF tags."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ORIENTATION, DATE_TIME, EXIF_FOLDER = 274, 306, 34665
DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL, SUBSECONDS_ORIGINAL = 36867, 36881, 37521


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror stored rows and columns as the orientation tag asks.

    Parameters
    ----------
    pixels
        ``(H, W)`` or ``(H, W, samples)`` as stored.
    orientation
        1 to 8 (EXIF 2.32, tag 274); other values mean 1.
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def exif_time(text: object, offset: object = None, subseconds: object = None) -> datetime | None:
    """Read ``2026:11:21 09:30:00`` with its optional offset and fraction of a second.

    Parameters
    ----------
    text
        As stored; an unreadable or all-blank one gives None.
    offset
        ``+01:00``; without one the time is local and naive.
    subseconds
        Digits after the point.
    """
    words = str(text).strip().strip("\x00").replace("-", ":").replace("T", " ")[:19]
    try:
        time = datetime.strptime(words, "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    digits = str(subseconds).strip()
    if digits.isascii() and digits.isdecimal():
        time += timedelta(seconds=float(f"0.{digits}"))
    zone = str(offset).strip()
    try:
        return time.replace(tzinfo=datetime.strptime(zone, "%z").tzinfo)
    except ValueError:
        return time


def exif_facts(tags: Mapping[int, Any], folder: Mapping[int, Any]) -> tuple[int, datetime | None]:
    """Return the orientation (1 to 8) and the time a picture was taken.

    Parameters
    ----------
    tags
        Main image tags by number.
    folder
        The tags of the EXIF folder (34665).
    """
    orientation = tags.get(ORIENTATION, 1)
    taken = exif_time(
        folder.get(DATE_TIME_ORIGINAL),
        folder.get(OFFSET_TIME_ORIGINAL),
        folder.get(SUBSECONDS_ORIGINAL),
    )
    if taken is None:
        taken = exif_time(tags.get(DATE_TIME))
    return orientation if orientation in range(1, 9) else 1, taken
