"""A picture of any size in windows of bounded memory, at any scale."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph

MULTIPLE = 32
"""Windows are padded to a multiple of the coarsest stride."""

TILE = 1280
"""Edge of a tile's core in px of the scaled picture."""

HALO = 160
"""What a tile sees beyond its core on each side, in px of the scaled picture."""

WHOLE = 2_400_000
"""Pictures of at most this many px are seen in one piece: the work is the same, without seams."""


@dataclass(frozen=True)
class Tile:
    """A window of a scaled picture.

    Parameters
    ----------
    x, y, width, height
        What the network sees, in px of the scaled picture.
    core
        x0, y0, x1, y1 of the part whose crystals are this tile's; cores share no pixel and leave
        none out.
    """

    x: int
    y: int
    width: int
    height: int
    core: tuple[float, float, float, float]

    def owns(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points of the scaled picture lie in the core."""
        x0, y0, x1, y1 = self.core
        return (x >= x0) & (x < x1) & (y >= y0) & (y < y1)


def scaled_shape(shape: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return height and width of a picture at a scale, at least 1."""
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _cuts(length: int, tile: int) -> list[tuple[int, int]]:
    pieces = max(1, -(-length // tile))
    edges = [round(length * i / pieces) for i in range(pieces + 1)]
    return list(itertools.pairwise(edges))


def tiles(
    shape: tuple[int, int], *, tile: int = TILE, halo: int = HALO, whole: int = WHOLE
) -> Iterator[Tile]:
    """Cut a scaled picture into tiles.

    Parameters
    ----------
    shape
        Height and width in px.
    tile, halo
        Largest core and what is seen around it, in px.
    whole
        Pictures of at most this many px stay in one piece.
    """
    height, width = shape
    if height * width <= whole:
        tile = max(height, width)
    for y0, y1 in _cuts(height, tile):
        for x0, x1 in _cuts(width, tile):
            left, top = max(0, x0 - halo), max(0, y0 - halo)
            right, bottom = min(width, x1 + halo), min(height, y1 + halo)
            # crystals cut by the frame may have their centres a little outside of it
            core = (
                -np.inf if x0 == 0 else float(x0), -np.inf if y0 == 0 else float(y0),
                np.inf if x1 == width else float(x1), np.inf if y1 == height else float(y1),
            )  # fmt: skip
            yield Tile(left, top, right - left, bottom - top, core)


def read_tile(micrograph: Micrograph, tile: Tile, scale: float) -> NDArray[np.float32]:
    """Return a tile's grey, ``(tile.height, tile.width)``, at a scale.

    Parameters
    ----------
    micrograph
        The whole picture; only the window is converted.
    tile
        Window in px of the scaled picture.
    scale
        Size of the scaled picture over that of the picture.
    """
    if scale == 1.0:
        return micrograph.grey(
            slice(tile.y, tile.y + tile.height), slice(tile.x, tile.x + tile.width)
        )
    height, width = micrograph.shape
    rows, columns = scaled_shape(micrograph.shape, scale)
    fy, fx = height / rows, width / columns
    y0, y1 = int(tile.y * fy), min(height, int(np.ceil((tile.y + tile.height) * fy)))
    x0, x1 = int(tile.x * fx), min(width, int(np.ceil((tile.x + tile.width) * fx)))
    window = micrograph.grey(slice(y0, y1), slice(x0, x1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(window, (tile.width, tile.height), interpolation=how)


def pad(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pad ``(2, h, w)`` at the right and at the bottom to multiples of 32, by reflection.

    A reflected crystal has its centre outside the picture and is dropped; a constant border would
    be an edge that the network might take for one.
    """
    _, height, width = channels.shape
    bottom, right = -height % MULTIPLE, -width % MULTIPLE
    bottom += MULTIPLE if height + bottom < 2 * MULTIPLE else 0
    right += MULTIPLE if width + right < 2 * MULTIPLE else 0
    if not (bottom or right):
        return channels
    return np.pad(channels, ((0, 0), (0, bottom), (0, right)), mode="symmetric")
