"""Histogram equalisation: every grey between 0 and 1 equally often.

Values go into 1024 bins; between the bins' borders the cumulative histogram is interpolated, so
that the result is continuous. A constant texture becomes 1/2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 1024


def add_equalised(total: NDArray[np.float32], texture: NDArray[np.float32], gain: float) -> None:
    """Add an equalised texture to a sum: ``total += gain * H[texture]``.

    Parameters
    ----------
    total
        ``(h, w)``, changed in place.
    texture
        ``(h, w)``, any finite range.
    gain
        Its weight.
    """
    low, high, _, _ = cv2.minMaxLoc(texture)
    if high <= low:
        total += np.float32(gain / 2)
        return
    _add_equalised(total, texture, np.float32(low), np.float32(BINS / (high - low)), gain)


@njit(cache=True, nogil=True)
def cumulate(counts, total, gain):  # type: ignore[no-untyped-def]
    """Return ``(BINS + 2,)``: gain times the share below each bin's border, the last one twice."""
    curve = np.empty(BINS + 2, np.float32)
    below = 0.0
    scale = gain / total
    for k in range(BINS):
        curve[k] = below * scale
        below += counts[k]
    curve[BINS:] = below * scale
    return curve


@njit(cache=True, nogil=True)
def _add_equalised(total, texture, low, per_unit, gain):  # type: ignore[no-untyped-def]
    """Count, cumulate and add, in place."""
    height, width = texture.shape
    # two counters: neighbours often share a bin, and one would wait for the other
    even: NDArray[np.int32] = np.zeros(BINS + 1, np.int32)
    odd: NDArray[np.int32] = np.zeros(BINS + 1, np.int32)
    for y in range(height):
        for x in range(width // 2):
            even[np.uintp((texture[y, 2 * x] - low) * per_unit)] += 1
            odd[np.uintp((texture[y, 2 * x + 1] - low) * per_unit)] += 1
        if width % 2:
            even[np.uintp((texture[y, width - 1] - low) * per_unit)] += 1
    counts = even + odd
    counts[BINS - 1] += counts[BINS]  # the highest value itself
    curve = cumulate(counts, height * width, gain)
    rise = curve[1:] - curve[:-1]
    for y in range(height):
        for x in range(width):
            position = (texture[y, x] - low) * per_unit
            k = np.int32(position)
            i = np.uintp(k)
            total[y, x] += curve[i] + (position - np.float32(k)) * rise[i]
