"""Loss of S2A-Net: focal loss and smooth L1, for the square and for the refined anchors.

Both modules are taught alike (Han et al. 2021, sec. III-D, eq. 6): assignment by overlap, once
with the square anchors and once with those that the network itself refined.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from crystalgauge.metrics import oriented_box_corners, pack_outlines
from crystalgauge.metrics.convex import hull_shared_areas
from crystalgauge.models.s2anet.coder import decode, encode
from crystalgauge.models.s2anet.targets import LEFT_OUT, assign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.models.s2anet.model import S2ANet
    from crystalgauge.models.s2anet.targets import Targets

ALPHA, GAMMA = 0.25, 2.0
"""Of the focal loss (Lin et al. 2017b), as published."""

BETA = 1 / 9
"""Where smooth L1 turns from a square into a line, as published."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What the anchors of a batch are taught; rows are counted over the whole batch.

    Parameters
    ----------
    counts
        ``(B * M,)`` False for anchors that are left out.
    positive
        ``(P,)`` rows of the anchors that answer for a box.
    deltas
        ``(P, 5)`` what they should say.
    """

    counts: Tensor
    positive: Tensor
    deltas: Tensor

    def to(self, device: torch.device) -> Lesson:
        """Move every tensor to a device."""
        return Lesson(**{name: value.to(device) for name, value in vars(self).items()})


@dataclass(frozen=True, eq=False)
class TargetBatch:
    """Targets of a batch.

    Parameters
    ----------
    boxes, ignored
        Boxes of each image; see `Targets`.
    squares
        The lesson of the square anchors.
    """

    boxes: Sequence[NDArray[np.float64]]
    ignored: Sequence[NDArray[np.float64]]
    squares: Lesson

    def to(self, device: torch.device) -> TargetBatch:
        """Move the tensors to a device; the boxes stay where assignment is computed."""
        return replace(self, squares=self.squares.to(device))


def make_lesson(
    anchors: Sequence[NDArray[np.floating]],
    owners: Sequence[NDArray[np.int64]],
    boxes: Sequence[NDArray[np.float64]],
) -> Lesson:
    """Turn an assignment into a lesson.

    Parameters
    ----------
    anchors
        ``(M, 5)`` of each image.
    owners
        ``(M,)`` of each image; see `assign`.
    boxes
        ``(N, 5)`` of each image.
    """
    deltas = [
        encode(a[o >= 0], b[o[o >= 0]]) for a, o, b in zip(anchors, owners, boxes, strict=True)
    ]
    owner = np.concatenate(owners)
    return Lesson(
        torch.from_numpy(owner != LEFT_OUT),
        torch.from_numpy(np.flatnonzero(owner >= 0)),
        torch.from_numpy(np.concatenate(deltas).astype(np.float32)),
    )


def collate_targets(targets: Sequence[Targets], anchors: NDArray[np.floating]) -> TargetBatch:
    """Stack the targets of several images of one size.

    Parameters
    ----------
    targets
        Of the images.
    anchors
        ``(M, 5)`` square anchors of an image of that size.
    """
    boxes = [t.boxes for t in targets]
    squares = make_lesson([anchors] * len(targets), [t.owner for t in targets], boxes)
    return TargetBatch(boxes, [t.ignored for t in targets], squares)


def focal_loss(logit: Tensor, truth: Tensor) -> Tensor:
    """Return the focal loss of each score (Lin et al. 2017b, eq. 5).

    Parameters
    ----------
    logit, truth
        ``(N,)`` logits, and 1 or 0.
    """
    plain = F.binary_cross_entropy_with_logits(logit, truth, reduction="none")
    score = torch.sigmoid(logit)
    missed = truth * (1 - score) + (1 - truth) * score
    weight = truth * ALPHA + (1 - truth) * (1 - ALPHA)
    return weight * missed**GAMMA * plain


class S2ANetLoss:
    """The loss of a batch."""

    def to(self, device: torch.device) -> S2ANetLoss:
        """Return the same loss: it has no constants to move."""
        return self

    def __call__(self, model: S2ANet, image: Tensor, batch: TargetBatch) -> dict[str, Tensor]:
        """Return the terms, to be summed, each a mean over the anchors that answer for a box.

        ``_iou``, for the log, is the mean overlap of the boxes they say with the truth.

        Parameters
        ----------
        model
            In training mode.
        image
            ``(B, inputs, H, W)``.
        batch
            Its targets.
        """
        found = model(image)
        anchors = found.anchors.cpu().numpy().astype(np.float64)  # (B, M, 5)
        with ThreadPoolExecutor() as pool:  # the kernels do not hold the interpreter's lock
            owners = list(pool.map(assign, anchors, batch.boxes, batch.ignored))
        refined = make_lesson(anchors, owners, batch.boxes)
        refine_score, refine_box = _module_terms(found.refinement, batch.squares)
        score, box = _module_terms(found.detection, refined.to(image.device))
        iou = _mean_iou(found.detection, anchors, refined)
        return {
            "refine_score": refine_score, "refine_box": refine_box, "score": score, "box": box,
            "_iou": torch.tensor(iou),
        }  # fmt: skip


def _module_terms(rows: Tensor, lesson: Lesson) -> tuple[Tensor, Tensor]:
    """Return focal loss and smooth L1 of the ``(B, M, 6)`` rows of one module."""
    rows = rows.flatten(0, 1)
    truth = torch.zeros_like(rows[:, 0])
    truth[lesson.positive] = 1.0
    norm = max(1, len(lesson.positive))
    score = focal_loss(rows[:, 0], truth)[lesson.counts].sum() / norm
    said = rows[lesson.positive, 1:]
    box = F.smooth_l1_loss(said, lesson.deltas, beta=BETA, reduction="sum") / norm
    return score, box


def _mean_iou(detection: Tensor, anchors: NDArray[np.float64], lesson: Lesson) -> float:
    """Return the mean overlap of the positive anchors' boxes with their truth."""
    positive = lesson.positive.numpy()
    if not len(positive):
        return float("nan")
    flat = anchors.reshape(-1, 5)[positive]
    said = detection.detach().flatten(0, 1)[lesson.positive.to(detection.device), 1:]
    a = pack_outlines(oriented_box_corners(decode(flat, said.cpu().numpy())))
    b = pack_outlines(oriented_box_corners(decode(flat, lesson.deltas.numpy())))
    rows = np.arange(len(positive))
    shared = hull_shared_areas(a, b, rows, rows)
    return float(np.mean(shared / (a.areas + b.areas - shared)))
