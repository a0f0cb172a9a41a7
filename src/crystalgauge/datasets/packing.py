"""Outlines as plain arrays, for compiled code and for files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals


def packed_vertices(crystals: Crystals) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the exterior vertices of all outlines, one after the other.

    Parameters
    ----------
    crystals
        Polygons; holes are left out.

    Returns
    -------
    tuple
        ``(V, 2)`` vertices in px, without the repeated last one of a ring, and ``(N + 1,)`` the
        first vertex of each outline.
    """
    rings = shapely.get_exterior_ring(crystals.outlines)
    points, owner = shapely.get_coordinates(rings, return_index=True)
    closing = np.r_[owner[1:] != owner[:-1], True] if len(owner) else np.zeros(0, bool)
    points, owner = points[~closing], owner[~closing]
    return points, np.searchsorted(owner, np.arange(len(crystals) + 1)).astype(np.int64)
