"""Where the refinement looks: points along the rays of an outline.

The same geometry serves training (torch, in `loss`) and prediction (numba, here).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from crystalgauge.models.outline.frame import FRAME, exponential

if TYPE_CHECKING:
    from numpy.typing import NDArray

RAY_FRACTIONS = (0.5, 0.75, 0.88, 0.95, 1.0, 1.05, 1.12, 1.25, 1.5)
"""Distances from the centre at which a ray is sampled, in units of the vertex's own."""

REFINE_CONTEXT = 4
"""Channels that describe the outline itself: radius, log size, log elongation, log ray length."""

SIZE_CENTRE = 2.5
"""Subtracted from log sizes in px, so that the context is about zero (e^2.5 = 12 px)."""


@njit(cache=True, nogil=True)
def _bilinear(
    feature: NDArray[Any], x: float, y: float, out: NDArray[Any], start: int, step: int
) -> None:
    """Add the feature at cell coordinates (centres at integers), clamped to the border."""
    height, width, channels = feature.shape
    x = min(max(x, 0.0), width - 1.0)
    y = min(max(y, 0.0), height - 1.0)
    x0, y0 = int(x), int(y)
    x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
    fx, fy = np.float32(x - x0), np.float32(y - y0)
    one = np.float32(1.0)
    a, b = (one - fx) * (one - fy), fx * (one - fy)
    c, d = (one - fx) * fy, fx * fy
    for k in range(channels):
        out[start + k * step] = (
            a * feature[y0, x0, k]
            + b * feature[y0, x1, k]
            + c * feature[y1, x0, k]
            + d * feature[y1, x1, k]
        )


@njit(cache=True, nogil=True)
def sample_rays(
    codes: NDArray[np.float64],
    fine: NDArray[np.float32],
    coarse: NDArray[np.float32],
    fractions: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Sample features along the rays of outlines.

    Parameters
    ----------
    codes
        ``(N, 5 + K)`` outline codes in px of the image that the features come from.
    fine, coarse
        ``(H/2, W/2, Cf)`` and ``(H/4, W/4, Cc)``.
    fractions
        ``(J,)`` `RAY_FRACTIONS`.

    Returns
    -------
    ndarray
        ``(N, J * (Cf + Cc) + 4, K)``; for each map the channel is the slower index, the fraction
        the faster one, and the context comes last.
    """
    count, rays, spots = codes.shape[0], codes.shape[1] - FRAME, fractions.shape[0]
    cf, cc = fine.shape[2], coarse.shape[2]
    depth = spots * (cf + cc) + 4
    out = np.empty((count, depth, rays), np.float32)
    column = np.empty(depth, np.float32)
    for n in range(count):
        w11, w12, w22 = exponential(codes[n, 2], codes[n, 3], codes[n, 4])
        size = 0.5 * (codes[n, 2] + codes[n, 4])
        long = math.hypot(0.5 * (codes[n, 2] - codes[n, 4]), codes[n, 3])
        for k in range(rays):
            ux, uy = math.cos(2 * math.pi * k / rays), math.sin(2 * math.pi * k / rays)
            r = codes[n, FRAME + k]
            vx, vy = r * (w11 * ux + w12 * uy), r * (w12 * ux + w22 * uy)
            for j in range(spots):
                px, py = codes[n, 0] + fractions[j] * vx, codes[n, 1] + fractions[j] * vy
                _bilinear(fine, px / 2 - 0.5, py / 2 - 0.5, column, j, spots)
                _bilinear(coarse, px / 4 - 0.5, py / 4 - 0.5, column, spots * cf + j, spots)
            column[depth - 4] = r - 1.9
            column[depth - 3] = size - 2.5
            column[depth - 2] = long
            column[depth - 1] = math.log(max(math.hypot(vx, vy), 1e-3)) - 2.5
            for c in range(depth):
                out[n, c, k] = column[c]
    return out
