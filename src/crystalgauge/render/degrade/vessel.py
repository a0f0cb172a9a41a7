"""Corners cut by the wall of a round vessel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.render.degrade.outlines import Outlines

LEAST_SEEN = 0.45
"""A crystal of which a smaller share lies inside the vessel cannot be asked for."""


@dataclass(frozen=True)
class Vessel:
    """A disc outside of which the wall is seen.

    Parameters
    ----------
    x_px, y_px, radius_px
        The disc.
    softness_px
        Width of the transition, centred on the disc's edge.
    grey
        Of the wall, 0 to 1.
    """

    x_px: float
    y_px: float
    radius_px: float
    softness_px: float
    grey: float

    @classmethod
    def sample(cls, rng: np.random.Generator, shape: tuple[int, int], strength: float) -> Vessel:
        """Draw a vessel around the frame's centre.

        Parameters
        ----------
        rng
            Source of the choices.
        shape
            Height and width of the picture in px.
        strength
            From 0 (the disc reaches the corners) to 1 (it reaches the longer sides).
        """
        height, width = shape
        long, corner = max(shape) / 2, math.hypot(height, width) / 2
        away = 0.06 * max(shape)
        return cls(
            x_px=width / 2 + float(rng.uniform(-away, away)),
            y_px=height / 2 + float(rng.uniform(-away, away)),
            radius_px=corner + strength * (long - corner),
            softness_px=math.exp(rng.uniform(0.0, math.log(15.0))),
            grey=float(rng.uniform(0.0, 0.3) if rng.random() < 0.9 else rng.uniform(0.7, 0.95)),
        )


def round_corners(picture: NDArray[np.float32], vessel: Vessel) -> NDArray[np.float32]:
    """Cover what lies outside a round vessel (synthetic-pcs, section Data augmentation).

    Parameters
    ----------
    picture
        ``(H, W)`` grey, full scale 1.
    vessel
        Where the wall is.
    """
    covered = picture.copy()
    _cover(
        covered, vessel.x_px, vessel.y_px, vessel.radius_px, vessel.softness_px,
        np.float32(vessel.grey),
    )  # fmt: skip
    return covered


def seen_in_vessel(vessel: Vessel, outlines: Outlines) -> NDArray[np.bool_]:
    """Tell of which crystals the wall leaves enough to be asked for.

    Parameters
    ----------
    vessel
        Where the wall is.
    outlines
        Simple polygons in px of the picture.

    Returns
    -------
    NDArray
        ``(N,)``, True where at least `LEAST_SEEN` of the outline's area lies inside.
    """
    if not len(outlines):
        return np.zeros(0, bool)
    owner = np.repeat(np.arange(len(outlines)), np.diff(outlines.offsets))
    polygons = shapely.polygons(shapely.linearrings(outlines.points, indices=owner))
    disc = shapely.buffer(shapely.Point(vessel.x_px, vessel.y_px), vessel.radius_px, quad_segs=64)
    inside = shapely.area(shapely.intersection(polygons, disc))
    return np.asarray(inside >= LEAST_SEEN * shapely.area(polygons))


@njit(cache=True, nogil=True)
def _cover(picture, centre_x, centre_y, radius, softness, grey):  # type: ignore[no-untyped-def]
    """Paint the wall, in place; rows are only visited where it is seen."""
    height, width = picture.shape
    clear = max(radius - softness / 2, 0.0)
    for y in range(height):
        dy = y + 0.5 - centre_y
        half = math.sqrt(max(clear * clear - dy * dy, 0.0))
        first = min(max(int(centre_x - half) + 1, 0), width)
        last = min(max(int(centre_x + half), first), width)
        for part in range(2):
            for x in range(0 if part == 0 else last, first if part == 0 else width):
                dx = x + 0.5 - centre_x
                t = (math.sqrt(dx * dx + dy * dy) - clear) / softness
                t = np.float32(min(max(t, 0.0), 1.0))
                weight = t * t * (np.float32(3) - np.float32(2) * t)
                picture[y, x] += weight * (grey - picture[y, x])
