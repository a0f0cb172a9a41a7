"""Truth to targets: boxes, classes and masks, and which cell answers for which crystal.

Assignment aligned with the task: Feng et al. 2021, "TOOD" (arXiv:2108.07755), section 3.2. It
depends on what the network says, so the loss asks for it at every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from crystalgauge.models.yolo12_seg.cells import (
    Cells,
    box_iou,
    cells_of,
    encode_sides,
    sides_of,
)
from crystalgauge.models.yolo12_seg.config import BINS, MASK_STRIDE, Yolo12SegConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
"""Alpha and beta of the alignment. TOOD has 1 and 6, YOLO since its eighth version 0.5 and 6."""

ANSWERS = 10
"""Cells that may answer for a crystal, as YOLO has it; TOOD has 13."""

SURE_LOGIT = 20.0

NOBODY = -1
"""Owner of the cells that answer for no crystal."""


@dataclass(frozen=True, eq=False)
class Targets:
    """What one image teaches.

    Parameters
    ----------
    boxes
        ``(N, 4)`` x0, y0, x1, y1 of the crystals that are asked for, px, within the image.
    labels
        ``(N,)`` their classes.
    masks
        ``(N, H / 4, W / 4)`` share of each cell that the crystal covers, 0 to 255.
    quiet
        ``(M,)`` cells that may say what they like: in a crystal that is not asked for.
    """

    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    masks: NDArray[np.uint8]
    quiet: NDArray[np.bool_]


class Assignment(NamedTuple):
    """Which cell answers for which crystal.

    Attributes
    ----------
    owner
        ``(M,)`` row of the crystal, or `NOBODY`.
    weight
        ``(M,)`` normalised alignment, 0 to 1: the score that the cell should say.
    """

    owner: NDArray[np.int64]
    weight: NDArray[np.float32]


def build_targets(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    asked: NDArray[np.bool_],
    labels: NDArray[np.integer],
    shape: tuple[int, int],
) -> Targets:
    """Turn outlines into targets.

    Parameters
    ----------
    points, offsets
        Outlines in px of the image (see `crystalgauge.datasets.packed_vertices`).
    asked
        ``(N,)`` False for crystals that neither count nor hurt.
    labels
        ``(N,)`` their classes; crystals with one below 0 are not asked for either.
    shape
        Height and width of the image, multiples of 32.
    """
    height, width = shape
    boxes, masks, wanted = [], [], []
    left_out = np.zeros(shape, np.uint8)
    for row in range(len(asked)):
        line = points[offsets[row] : offsets[row + 1]]
        low, high = (
            np.clip(line.min(0), 0, (width, height)),
            np.clip(line.max(0), 0, (width, height)),
        )
        if not (high - low > 1.0).all():
            continue
        if asked[row] and labels[row] >= 0:
            wanted.append(row)
            boxes.append([*low, *high])
            masks.append(coverage(line, shape))
        else:
            _fill(left_out, line)
    cells = cells_of(shape)
    column, line_ = cells.centre.astype(np.int64).T
    quiet = left_out[line_, column] > 0
    return Targets(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.asarray(labels, np.int64)[wanted],
        np.array(masks, np.uint8).reshape(-1, height // MASK_STRIDE, width // MASK_STRIDE),
        quiet,
    )


def coverage(line: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return ``(H / 4, W / 4)`` how much of each prototype's cell an outline covers, 0 to 255.

    Parameters
    ----------
    line
        ``(K, 2)`` vertices, px.
    shape
        Height and width of the image, px.
    """
    height, width = shape
    canvas = np.zeros(shape, np.uint8)
    _fill(canvas, line)
    small = (width // MASK_STRIDE, height // MASK_STRIDE)
    return np.asarray(cv2.resize(canvas, small, interpolation=cv2.INTER_AREA), np.uint8)


def _fill(canvas: NDArray[np.uint8], line: NDArray[np.floating]) -> None:
    """Fill an outline with 255; OpenCV counts pixel centres as integers, we as integers + 0.5."""
    cv2.fillPoly(canvas, [np.round((line - 0.5) * 16).astype(np.int32)], 255, shift=4)


def assign(
    scores: NDArray[np.floating],
    said: NDArray[np.floating],
    cells: Cells,
    targets: Targets,
) -> Assignment:
    """Give each crystal the cells within its box whose score and box fit it best together.

    The alignment is ``score ** alpha * overlap ** beta``, of the crystal's own class. A cell that
    several crystals want answers for the one that its box overlaps most. Of equal alignments the
    cell nearer to the middle of the box is better.

    Parameters
    ----------
    scores
        ``(M, classes)`` what the network says, 0 to 1.
    said
        ``(M, 4)`` boxes it says, px.
    cells
        The M cells.
    targets
        The crystals.
    """
    count, boxes = len(targets.boxes), targets.boxes
    owner, weight = np.full(len(said), NOBODY, np.int64), np.zeros(len(said), np.float32)
    if not count:
        return Assignment(owner, weight)
    centre = cells.centre[None]
    inside = ((centre > boxes[:, None, :2]) & (centre < boxes[:, None, 2:])).all(-1)  # (N, M)
    iou = np.where(inside, box_iou(boxes, said), 0.0)
    fit = scores[:, targets.labels].T ** SCORE_POWER * iou**OVERLAP_POWER
    middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    far = np.where(inside, ((centre - middle) ** 2).sum(-1), np.inf)
    best = np.lexsort((far, -fit), axis=1)[:, :ANSWERS]
    chosen = np.zeros_like(inside)
    np.put_along_axis(chosen, best, True, 1)
    chosen &= inside
    rival = np.where(chosen, iou, -1.0)
    taken = chosen.any(0)
    owner[taken] = rival.argmax(0)[taken]
    own = chosen & (owner[None] == np.arange(count)[:, None])
    fit, iou = np.where(own, fit, 0.0), np.where(own, iou, 0.0)
    share = fit * (iou.max(1) / np.maximum(fit.max(1), 1e-12))[:, None]
    weight[taken] = share.max(0)[taken]
    return Assignment(owner, weight)


def ideal_outputs(
    targets: Targets, shape: tuple[int, int], config: Yolo12SegConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw the output of a perfect network, a prototype for each crystal.

    Parameters
    ----------
    targets
        Of one image, with at most as many crystals as the network has prototypes.
    shape
        Height and width of the image, multiples of 32.
    config
        Of the network.

    Returns
    -------
    tuple
        Rows ``(M, row channels)`` and prototypes ``(prototypes, H / 4, W / 4)``; `decode` turns
        them back into the crystals.
    """
    cells = cells_of(shape)
    count, sides = len(targets.boxes), 4 * BINS
    rows = np.zeros((len(cells.stride), config.row_channels), np.float32)
    scores = rows[:, sides : sides + len(config.classes)]
    scores[:] = -SURE_LOGIT
    prototypes = np.zeros(
        (config.prototypes, shape[0] // MASK_STRIDE, shape[1] // MASK_STRIDE), "f4"
    )
    prototypes[:count] = SURE_LOGIT * (targets.masks.astype(np.float32) / 127.5 - 1)
    perfect = np.full((len(cells.stride), len(config.classes)), 1.0)
    owner = assign(perfect, _fitting(targets, cells), cells, targets).owner
    mine = np.flatnonzero(owner >= 0)
    whose = owner[mine]
    own = Cells(cells.centre[mine], cells.stride[mine])
    spread = encode_sides(sides_of(targets.boxes[whose], own))
    rows[mine, :sides] = np.log(np.maximum(spread, 1e-9)).reshape(-1, sides)
    scores[mine, targets.labels[whose]] = SURE_LOGIT
    rows[mine, sides + len(config.classes) + whose] = 1.0
    return rows, prototypes


def _fitting(targets: Targets, cells: Cells) -> NDArray[np.float32]:
    """Return for each cell the box around it whose middle is nearest, px."""
    if not len(targets.boxes):
        return np.zeros((len(cells.stride), 4), np.float32)
    boxes = targets.boxes
    away = np.abs(cells.centre[:, None] - (boxes[None, :, :2] + boxes[None, :, 2:]) / 2)
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    return boxes[(away / half[None]).max(-1).argmin(1)]
