"""A picture of any size in windows of bounded memory, at any scale."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
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

SEAM = 4.0
"""How far beyond its core, in px of the scaled picture, a tile's word still counts: two tiles may
each put a crystal's centre just on the other's side. What both keep is merged by overlap."""

WHOLE = 2_400_000
"""Pictures of at most this many px are seen in one piece: the work is the same, without seams."""


SOURCE_PX = 1 << 22
"""A reduced tile is made of at most about so many px of the picture at a time: at a scale of 1/8 a
whole tile covers 13 000 x 13 000 px."""


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

    def owns(
        self, x: NDArray[np.float64], y: NDArray[np.float64], margin: float = 0.0
    ) -> NDArray[np.bool_]:
        """Tell which points of the scaled picture lie in the core, or within a margin of it."""
        x0, y0, x1, y1 = self.core
        across = (x >= x0 - margin) & (x < x1 + margin)
        return across & (y >= y0 - margin) & (y < y1 + margin)


def scaled_shape(shape: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return height and width of a picture at a scale; a last pixel may be covered in part."""
    return math.ceil(shape[0] * scale - 1e-6), math.ceil(shape[1] * scale - 1e-6)


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

    Reduced tiles are made strip by strip, so that the memory does not grow with the reduction.

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
    strip = max(1, int(SOURCE_PX * scale**2 / tile.width))  # rows of the scaled picture
    if tile.height <= strip:
        return _resampled(micrograph, tile, 1 / scale)
    grey = np.empty((tile.height, tile.width), np.float32)
    for top in range(0, tile.height, strip):
        height = min(strip, tile.height - top)
        part = replace(tile, y=tile.y + top, height=height)
        grey[top : top + height] = _resampled(micrograph, part, 1 / scale)
    return grey


def _resampled(micrograph: Micrograph, tile: Tile, factor: float) -> NDArray[np.float32]:
    """Return a tile's grey where a scaled pixel is as long as so many of the picture."""
    y0, x0 = tile.y * factor, tile.x * factor
    y1, x1 = (tile.y + tile.height) * factor, (tile.x + tile.width) * factor
    if factor == int(factor):
        window = _window(micrograph, int(y0), int(x0), int(y1), int(x1))
        return cv2.resize(window, (tile.width, tile.height), interpolation=cv2.INTER_AREA)
    margin = math.ceil(2 * factor) + 1
    top, left = math.floor(y0) - margin, math.floor(x0) - margin
    window = _window(micrograph, top, left, math.ceil(y1) + margin, math.ceil(x1) + margin)
    if factor > 1:  # as much blur as averaging over the larger pixel would give
        window = cv2.GaussianBlur(window, (0, 0), 0.5 * math.sqrt(factor**2 - 1))
    # OpenCV counts pixel centres as integers, we as integers + 0.5
    matrix = np.array(
        [
            [factor, 0.0, x0 - left + 0.5 * factor - 0.5],
            [0.0, factor, y0 - top + 0.5 * factor - 0.5],
        ]
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(window, matrix, (tile.width, tile.height), flags=how)


def _window(
    micrograph: Micrograph, top: int, left: int, bottom: int, right: int
) -> NDArray[np.float32]:
    """Return a window's grey; beyond the picture its edge goes on."""
    height, width = micrograph.shape
    rows, columns = slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right))
    grey = micrograph.grey(rows, columns)
    around = (max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width))
    if not any(around):
        return grey
    return cv2.copyMakeBorder(grey, *around, cv2.BORDER_REPLICATE)


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
