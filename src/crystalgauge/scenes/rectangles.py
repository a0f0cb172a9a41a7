"""Rectangles that a data set without bias asks for, and how near a crystal must come to one.

Equations 1 to 6 of Bischoff et al. 2022, doi 10.1007/s00216-022-04101-8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEDIUM_SIDE_PX, LARGE_SIDE_PX = 8.0, 24.0
"""Least roots of the areas of medium and of large crystals (classes of the average precision)."""

SIDE_TOLERANCE_PX = 2.0
RATIO_TOLERANCE = 0.2
ANGLE_TOLERANCE_RAD = math.radians(2.0)
"""Accepted departures of a crystal's rectangle from the one asked for, equation 6."""


@dataclass(frozen=True)
class RectangleLaw:
    """What rectangles are drawn from.

    Parameters
    ----------
    ratio_max
        Largest ratio of length to width, above 1.
    side_px
        Roots of the least and of the largest area, positive and rising.
    """

    ratio_max: float = 11.4  # equation 2: the longest crystals of the authors' experiments
    side_px: tuple[float, float] = (4.0, 64.0)

    def __post_init__(self) -> None:
        low, high = self.side_px
        if not (self.ratio_max > 1 and 0 < low < high):
            raise ArgumentError(
                "rectangles need a largest ratio above 1 and two positive rising sides, got "
                f"ratio_max {self.ratio_max:g} and side_px {low:g} to {high:g}"
            )


class Rectangles(NamedTuple):
    """Smallest rectangles around crystals in the image plane.

    Attributes
    ----------
    ratio
        ``(N,)`` length over width, at least 1.
    area_px2
        ``(N,)`` length times width.
    angle_rad
        ``(N,)`` in [-pi/2, pi/2] from the x axis (y points down) to the longer side.
    """

    ratio: NDArray[np.float64]
    area_px2: NDArray[np.float64]
    angle_rad: NDArray[np.float64]


def sample_rectangles(
    rng: np.random.Generator, count: int, law: RectangleLaw | None = None
) -> Rectangles:
    """Draw rectangles: ratio and angle uniform, the area reciprocal.

    Parameters
    ----------
    rng
        Source.
    count
        How many.
    law
        Ranges.

    Notes
    -----
    With ``p(a) = 1 / (a ln(amax / amin))`` (equation 4) every interval of areas of the same
    width is expected to hold the same total area (equation 3). Its distribution function is
    ``ln(a / amin) / ln(amax / amin)``; the draw inverts it.
    """
    law = law or RectangleLaw()
    low, high = law.side_px[0] ** 2, law.side_px[1] ** 2
    return Rectangles(
        rng.uniform(1.0, law.ratio_max, count),
        low * (high / low) ** rng.random(count),
        rng.uniform(-np.pi / 2, np.pi / 2, count),
    )


def rectangles_of(boxes: NDArray[np.float64]) -> Rectangles:
    """Return boxes as rectangles.

    Parameters
    ----------
    boxes
        ``(N, 5)`` as from `outlines.outlines_of`.
    """
    length, width = boxes[:, 2], boxes[:, 3]
    return Rectangles(length / width, length * width, boxes[:, 4])


def size_classes(area_px2: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return 0 for small, 1 for medium and 2 for large crystals.

    Parameters
    ----------
    area_px2
        ``(N,)`` areas of their smallest rectangles.
    """
    return np.digitize(np.sqrt(area_px2), (MEDIUM_SIDE_PX, LARGE_SIDE_PX))


def departures(found: Rectangles, wanted: Rectangles) -> NDArray[np.float64]:
    """Return how far rectangles are from others.

    Parameters
    ----------
    found, wanted
        N rectangles each.

    Returns
    -------
    NDArray
        ``(N, 3)`` absolute differences of the root of the area in px, of the ratio, and of the
        angle in rad.

    Notes
    -----
    A rectangle is the same after half a turn. A nearly square one, ``r - 1/r`` below the
    tolerance of the ratio (r < 1.105), is within that tolerance of its own quarter turn: which
    side is the longer one is undefined, and the angle counts modulo a quarter turn.
    """
    square = wanted.ratio - 1 / wanted.ratio < RATIO_TOLERANCE
    period = np.where(square, np.pi / 2, np.pi)
    turn = (found.angle_rad - wanted.angle_rad + period / 2) % period - period / 2
    side = np.sqrt(found.area_px2) - np.sqrt(wanted.area_px2)
    return np.abs(np.stack([side, found.ratio - wanted.ratio, turn], axis=1))


def agree(found: Rectangles, wanted: Rectangles) -> NDArray[np.bool_]:
    """Tell which rectangles are near enough to those asked for, equation 6.

    Parameters
    ----------
    found, wanted
        N rectangles each.
    """
    tolerances = (SIDE_TOLERANCE_PX, RATIO_TOLERANCE, ANGLE_TOLERANCE_RAD)
    return np.asarray((departures(found, wanted) < tolerances).all(axis=1))
