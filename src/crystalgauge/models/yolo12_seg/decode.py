"""Output to crystals: rows to boxes, suppression, masks from prototypes, masks to outlines.

The inverse of `targets`: ``decode(ideal_outputs(targets(truth)))`` is the truth, within the
resolution of the masks. As in the agglomeration paper, holes are filled and of a mask in several
pieces the largest stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import shapely

from crystalgauge.core import Crystals
from crystalgauge.models.yolo12_seg.cells import Cells, box_iou, boxes_of, cells_of, decode_sides
from crystalgauge.models.yolo12_seg.config import BINS, MASK_STRIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUPPRESSION_IOU = 0.7
"""Of two boxes that overlap at least this much, of whatever class, the better one stays."""

MOST_CANDIDATES = 3000
"""Best rows that are looked at; an untrained network says yes everywhere."""

LEAST_AREA_PX2 = 4.0
"""Smaller pieces of a mask are no crystals."""


@dataclass(frozen=True, eq=False)
class Instances:
    """Crystals of one image, best first.

    Parameters
    ----------
    boxes
        ``(N, 4)`` x0, y0, x1, y1, px.
    score
        ``(N,)`` of the class said, 0 to 1.
    label
        ``(N,)`` that class.
    label_share
        ``(N,)`` its score over the sum of all classes' scores, 0 to 1.
    outlines
        ``(N,)`` polygons, px.
    """

    boxes: NDArray[np.float64]
    score: NDArray[np.float64]
    label: NDArray[np.int64]
    label_share: NDArray[np.float64]
    outlines: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: NDArray[Any]) -> Instances:
        """Return the rows named by a mask or by indices."""
        return Instances(**{name: values[rows] for name, values in vars(self).items()})

    def moved(self, x: float, y: float, factor: float) -> Instances:
        """Return all shifted by x and y px, then magnified."""
        shift = np.array([x, y])
        outlines = np.empty(len(self), object)
        outlines[:] = shapely.transform(self.outlines, lambda p: (p + shift) * factor)
        boxes = (self.boxes + np.array([x, y, x, y])) * factor
        return Instances(boxes, self.score, self.label, self.label_share, outlines)

    @property
    def centres_px(self) -> NDArray[np.float64]:
        """``(N, 2)`` x and y of the boxes."""
        return (self.boxes[:, :2] + self.boxes[:, 2:]) / 2

    @property
    def extent_px(self) -> NDArray[np.float64]:
        """``(N,)`` roots of the boxes' areas."""
        return np.sqrt((self.boxes[:, 2:] - self.boxes[:, :2]).prod(axis=1))

    def to_crystals(self) -> Crystals:
        """Return a table; what the network does not tell is NaN."""
        unknown = np.full(len(self), np.nan)
        return Crystals(
            self.outlines,
            {"score": self.score, "label": self.label, "label_share": self.label_share,
             "defocus_px": unknown, "diameter_error": unknown},
        )  # fmt: skip


def decode(
    rows: NDArray[np.floating[Any]],
    prototypes: NDArray[np.floating[Any]],
    *,
    threshold: float = 0.05,
) -> Instances:
    """Turn the network's output into crystals.

    Parameters
    ----------
    rows
        ``(M, row channels)``: bins of left, top, right and bottom, class logits, coefficients.
    prototypes
        ``(prototypes, H / 4, W / 4)``.
    threshold
        Least score that is read, 0 to 1.
    """
    shape = (prototypes.shape[1] * MASK_STRIDE, prototypes.shape[2] * MASK_STRIDE)
    cells, sides = cells_of(shape), 4 * BINS
    classes = rows.shape[1] - sides - len(prototypes)
    logits = rows[:, sides : sides + classes]
    best = logits.max(1)
    read = np.flatnonzero(best >= math.log(threshold / (1 - threshold)))
    read = read[np.argsort(-best[read], kind="stable")][:MOST_CANDIDATES]
    spread = rows[read, :sides].reshape(-1, 4, BINS)
    boxes = boxes_of(decode_sides(spread), Cells(cells.centre[read], cells.stride[read]))
    kept = suppress_boxes(boxes)
    read, kept_boxes = read[kept], boxes[kept].astype(np.float64)
    scores = 1 / (1 + np.exp(-np.clip(logits[read].astype(np.float64), -60, 60)))
    outlines = outlines_of(kept_boxes, rows[read, sides + classes :], prototypes)
    solid = ~shapely.is_missing(outlines)
    top = scores.max(1, initial=0.0)
    return Instances(
        kept_boxes, top, scores.argmax(1), top / np.maximum(scores.sum(1), 1e-12), outlines
    ).take(solid)


def suppress_boxes(
    boxes: NDArray[np.floating], threshold: float = SUPPRESSION_IOU
) -> NDArray[np.int64]:
    """Return the rows of boxes that no better one overlaps too much.

    Parameters
    ----------
    boxes
        ``(N, 4)``, best first.
    threshold
        IoU at which the better of two suppresses the other.
    """
    left, kept = np.arange(len(boxes)), []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        left = left[box_iou(boxes[first : first + 1], boxes[left])[0] < threshold]
    return np.array(kept, np.int64)


def outlines_of(
    boxes: NDArray[np.float64],
    coefficients: NDArray[np.floating],
    prototypes: NDArray[np.floating],
) -> NDArray[np.object_]:
    """Return ``(N,)`` polygons, None where a mask holds nothing.

    Parameters
    ----------
    boxes
        ``(N, 4)`` px; masks end at them.
    coefficients
        ``(N, prototypes)``.
    prototypes
        ``(prototypes, H / 4, W / 4)``.
    """
    height, width = (edge * MASK_STRIDE for edge in prototypes.shape[1:])
    outlines = np.empty(len(boxes), object)
    for row, (box, weights) in enumerate(zip(boxes, coefficients, strict=True)):
        x0, y0 = np.clip(np.floor(box[:2]).astype(int), 0, (width, height))
        x1, y1 = np.clip(np.ceil(box[2:]).astype(int), 0, (width, height))
        if x1 - x0 < 2 or y1 - y0 < 2:
            continue
        logit = _magnified(weights, prototypes, x0, y0, x1, y1)
        outlines[row] = mask_outline(logit > 0, (x0, y0))
    return outlines


def _magnified(
    weights: NDArray[np.floating], prototypes: NDArray[np.floating], x0: int, y0: int, x1: int,
    y1: int,
) -> NDArray[np.float32]:  # fmt: skip
    """Return the mask's logits at every pixel of a window, linear between the cells' centres."""
    rows, columns = prototypes.shape[1:]
    top, bottom = max(y0 // MASK_STRIDE - 1, 0), min(-(-y1 // MASK_STRIDE) + 1, rows)
    left, right = max(x0 // MASK_STRIDE - 1, 0), min(-(-x1 // MASK_STRIDE) + 1, columns)
    piece = np.tensordot(weights, prototypes[:, top:bottom, left:right], 1).astype(np.float32)
    size = ((right - left) * MASK_STRIDE, (bottom - top) * MASK_STRIDE)
    large = cv2.resize(piece, size, interpolation=cv2.INTER_LINEAR)
    y, x = y0 - top * MASK_STRIDE, x0 - left * MASK_STRIDE
    return np.asarray(large[y : y + y1 - y0, x : x + x1 - x0], np.float32)


def mask_outline(mask: NDArray[np.bool_], corner: tuple[int, int] = (0, 0)) -> Any:
    """Return the outline of a mask's largest piece without holes, None where there is none.

    Parameters
    ----------
    mask
        ``(h, w)``.
    corner
        x and y of the mask's first pixel, px of the image.

    Returns
    -------
    shapely.Polygon or None
        Half a pixel around the centres of the outermost pixels.
    """
    lines, _ = cv2.findContours(
        np.ascontiguousarray(mask, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    lines = [line[:, 0].astype(np.float64) for line in lines if len(line) > 2]
    if not lines:
        return None
    pieces = [shapely.Polygon(line + 0.5 + np.asarray(corner)) for line in lines]
    whole = shapely.buffer(max(pieces, key=lambda piece: piece.area), 0.5, join_style="mitre")
    if isinstance(whole, shapely.MultiPolygon):  # of a line that meets itself
        whole = max(whole.geoms, key=lambda piece: piece.area)
    if whole.area < LEAST_AREA_PX2:
        return None
    return shapely.Polygon(whole.exterior)
