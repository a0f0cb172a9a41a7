"""Boxes relative to anchors, and back: the deltas that the network says.

Boxes are x, y, length, width (px) and the angle (rad) of the length from the x axis towards the
y axis, which points down; angles lie in [-pi/4, 3 pi/4). The deltas are those of Han et al. 2021,
sec. III-A: the offset in the anchor's own axes over its sides, the logarithms of the ratios of
the sides, and the turn over pi.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.measure.outline import hull_extents

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_LOG_RATIO = abs(math.log(16 / 1000))
"""Sides are changed by at most this factor's logarithm, as in the published coder."""


def wrap_angle(angle: NDArray[Any]) -> NDArray[Any]:
    """Return angles of undirected lines in [-pi/4, 3 pi/4)."""
    return (angle + math.pi / 4) % math.pi - math.pi / 4


def encode(anchors: NDArray[Any], boxes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the ``(N, 5)`` deltas that take anchors to boxes.

    Parameters
    ----------
    anchors, boxes
        ``(N, 5)``, with positive sides.
    """
    anchors, boxes = np.asarray(anchors, np.float64), np.asarray(boxes, np.float64)
    x, y, length, width, angle = anchors.T
    cosine, sine = np.cos(angle), np.sin(angle)
    dx, dy = boxes[:, 0] - x, boxes[:, 1] - y
    return np.stack(
        [
            (cosine * dx + sine * dy) / length,
            (cosine * dy - sine * dx) / width,
            np.log(boxes[:, 2] / length),
            np.log(boxes[:, 3] / width),
            wrap_angle(boxes[:, 4] - angle) / math.pi,
        ],
        axis=1,
    )


def decode(anchors: NDArray[Any], deltas: NDArray[Any]) -> NDArray[np.float64]:
    """Return the ``(N, 5)`` boxes that deltas make of anchors; the inverse of `encode`.

    Parameters
    ----------
    anchors, deltas
        ``(N, 5)``.
    """
    anchors, deltas = np.asarray(anchors, np.float64), np.asarray(deltas, np.float64)
    x, y, length, width, angle = anchors.T
    cosine, sine = np.cos(angle), np.sin(angle)
    along, across = deltas[:, 0] * length, deltas[:, 1] * width
    ratios = np.exp(np.clip(deltas[:, 2:4], -MOST_LOG_RATIO, MOST_LOG_RATIO))
    return np.stack(
        [
            x + cosine * along - sine * across,
            y + sine * along + cosine * across,
            length * ratios[:, 0],
            width * ratios[:, 1],
            wrap_angle(angle + math.pi * deltas[:, 4]),
        ],
        axis=1,
    )


def long_side_first(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same ``(N, 5)`` boxes with length >= width."""
    length, width = boxes[:, 2], boxes[:, 3]
    turned = width > length
    result = boxes.copy()
    result[:, 2], result[:, 3] = np.maximum(length, width), np.minimum(length, width)
    result[:, 4] = wrap_angle(boxes[:, 4] + np.where(turned, math.pi / 2, 0.0))
    return result


def boxes_of_outlines(
    points: NDArray[np.float64], offsets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the ``(N, 5)`` rectangles of least area around outlines, NaN for one without area.

    Parameters
    ----------
    points, offsets
        Outlines in px (see `crystalgauge.datasets.packed_vertices`).
    """
    counts = np.diff(offsets)
    boxes = np.full((len(counts), 5), np.nan)
    if not len(counts):
        return boxes
    owner = np.repeat(np.arange(len(counts)), counts)
    polygons = np.asarray(shapely.polygons(shapely.linearrings(points, indices=owner)), object)
    extents = hull_extents(shapely.convex_hull(polygons))
    angle = extents.box_angle_rad
    cosine, sine = np.cos(angle), np.sin(angle)
    along = points[:, 0] * cosine[owner] + points[:, 1] * sine[owner]
    across = points[:, 1] * cosine[owner] - points[:, 0] * sine[owner]
    u, v = _middle(along, offsets), _middle(across, offsets)
    boxes[:, 0], boxes[:, 1] = cosine * u - sine * v, sine * u + cosine * v
    boxes[:, 2], boxes[:, 3] = extents.box_length_px, extents.box_width_px
    boxes[:, 4] = wrap_angle(angle)
    return boxes


def _middle(values: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the middle of the range of each outline's values."""
    low = np.minimum.reduceat(values, offsets[:-1])
    high = np.maximum.reduceat(values, offsets[:-1])
    return np.asarray(0.5 * (low + high), np.float64)
