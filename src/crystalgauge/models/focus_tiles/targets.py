"""From edges to what a tile should say.

The blur of a tile is that of its sharpest well visible edges: the blur which `LEAST_POINTS` points
(about 12 px of edge) reach or stay below, among the points at least `SHARE` as strong as the
strongest, so that a speck or a faint line does not speak for a tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.models.focus_tiles.config import STRIDE, TILE

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_POINTS = 6
"""Points of edge, 2 px apart, that a tile needs to be judged by."""

SHARE = 0.3
"""Weaker edges than this share of a tile's strongest do not speak for it."""

WELL_VISIBLE, NOTHING = 1.0, 0.4
"""Strengths from which an edge counts, and below which there is none."""

UNASKED = -1


@dataclass(frozen=True, eq=False)
class TileTargets:
    """What a picture's tiles should say.

    Parameters
    ----------
    blur_px
        ``(h, w)`` float32, NaN where no edge is well visible.
    content
        ``(h, w)`` int8: 1 with content, 0 without, -1 where it is not asked for.
    """

    blur_px: NDArray[np.float32]
    content: NDArray[np.int8]


def tile_targets(
    points: NDArray[np.floating],
    blur_px: NDArray[np.floating],
    strength: NDArray[np.floating],
    shape: tuple[int, int],
) -> TileTargets:
    """Work out blur and content of the tiles of a picture.

    Parameters
    ----------
    points
        ``(M, 2)`` points on edges in px.
    blur_px
        ``(M,)`` blur of each, NaN where it is not known.
    strength
        ``(M,)`` contrast in units of what can just be seen.
    shape
        Height and width of the picture in px.
    """
    rows, columns = (-(-length // STRIDE) for length in shape)
    blur = np.full((rows, columns), np.nan, np.float32)
    content = np.zeros((rows, columns), np.int8)
    margin = (TILE - STRIDE) / 2
    x, y = points.T if len(points) else np.empty((2, 0))
    visible = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
    for row in range(rows):
        top = row * STRIDE - margin
        band = np.flatnonzero(visible & (y >= top) & (y < top + TILE))
        for column in range(columns):
            left = column * STRIDE - margin
            here = band[(x[band] >= left) & (x[band] < left + TILE)]
            blur[row, column], content[row, column] = _one(blur_px[here], strength[here])
    return TileTargets(blur, content)


def _one(blur_px: NDArray[np.floating], strength: NDArray[np.floating]) -> tuple[float, int]:
    """Return blur and content of one tile from the points in it."""
    known = np.isfinite(blur_px)
    strongest = strength[known].max(initial=0.0)
    speaking = blur_px[known & (strength >= max(WELL_VISIBLE, SHARE * strongest))]
    if len(speaking) >= LEAST_POINTS:
        return float(np.partition(speaking, LEAST_POINTS - 1)[LEAST_POINTS - 1]), 1
    return float("nan"), UNASKED if (strength >= NOTHING).sum() >= LEAST_POINTS else 0
