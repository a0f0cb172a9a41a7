"""Random cubic splines: scratches, hairs and other residues."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.degrade.strokes import lower_to_segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_SPLINES = 4
"""Most splines in a picture."""

_PIECES = 16
_REACH = 2.5


@dataclass(frozen=True)
class Spline:
    """One uniform cubic B-spline, drawn with a soft pen.

    Parameters
    ----------
    points
        At least four control points (x, y) in px; the line stays within their convex hull.
    width_px
        Distance from its middle at which the line has faded to 1/e.
    grey
        Its colour, 0 to 1.
    opacity
        Its weight in the middle, 0 to 1.
    """

    points: tuple[tuple[float, float], ...]
    width_px: float
    grey: float
    opacity: float


@dataclass(frozen=True)
class Splines:
    """All splines of a picture.

    Parameters
    ----------
    curves
        In the order in which they are drawn.
    """

    curves: tuple[Spline, ...]

    @classmethod
    def sample(cls, rng: np.random.Generator, shape: tuple[int, int], strength: float) -> Splines:
        """Draw one to four splines inside the picture whose opacity is the strength."""
        count = int(rng.integers(1, MOST_SPLINES + 1))
        return cls(tuple(_sample_spline(rng, shape, strength) for _ in range(count)))


def _sample_spline(rng: np.random.Generator, shape: tuple[int, int], opacity: float) -> Spline:
    """Draw the control points as a walk that turns a little at every step."""
    height, width = shape
    count = int(rng.integers(5, 10))
    stride = math.hypot(height, width) * math.exp(rng.uniform(math.log(0.03), math.log(0.25)))
    turns = rng.normal(0, rng.uniform(0.1, 0.9), count - 1)
    heading = rng.uniform(0, 2 * math.pi) + np.cumsum(turns)
    x = rng.uniform(0, width) + np.r_[0, np.cumsum(stride * np.cos(heading))]
    y = rng.uniform(0, height) + np.r_[0, np.cumsum(stride * np.sin(heading))]
    points = np.c_[_folded(x, width), _folded(y, height)].tolist()
    return Spline(
        points=tuple((px, py) for px, py in points),
        width_px=math.exp(rng.uniform(math.log(0.6), math.log(2.5))),
        grey=float(rng.uniform(0.0, 0.35) if rng.random() < 0.7 else rng.uniform(0.7, 1.0)),
        opacity=opacity,
    )


def _folded(walk: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Return coordinates turned back at both ends of a side, within 0 and its length."""
    return length - np.abs(walk % (2 * length) - length)


def spline_curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points along a uniform cubic B-spline.

    Parameters
    ----------
    points
        ``(n, 2)`` control points, n >= 4.

    Returns
    -------
    NDArray
        ``((n - 3) * 16 + 1, 2)``.
    """
    t = np.arange(_PIECES) / _PIECES
    rising = -3 * t**3 + 3 * t**2 + 3 * t + 1
    weights = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, rising, t**3]) / 6
    windows = np.lib.stride_tricks.sliding_window_view(points, 4, axis=0)  # (n - 3, 2, 4)
    curve = windows @ weights  # (n - 3, 2, 16)
    pieces = np.moveaxis(curve, 1, 2).reshape(-1, 2)  # ((n - 3) * 16, 2)
    return np.r_[pieces, [points[-3:].T @ (np.array([1, 4, 1]) / 6)]]


def draw_splines(picture: NDArray[np.float32], splines: Splines) -> NDArray[np.float32]:
    """Draw splines over a picture (synthetic-pcs, section Data augmentation).

    Parameters
    ----------
    picture
        ``(H, W)`` grey, full scale 1.
    splines
        What to draw.
    """
    drawn = picture.copy()
    for spline in splines.curves:
        curve = spline_curve(np.asarray(spline.points))
        _draw(drawn, curve, spline.width_px, np.float32(spline.grey), np.float32(spline.opacity))
    return drawn


@njit(cache=True, nogil=True)
def _draw(picture, curve, width_px, grey, opacity):  # type: ignore[no-untyped-def]
    """Draw one line, in place."""
    height, width = picture.shape
    reach = _REACH * width_px
    x0 = max(int(curve[:, 0].min() - reach), 0)
    y0 = max(int(curve[:, 1].min() - reach), 0)
    x1 = min(int(curve[:, 0].max() + reach) + 1, width)
    y1 = min(int(curve[:, 1].max() + reach) + 1, height)
    if x0 >= x1 or y0 >= y1:
        return
    far = np.float32(reach * reach)
    gap = np.full((y1 - y0, x1 - x0), far)
    for k in range(len(curve) - 1):
        lower_to_segment(
            gap, curve[k, 0] - x0, curve[k, 1] - y0, curve[k + 1, 0] - x0, curve[k + 1, 1] - y0,
            reach,
        )  # fmt: skip
    per_square = np.float32(-1 / (width_px * width_px))
    for y in range(y0, y1):
        for x in range(x0, x1):
            square = gap[y - y0, x - x0]
            if square < far:
                weight = opacity * math.exp(per_square * square)
                picture[y, x] += weight * (grey - picture[y, x])
