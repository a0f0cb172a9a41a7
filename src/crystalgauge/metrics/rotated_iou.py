"""Exact overlap of oriented boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import ArgumentError, Crystals
from crystalgauge.metrics.convex import hull_iou_matrix, pack_outlines

if TYPE_CHECKING:
    from numpy.typing import NDArray


def oriented_box_corners(boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the ``(N, 4, 2)`` corners in px of oriented boxes.

    Parameters
    ----------
    boxes
        ``(N, 5)`` centre x, centre y, length, width in px, and the angle in rad from the x axis
        towards the y axis (clockwise on screen, as y points down) of the length.

    Raises
    ------
    ArgumentError
        When the array is not ``(N, 5)``.
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ArgumentError(
            f"boxes are an (N, 5) array of x, y, length, width and angle, got {boxes.shape}"
        )
    along = np.stack([np.cos(boxes[:, 4]), np.sin(boxes[:, 4])], axis=1)  # (N, 2)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    half_length = 0.5 * boxes[:, 2:3] * along
    half_width = 0.5 * boxes[:, 3:4] * across
    arms = [half_length + half_width, half_width - half_length]
    return boxes[:, None, :2] + np.stack([*arms, -arms[0], -arms[1]], axis=1)  # (N, 4, 2)


def rotated_iou_matrix(
    a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return the ``(N, M)`` intersection over union of oriented boxes; 0 for a box without area.

    Parameters
    ----------
    a, b
        ``(N, 5)`` and ``(M, 5)`` boxes as for `oriented_box_corners`.
    """
    return hull_iou_matrix(
        pack_outlines(oriented_box_corners(a)), pack_outlines(oriented_box_corners(b))
    )


def as_oriented_boxes(crystals: Crystals) -> Crystals:
    """Return the same rows with the oriented boxes of least area in place of the outlines.

    Average precision of boxes is that of outlines after this. Of a bipyramid two boxes may be
    almost as small as each other and cross at an angle, so that crystals outlined alike can have
    boxes that overlap by two thirds only: prefer outlines to rank detectors.

    Parameters
    ----------
    crystals
        An outline without area keeps its line or point and overlaps with nothing.
    """
    return Crystals(shapely.oriented_envelope(crystals.outlines), crystals.columns)
