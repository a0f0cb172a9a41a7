"""The square anchors: one at every cell of every level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.models.s2anet.config import S2ANetConfig


def level_shapes(shape: tuple[int, int], config: S2ANetConfig) -> list[tuple[int, int]]:
    """Return rows and columns of the levels' grids.

    Parameters
    ----------
    shape
        Height and width of the image in px, multiples of 32.
    config
        For the strides.
    """
    height, width = shape
    return [(-(-height // stride), -(-width // stride)) for stride in config.strides]


def square_anchors(shape: tuple[int, int], config: S2ANetConfig) -> NDArray[np.float32]:
    """Return the ``(M, 5)`` anchors x, y, length, width, angle, level by level, row by row.

    Cell (i, j) of a level covers ``[j s, (j + 1) s] x [i s, (i + 1) s]`` px at stride s, and its
    anchor is centred there.

    Parameters
    ----------
    shape
        Height and width of the image in px, multiples of 32.
    config
        For strides and edges.
    """
    parts = []
    grids = zip(level_shapes(shape, config), config.strides, config.anchor_edges, strict=True)
    for (rows, columns), stride, edge in grids:
        y, x = np.mgrid[:rows, :columns].reshape(2, -1).astype(np.float32)
        size = np.full_like(x, edge)
        parts.append(
            np.stack([(x + 0.5) * stride, (y + 0.5) * stride, size, size, np.zeros_like(x)], axis=1)
        )
    return np.concatenate(parts)
