"""Cells of the three levels, and boxes as distances from them.

The distance to each side of a box is the mean of a distribution over whole cells, 0 to
15 (Li et al. 2020, arXiv:2006.04388, eqs 3 to 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.models.yolo12_seg.config import BINS, MULTIPLE, STRIDES

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SHARE = 1e-4
"""How far below the last bin a distance is kept, so that two bins always share it."""


class Cells(NamedTuple):
    """The M cells of an image, level by level, row by row.

    Attributes
    ----------
    centre
        ``(M, 2)`` x and y, px.
    stride
        ``(M,)`` edge, px.
    """

    centre: NDArray[np.float32]
    stride: NDArray[np.float32]


def cells_of(shape: tuple[int, int]) -> Cells:
    """Return the cells of an image.

    Parameters
    ----------
    shape
        Height and width in px, multiples of 32.

    Raises
    ------
    ArgumentError
        When they are not.
    """
    height, width = shape
    if height % MULTIPLE or width % MULTIPLE or min(shape) < MULTIPLE:
        raise ArgumentError(
            f"the network reads images whose edges are multiples of {MULTIPLE} px, got "
            f"{width} x {height}; pad them"
        )
    centres, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[0 : height // stride, 0 : width // stride]
        centres.append((np.stack([x.ravel(), y.ravel()], 1) + 0.5) * stride)
        strides.append(np.full(x.size, stride))
    return Cells(np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype("f4"))


def sides_of(boxes: NDArray[np.floating], cells: Cells) -> NDArray[np.float32]:
    """Return ``(M, 4)`` distances left, top, right, bottom in cells, held within the bins.

    Parameters
    ----------
    boxes
        ``(M, 4)`` x0, y0, x1, y1 in px, one for each cell.
    cells
        The M cells.
    """
    low = (cells.centre - boxes[:, :2]) / cells.stride[:, None]
    high = (boxes[:, 2:] - cells.centre) / cells.stride[:, None]
    held = np.clip(np.concatenate([low, high], 1), 0.0, BINS - 1 - LEAST_SHARE)
    return np.asarray(held, np.float32)


def boxes_of(sides: NDArray[np.floating], cells: Cells) -> NDArray[np.float32]:
    """Return ``(M, 4)`` boxes in px: the inverse of `sides_of`."""
    reach = sides * cells.stride[:, None]
    centre = cells.centre
    return np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], 1).astype(np.float32)


def encode_sides(sides: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return ``(M, 4, 16)`` the distributions on the two bins beside each distance.

    Parameters
    ----------
    sides
        ``(M, 4)`` in cells, 0 to below 15.
    """
    low = np.floor(sides).astype(np.int64)
    share = sides - low
    spread = np.zeros((*sides.shape, BINS), np.float32)
    np.put_along_axis(spread, low[..., None], (1 - share)[..., None], -1)
    np.put_along_axis(spread, low[..., None] + 1, share[..., None], -1)
    return spread


def decode_sides(logits: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return ``(M, 4)`` the mean of each distribution.

    Parameters
    ----------
    logits
        ``(M, 4, 16)``.
    """
    weight = np.exp(logits - logits.max(-1, keepdims=True))
    weight /= weight.sum(-1, keepdims=True)
    return (weight @ np.arange(logits.shape[-1], dtype=np.float32)).astype(np.float32)


def box_iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ``(N, M)`` intersection over union of upright boxes.

    Parameters
    ----------
    a, b
        ``(N, 4)`` and ``(M, 4)`` x0, y0, x1, y1.
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1, dtype=np.float64)
    one, other = ((x[:, 2:] - x[:, :2]).clip(0).prod(-1, dtype=np.float64) for x in (a, b))
    return shared / np.maximum(one[:, None] + other[None, :] - shared, 1e-9)
