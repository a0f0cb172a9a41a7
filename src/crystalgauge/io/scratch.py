"""Room for the pixels of large pictures: a temporary file mapped into memory.

What is mapped from a file the system can take out of memory and bring back; what is allocated it
cannot. The file has no name and goes with the array.
"""

from __future__ import annotations

import math
import os
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

LARGE_BYTES = 1 << 27
"""Pictures that take at least this much are put into a file."""


def pixel_room(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array to decode a picture into, its content undefined.

    Parameters
    ----------
    shape
        ``(H, W)`` or ``(H, W, samples)``.
    dtype
        Of the pixels.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size >= LARGE_BYTES:
        try:
            with tempfile.TemporaryFile(prefix="crystalgauge-") as file:
                _reserve(file.fileno(), size)
                return np.asarray(np.memmap(file, dtype, "r+", shape=shape))
        except OSError:  # no room there, or no folder for temporary files
            pass
    return np.empty(shape, dtype)


def _reserve(descriptor: int, size: int) -> None:
    """Take the disk space now: a full disk found later would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)
