"""Loss of YOLO12 with a segment head.

Class scores: binary cross entropy towards the alignment (Feng et al. 2021, eq. 5). Boxes: complete
IoU (Zheng et al. 2020, arXiv:1911.08287) and distribution focal loss (Li et al. 2020, eq. 6).
Masks: binary cross entropy within the box, per area of it (Bolya et al. 2019, section 3.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from crystalgauge.models.yolo12_seg.cells import LEAST_SHARE, cells_of
from crystalgauge.models.yolo12_seg.config import BINS, MASK_STRIDE
from crystalgauge.models.yolo12_seg.targets import assign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crystalgauge.models.yolo12_seg.model import Yolo12Seg
    from crystalgauge.models.yolo12_seg.targets import Targets

BOX_GAIN, CLASS_GAIN, SPREAD_GAIN, MASK_GAIN = 7.5, 0.5, 1.5, 7.5
"""Weights of the terms, as published for YOLO since its eighth version."""


@dataclass(frozen=True, eq=False)
class TargetBatch:
    """Targets of a batch; they stay where assignment is computed.

    Parameters
    ----------
    each
        Targets of each image.
    """

    each: Sequence[Targets]

    def to(self, device: torch.device) -> TargetBatch:
        """Return the same: what is assigned moves with the loss."""
        return self


@dataclass(frozen=True, eq=False)
class Lesson:
    """What the P cells of a batch that answer for a crystal should say.

    Parameters
    ----------
    picture, cell
        ``(P,)`` image and cell.
    boxes
        ``(P, 4)`` px.
    label
        ``(P,)`` class.
    weight
        ``(P,)`` alignment.
    masks
        ``(P, H / 4, W / 4)`` share of each cell covered, 0 to 1.
    """

    picture: Tensor
    cell: Tensor
    boxes: Tensor
    label: Tensor
    weight: Tensor
    masks: Tensor


class Yolo12SegLoss:
    """The loss of a batch of square images.

    Parameters
    ----------
    window
        Edge of the images, px.
    """

    def __init__(self, window: int) -> None:
        self.cells = cells_of((window, window))
        self.centre = torch.from_numpy(self.cells.centre)
        self.stride = torch.from_numpy(self.cells.stride)

    def to(self, device: torch.device) -> Yolo12SegLoss:
        """Move the cells to a device."""
        self.centre, self.stride = self.centre.to(device), self.stride.to(device)
        return self

    def __call__(self, model: Yolo12Seg, image: Tensor, batch: TargetBatch) -> dict[str, Tensor]:
        """Return the terms, to be summed; ``_iou``, for the log, is the mean overlap of boxes.

        Parameters
        ----------
        model
            In training mode.
        image
            ``(B, inputs, window, window)``.
        batch
            Its targets.
        """
        config = model.config
        rows, prototypes = model(image)
        spread, logits, weights = rows.split([4 * BINS, len(config.classes), config.prototypes], 2)
        spread = spread.reshape(*spread.shape[:2], 4, BINS)
        boxes = self._boxes(spread)
        lesson = self._lesson(logits, boxes, batch)
        at = (lesson.picture, lesson.cell)
        total = lesson.weight.sum().clamp(min=1.0)
        iou, complete = complete_iou(boxes[at], lesson.boxes)
        sides = self._sides(lesson)
        spread_loss = distribution_focal_loss(spread[at], sides).mean(1)
        mask = mask_loss(weights[at], prototypes, lesson)
        return {
            "box": BOX_GAIN * ((1 - complete) * lesson.weight).sum() / total,
            "class": CLASS_GAIN * self._class_loss(logits, lesson, batch) / total,
            "spread": SPREAD_GAIN * (spread_loss * lesson.weight).sum() / total,
            "mask": MASK_GAIN * mask.sum() / max(1, len(mask)),
            "_iou": iou.detach().mean() if len(iou) else torch.tensor(math.nan),
        }

    def _boxes(self, spread: Tensor) -> Tensor:
        """Return the ``(B, M, 4)`` boxes that distributions ``(B, M, 4, bins)`` mean."""
        bins = torch.arange(spread.shape[-1], device=spread.device, dtype=spread.dtype)
        reach = spread.softmax(-1) @ bins * self.stride[:, None]
        return torch.cat([self.centre - reach[..., :2], self.centre + reach[..., 2:]], -1)

    def _lesson(self, logits: Tensor, boxes: Tensor, batch: TargetBatch) -> Lesson:
        """Assign the cells of every image by what the network says now."""
        scores = logits.detach().sigmoid().cpu().numpy()
        said = boxes.detach().cpu().numpy()
        found = [assign(*one) for one in zip(
            scores, said, [self.cells] * len(said), batch.each, strict=True)]  # fmt: skip
        cell = [np.flatnonzero(one.owner >= 0) for one in found]
        whose = [one.owner[rows] for one, rows in zip(found, cell, strict=True)]
        picture = np.repeat(np.arange(len(cell)), [len(rows) for rows in cell])
        parts = list(zip(batch.each, whose, strict=True))

        def moved(values: Sequence[np.ndarray], kind: type) -> Tensor:
            return torch.from_numpy(np.concatenate(values).astype(kind)).to(boxes.device)

        return Lesson(
            torch.from_numpy(picture).to(boxes.device),
            moved(cell, np.int64),
            moved([t.boxes[rows] for t, rows in parts], np.float32),
            moved([t.labels[rows] for t, rows in parts], np.int64),
            moved([one.weight[rows] for one, rows in zip(found, cell, strict=True)], np.float32),
            moved([t.masks[rows] for t, rows in parts], np.float32) / 255,
        )

    def _sides(self, lesson: Lesson) -> Tensor:
        """Return the ``(P, 4)`` distances of the true sides, in cells, held within the bins."""
        centre, stride = self.centre[lesson.cell], self.stride[lesson.cell][:, None]
        low, high = centre - lesson.boxes[:, :2], lesson.boxes[:, 2:] - centre
        return (torch.cat([low, high], 1) / stride).clamp(0, BINS - 1 - LEAST_SHARE)

    def _class_loss(self, logits: Tensor, lesson: Lesson, batch: TargetBatch) -> Tensor:
        wanted = torch.zeros_like(logits)
        wanted[lesson.picture, lesson.cell, lesson.label] = lesson.weight
        quiet = torch.from_numpy(np.stack([t.quiet for t in batch.each])).to(logits.device)
        counts = ~quiet
        counts[lesson.picture, lesson.cell] = True
        each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(2)
        return each[counts].sum()


def complete_iou(said: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``(P,)`` IoU and complete IoU of boxes (Zheng et al. 2020, eqs 7 to 11).

    Parameters
    ----------
    said, true
        ``(P, 4)`` x0, y0, x1, y1.
    """
    size, true_size = said[:, 2:] - said[:, :2], true[:, 2:] - true[:, :2]
    low, high = torch.maximum(said[:, :2], true[:, :2]), torch.minimum(said[:, 2:], true[:, 2:])
    shared = (high - low).clamp(min=0).prod(1)
    iou = shared / (size.prod(1) + true_size.prod(1) - shared).clamp(min=1e-7)
    around = torch.maximum(said[:, 2:], true[:, 2:]) - torch.minimum(said[:, :2], true[:, :2])
    apart = (said[:, :2] + said[:, 2:] - true[:, :2] - true[:, 2:]) / 2
    distance = apart.square().sum(1) / around.square().sum(1).clamp(min=1e-7)
    angle = torch.atan2(true_size[:, 0], true_size[:, 1]) - torch.atan2(size[:, 0], size[:, 1])
    aspect = 4 / math.pi**2 * angle.square()
    with torch.no_grad():
        trade = aspect / (1 - iou + aspect).clamp(min=1e-7)
    return iou, iou - distance - trade * aspect


def distribution_focal_loss(logits: Tensor, sides: Tensor) -> Tensor:
    """Return ``(P, 4)`` cross entropy towards the two bins beside each distance.

    Parameters
    ----------
    logits
        ``(P, 4, bins)``.
    sides
        ``(P, 4)`` distances in cells, below ``bins - 1``.
    """
    low = sides.floor().long()
    share = sides - low
    likely = logits.log_softmax(-1)
    lower = likely.gather(-1, low[..., None])[..., 0]
    upper = likely.gather(-1, low[..., None] + 1)[..., 0]
    return -(lower * (1 - share) + upper * share)


def mask_loss(weights: Tensor, prototypes: Tensor, lesson: Lesson) -> Tensor:
    """Return ``(P,)`` mean cross entropy of each mask over the cells of its box.

    Parameters
    ----------
    weights
        ``(P, prototypes)`` coefficients.
    prototypes
        ``(B, prototypes, H / 4, W / 4)``.
    lesson
        Boxes and masks.
    """
    rows, columns = prototypes.shape[2:]
    y = torch.arange(rows, device=weights.device)[None, :, None] + 0.5
    x = torch.arange(columns, device=weights.device)[None, None, :] + 0.5
    x0, y0, x1, y1 = (lesson.boxes / MASK_STRIDE).unbind(1)
    across = (x > x0[:, None, None] - 0.5) & (x < x1[:, None, None] + 0.5)
    inside = across & (y > y0[:, None, None] - 0.5) & (y < y1[:, None, None] + 0.5)
    flat = [weights[lesson.picture == k] @ prototypes[k].flatten(1) for k in range(len(prototypes))]
    logit = torch.cat(flat).reshape(-1, rows, columns)
    each = F.binary_cross_entropy_with_logits(logit, lesson.masks, reduction="none")
    return (each * inside).sum((1, 2)) / inside.sum((1, 2)).clamp(min=1)
