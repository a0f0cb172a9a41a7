"""Output to crystals: read the anchors that answer, suppress by overlap.

The inverse of `targets`: ``decode(ideal_maps(targets(truth)))`` is the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import Crystals
from crystalgauge.metrics import convex_hulls, oriented_box_corners, suppress
from crystalgauge.models.s2anet.coder import decode as decode_deltas
from crystalgauge.models.s2anet.coder import long_side_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUPPRESSION_IOU = 0.5
"""Of two boxes that overlap at least this much, the better one stays. The published 0.1 is meant
for what lies side by side on the ground; crystals in suspension overlap."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Oriented boxes of one image, best first.

    Parameters
    ----------
    boxes
        ``(N, 5)`` x, y, length, width in px and angle in rad, length >= width.
    score
        ``(N,)`` in 0..1.
    """

    boxes: NDArray[np.float64]
    score: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: NDArray[Any]) -> Boxes:
        """Return the rows named by a mask or by indices."""
        return Boxes(self.boxes[rows], self.score[rows])

    def moved(self, x: float, y: float, factor: float) -> Boxes:
        """Return all shifted by x and y px, then magnified."""
        boxes = np.add(self.boxes, [x, y, 0, 0, 0]) * [factor, factor, factor, factor, 1]
        return Boxes(boxes, self.score)

    @property
    def centres_px(self) -> NDArray[np.float64]:
        """``(N, 2)`` x and y."""
        return self.boxes[:, :2]

    @property
    def extent_px(self) -> NDArray[np.float64]:
        """``(N,)`` roots of the areas."""
        return np.sqrt(self.boxes[:, 2] * self.boxes[:, 3])

    def to_crystals(self) -> Crystals:
        """Return a table whose outlines are the boxes; what boxes do not tell is NaN."""
        unknown = np.full(len(self), np.nan)
        return Crystals.from_vertices(
            oriented_box_corners(self.boxes),
            {"score": self.score, "defocus_px": unknown, "diameter_error": unknown},
        )


def read_maps(maps: NDArray[np.floating[Any]], threshold: float) -> Boxes:
    """Read all anchors whose score reaches a threshold.

    Parameters
    ----------
    maps
        ``(M, 11)`` output of the network.
    threshold
        Least score, in 0..1.
    """
    rows = maps[maps[:, 0] >= math.log(threshold / (1 - threshold))].astype(np.float64)
    boxes = long_side_first(decode_deltas(rows[:, 6:], rows[:, 1:6]))
    score = 1 / (1 + np.exp(-rows[:, 0]))
    sane = np.isfinite(boxes).all(1)
    boxes, score = boxes[sane], score[sane]
    return Boxes(boxes, score).take(np.argsort(-score, kind="stable"))


def merge(found: Boxes, *, threshold: float = SUPPRESSION_IOU) -> Boxes:
    """Suppress by the overlap of the boxes; their number is not limited.

    Parameters
    ----------
    found
        Candidates, best first.
    threshold
        IoU at which the better of two boxes suppresses the other.
    """
    hulls, counts, areas = convex_hulls(oriented_box_corners(found.boxes))
    owner, _ = suppress(hulls, counts, areas, threshold)
    return found.take(owner == np.arange(len(found)))


def decode(maps: NDArray[np.floating[Any]], *, threshold: float = 0.05) -> Boxes:
    """Turn the network's output into boxes.

    Parameters
    ----------
    maps
        ``(M, 11)`` output of the network.
    threshold
        Least score of an anchor that is read; published 0.05.
    """
    return merge(read_maps(maps, threshold))
