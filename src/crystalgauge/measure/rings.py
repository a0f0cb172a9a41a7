"""Outlines as packed corners, for compiled loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray


def packed_rings(outlines: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the closed exterior rings of outlines.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons; None and empty ones have a ring without points.

    Returns
    -------
    tuple
        ``(P, 2)`` corners, and ``(N + 1,)`` where the ring of each outline begins and ends.
    """
    rings = shapely.get_exterior_ring(outlines)
    points, row = shapely.get_coordinates(rings, return_index=True)
    return points, np.searchsorted(row, np.arange(len(outlines) + 1))
