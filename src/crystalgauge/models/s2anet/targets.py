"""Truth to targets: oriented boxes, and which anchor answers for which.

Assignment by overlap as published (Han et al. 2021, sec. IV-B; mmdetection's MaxIoUAssigner):
an anchor answers for the box it overlaps most when that is at least 0.5, and is background when
it overlaps every box by less than 0.4. Every box also gets the anchors that overlap it most; of
two boxes with the same best anchor the published rule leaves one without any, here it gets the
next best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.metrics import hull_iou_matrix, oriented_box_corners, pack_outlines
from crystalgauge.metrics.convex import hull_shared_areas
from crystalgauge.models.s2anet.anchors import square_anchors
from crystalgauge.models.s2anet.coder import boxes_of_outlines, encode
from crystalgauge.models.s2anet.config import MAP_CHANNELS, S2ANetConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

POSITIVE_IOU = 0.5
NEGATIVE_IOU = 0.4

MOSTLY = 0.5
"""An anchor with more than this share of its area in a box that is not asked for is left out."""

BACKGROUND, LEFT_OUT = -1, -2
"""What `assign` says of anchors that answer for no box."""

SURE_LOGIT = 20.0


@dataclass(frozen=True, eq=False)
class Targets:
    """What one image teaches.

    Parameters
    ----------
    boxes
        ``(N, 5)`` boxes that are asked for.
    ignored
        ``(K, 5)`` boxes that neither count nor hurt.
    owner
        ``(M,)`` for each square anchor, its box, or BACKGROUND or LEFT_OUT.
    """

    boxes: NDArray[np.float64]
    ignored: NDArray[np.float64]
    owner: NDArray[np.int64]


def assign(
    anchors: NDArray[np.floating], boxes: NDArray[np.float64], ignored: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return for each anchor the row of its box, or BACKGROUND, or LEFT_OUT.

    Parameters
    ----------
    anchors
        ``(M, 5)``, square or refined.
    boxes
        ``(N, 5)`` that are asked for.
    ignored
        ``(K, 5)`` that neither count nor hurt.
    """
    owner = np.full(len(anchors), BACKGROUND, np.int64)
    hulls = pack_outlines(oriented_box_corners(anchors))
    if len(ignored):
        others = pack_outlines(oriented_box_corners(ignored))
        iou = hull_iou_matrix(others, hulls)
        row, column = np.nonzero(iou)
        shared = hull_shared_areas(others, hulls, row, column)
        owner[(iou >= NEGATIVE_IOU).any(0)] = LEFT_OUT
        owner[column[shared > MOSTLY * hulls.areas[column]]] = LEFT_OUT
    if not len(boxes):
        return owner
    iou = hull_iou_matrix(pack_outlines(oriented_box_corners(boxes)), hulls)  # (N, M)
    best, most = iou.argmax(0), iou.max(0)
    owner[(most >= NEGATIVE_IOU) & (most < POSITIVE_IOU)] = LEFT_OUT
    owner[most >= POSITIVE_IOU] = best[most >= POSITIVE_IOU]
    _give_each_its_best(owner, iou)
    return owner


def _give_each_its_best(owner: NDArray[np.int64], iou: NDArray[np.float64]) -> None:
    """Give every box the anchors that overlap it most, the box that is hardest to meet first."""
    taken = np.zeros(len(owner), np.bool_)
    for row in np.argsort(iou.max(1), kind="stable"):
        free = np.where(taken, 0.0, iou[row])
        most = free.max()
        if most > 0:
            best = free == most
            owner[best] = row
            taken |= best


def build_targets(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    asked: NDArray[np.bool_],
    shape: tuple[int, int],
    config: S2ANetConfig,
) -> Targets:
    """Turn outlines into targets.

    Parameters
    ----------
    points, offsets
        Outlines in px of the image (see `crystalgauge.datasets.packed_vertices`).
    asked
        ``(N,)`` False for crystals that neither count nor hurt (too faint, cut off, ignored).
    shape
        Height and width of the image, multiples of 32.
    config
        For the anchors.
    """
    boxes = boxes_of_outlines(points, offsets)
    solid = np.isfinite(boxes).all(1) & (boxes[:, 3] > 0)
    inside = ((boxes[:, :2] > 0) & (boxes[:, :2] < shape[::-1])).all(1)
    wanted = asked & inside & solid
    ignored = boxes[solid & ~wanted]
    owner = assign(square_anchors(shape, config), boxes[wanted], ignored)
    return Targets(boxes[wanted], ignored, owner)


def ideal_maps(
    targets: Targets, shape: tuple[int, int], config: S2ANetConfig
) -> NDArray[np.float32]:
    """Draw the output of a perfect network: every anchor with a box says where it is.

    Parameters
    ----------
    targets
        Of one image.
    shape
        Height and width of the image, multiples of 32.
    config
        For the anchors.

    Returns
    -------
    ndarray
        ``(M, 11)``; `decode` turns it back into the boxes. The anchors are as if refined by
        nothing.
    """
    anchors = square_anchors(shape, config)
    maps = np.zeros((len(anchors), MAP_CHANNELS), np.float32)
    maps[:, 0] = -SURE_LOGIT
    maps[:, 6:] = anchors
    owned = targets.owner >= 0
    maps[owned, 0] = SURE_LOGIT
    maps[owned, 1:6] = encode(anchors[owned], targets.boxes[targets.owner[owned]])
    return maps
