"""Loss of the outline model: dynamic assignment, quality focal score, outline terms, refinement.

Assignment follows OTA's simplified form (arXiv:2107.08430, sec. 2.1): of the cells that may answer
for a crystal, as many are chosen as its outlines already overlap the truth, the best first. Where
crystals overlap, a cell answers for the one it fits best. The score learns the outline's IoU
(quality focal loss, arXiv:2006.04388, eq. 6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from crystalgauge.models.outline.code_tensors import read_cells, symmetric_exponential
from crystalgauge.models.outline.frame import FRAME
from crystalgauge.models.outline.refinement_loss import Others, RefinementLoss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.models.outline.model import OutlineModel
    from crystalgauge.models.outline.targets import Targets

MOST_ANSWERS = 8
"""At most this many cells answer for one crystal."""

OTHERS_PER_IMAGE = 12
"""Outlines of an image, besides, that answer for no crystal; the verdict learns to reject them."""

LEAST_SHOWN = 0.12
"""Cells that score less are hardly ever shown."""

FITTING = 0.5
"""Outlines that fit a crystal so well are duplicates and no mistakes."""

WEIGHTS = {
    "score": 2.0, "iou": 2.0, "vertex": 1.0, "centre": 0.5, "frame": 1.0, "radii": 1.0,
    "defocus": 0.8, "refine_iou": 2.0, "refine_step": 2.0, "refine_quality": 0.5,
    "refine_scale": 0.05,
}  # fmt: skip
"""Weights of the terms; those of the first seven are the prototype's."""


@dataclass(frozen=True, eq=False)
class TargetBatch:
    """Targets of a batch as tensors; cells are counted over the whole batch."""

    codes: Tensor  # (N, 5 + K)
    defocus: Tensor  # (N,)
    picture: Tensor  # (N,) image of each crystal
    pair_cell: Tensor  # (P,)
    pair_crystal: Tensor  # (P,)
    pair_distance: Tensor  # (P,)
    quiet: Tensor  # (B * M,)

    def to(self, device: torch.device) -> TargetBatch:
        """Move every tensor to a device."""
        return TargetBatch(**{k: v.to(device) for k, v in vars(self).items()})


def collate_targets(targets: Sequence[Targets]) -> TargetBatch:
    """Stack the targets of several images of one size."""
    cells = len(targets[0].quiet)
    starts = np.cumsum([0] + [len(t.codes) for t in targets])
    stack = np.concatenate
    return TargetBatch(
        torch.from_numpy(stack([t.codes for t in targets]).astype(np.float32)),
        torch.from_numpy(stack([t.defocus_px for t in targets]).astype(np.float32)),
        torch.from_numpy(np.repeat(np.arange(len(targets)), np.diff(starts))),
        torch.from_numpy(stack([t.candidate_cell + i * cells for i, t in enumerate(targets)])),
        torch.from_numpy(stack([t.candidate_crystal + starts[i] for i, t in enumerate(targets)])),
        torch.from_numpy(stack([t.candidate_distance for t in targets]).astype(np.float32)),
        torch.from_numpy(stack([t.quiet for t in targets])),
    )


class OutlineLoss:
    """The loss of a batch.

    Parameters
    ----------
    grid
        ``(M, 3)`` cells of one image (`targets.cell_grid`).
    vertices
        K.
    """

    def __init__(self, grid: NDArray[np.float32], vertices: int) -> None:
        self.grid = torch.from_numpy(grid)
        angle = torch.arange(vertices) * (2 * math.pi / vertices)
        self.cosine, self.sine = torch.cos(angle), torch.sin(angle)
        self.vertices = vertices
        self.refinement = RefinementLoss(vertices)

    def to(self, device: torch.device) -> OutlineLoss:
        """Move the constants to a device."""
        self.grid, self.cosine, self.sine = (
            x.to(device) for x in (self.grid, self.cosine, self.sine)
        )
        self.refinement.to(device)
        return self

    def __call__(
        self, model: OutlineModel, image: Tensor, targets: TargetBatch
    ) -> dict[str, Tensor]:
        """Return the weighted terms, to be summed, and ``_iou``-like figures for the log.

        Parameters
        ----------
        model
            Network and refinement head.
        image
            ``(B, inputs, H, W)``.
        targets
            Of the same images.
        """
        maps, fine, coarse = model(image)
        raw = torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1).float()  # (B, M, C)
        flat = raw.flatten(0, 1)  # (B * M, C)
        pair_iou = self._pair_iou(flat, targets)
        cell, crystal = self._assign(flat, targets, pair_iou)
        terms, codes, iou = self._outline_terms(flat, cell, crystal, targets)
        terms["score"] = self._score_term(flat[:, 0], cell, iou, targets.quiet)
        if len(cell):
            others = self._others(flat, cell, targets, pair_iou)
            terms |= self.refinement(model, fine, coarse, codes, crystal, targets, others)
        weighted = {k: v * WEIGHTS[k] for k, v in terms.items() if k in WEIGHTS}
        figures = {k: v for k, v in terms.items() if k not in WEIGHTS}
        return weighted | figures

    def _vertices(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``(P, K)`` x and y of outlines."""
        w11, w12, w22 = symmetric_exponential(codes[:, 2], codes[:, 3], codes[:, 4])
        x, y = codes[:, FRAME:] * self.cosine, codes[:, FRAME:] * self.sine
        return (
            codes[:, 0:1] + w11[:, None] * x + w12[:, None] * y,
            codes[:, 1:2] + w12[:, None] * x + w22[:, None] * y,
        )

    def _whitened(self, codes: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Return the vertices of predicted codes in the frames of the truth."""
        x, y = self._vertices(codes)
        i11, i12, i22 = symmetric_exponential(-truth[:, 2], -truth[:, 3], -truth[:, 4])
        dx, dy = x - truth[:, 0:1], y - truth[:, 1:2]
        return i11[:, None] * dx + i12[:, None] * dy, i12[:, None] * dx + i22[:, None] * dy

    def _polar_iou(self, x: Tensor, y: Tensor, radii: Tensor) -> Tensor:
        """Return the IoU of outlines with the truth, sector by sector (PolarMask, eq. 8).

        Parameters
        ----------
        x, y
            ``(P, K)`` predicted vertices in the truth's whitened frame.
        radii
            ``(P, K)`` true radii in that frame.
        """
        step = 2 * math.pi / self.vertices
        angle = torch.atan2(y, x)
        rho = torch.sqrt(x * x + y * y + 1e-9)
        at = torch.remainder(angle.detach() / step, self.vertices)
        low = at.long() % self.vertices
        part = at - at.floor()
        r0, r1 = radii.gather(1, low), radii.gather(1, (low + 1) % self.vertices)
        # radius of the true edge between two of its vertices, along the predicted direction
        chord = math.sin(step) * r0 * r1
        chord = chord / (torch.sin(part * step) * r0 + torch.sin((1 - part) * step) * r1).clamp(
            min=1e-4
        )
        width = torch.roll(angle, -1, 1) - torch.roll(angle, 1, 1)
        width = (torch.remainder(width + math.pi, 2 * math.pi) - math.pi).clamp(min=0).detach()
        low_r, high_r = torch.minimum(rho, chord), torch.maximum(rho, chord)
        return (low_r**2 * width).sum(1) / (high_r**2 * width).sum(1).clamp(min=1e-6)

    @torch.no_grad()
    def _pair_iou(self, flat: Tensor, targets: TargetBatch) -> Tensor:
        """Return ``(P,)`` the IoU of each candidate cell's outline with its crystal."""
        cell, truth = targets.pair_cell, targets.codes[targets.pair_crystal]
        if not len(cell):
            return flat.new_zeros(0)
        codes, _, _ = read_cells(flat[cell], self.grid[cell % len(self.grid)])
        return self._polar_iou(*self._whitened(codes, truth), truth[:, FRAME:])

    @torch.no_grad()
    def _others(self, flat: Tensor, cell: Tensor, targets: TargetBatch, pair_iou: Tensor) -> Others:
        """Draw cells that answer for no crystal and fit none, but would be shown."""
        best = flat.new_zeros(len(flat)).scatter_reduce_(0, targets.pair_cell, pair_iou, "amax")
        judged = ~targets.quiet  # by the score; of quiet cells the candidates' fit is known
        judged[targets.pair_cell] = True
        judged[cell] = False
        shown = (torch.sigmoid(flat[:, 0]) > LEAST_SHOWN) & judged & (best < FITTING)
        lot = torch.rand(len(flat), device=flat.device) * shown
        lot = lot.reshape(-1, len(self.grid))  # (B, M)
        drawn, where = lot.topk(min(OTHERS_PER_IMAGE, lot.shape[1]), dim=1)
        first = torch.arange(len(lot), device=flat.device)[:, None] * len(self.grid)
        rows = (where + first)[drawn > 0]
        codes, _, _ = read_cells(flat[rows], self.grid[rows % len(self.grid)])
        return Others(codes, rows // len(self.grid), best[rows])

    @torch.no_grad()
    def _assign(self, flat: Tensor, targets: TargetBatch, iou: Tensor) -> tuple[Tensor, Tensor]:
        """Choose the cells that answer; return cells and their crystals."""
        cell, crystal = targets.pair_cell, targets.pair_crystal
        if not len(cell):
            return cell, crystal
        logit = flat[cell, 0]
        prior = torch.exp(-2 * targets.pair_distance**2)
        fit = prior * (0.05 + iou) ** 2 * (0.05 + torch.sigmoid(logit)) ** 0.5
        count = torch.zeros(len(targets.codes), device=flat.device).index_add_(0, crystal, iou)
        wanted = count.long().clamp(1, MOST_ANSWERS)
        order = torch.argsort(fit, descending=True)
        order = order[torch.argsort(crystal[order], stable=True)]
        owner = crystal[order]
        first = torch.searchsorted(owner, owner)
        rank = torch.arange(len(owner), device=flat.device) - first
        chosen = order[rank < wanted[owner]]
        # a cell that several crystals chose answers for the one it fits best
        chosen = chosen[torch.argsort(fit[chosen], descending=True)]
        chosen = chosen[torch.argsort(cell[chosen], stable=True)]
        taken = cell[chosen]
        single = torch.ones_like(taken, dtype=torch.bool)
        single[1:] = taken[1:] != taken[:-1]
        chosen = chosen[single]
        return cell[chosen], crystal[chosen]

    def _outline_terms(
        self, flat: Tensor, cell: Tensor, crystal: Tensor, targets: TargetBatch
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Return the terms of the one-pass outlines, their codes and IoUs."""
        codes, _, blur = read_cells(flat[cell], self.grid[cell % len(self.grid)])
        truth = targets.codes[crystal]
        if not len(cell):
            return {}, codes, flat.new_zeros(0)
        answers = torch.bincount(crystal, minlength=len(targets.codes))
        weight = answers[crystal].float() ** -0.5  # crystals, not cells, are what counts
        weight = weight / weight.sum()
        x, y = self._whitened(codes, truth)
        radii = truth[:, FRAME:]
        iou = self._polar_iou(x, y, radii)

        def near(value: Tensor, wanted: Tensor) -> Tensor:
            return F.smooth_l1_loss(value, wanted, reduction="none", beta=0.1)

        vertex = (near(x, radii * self.cosine) + near(y, radii * self.sine)).mean(1)
        i11, i12, i22 = symmetric_exponential(-truth[:, 2], -truth[:, 3], -truth[:, 4])
        dx, dy = codes[:, 0] - truth[:, 0], codes[:, 1] - truth[:, 1]
        zero = torch.zeros_like(dx)
        centre = near(i11 * dx + i12 * dy, zero) + near(i12 * dx + i22 * dy, zero)
        log_frame = near(codes[:, 2:5], truth[:, 2:5])
        sigma = targets.defocus[crystal]
        known = torch.isfinite(sigma)
        sigma = torch.where(known, sigma, torch.zeros_like(sigma))
        # strong blur is rare and log1p flattens it: give it the weight it lacks
        defocus = near(blur, torch.log1p(sigma)) * known * (0.5 + 0.5 * sigma).clamp(max=3)
        terms = {
            "iou": ((1 - iou) * weight).sum(),
            "vertex": (vertex * weight).sum(),
            "centre": (centre.clamp(max=4) * weight).sum(),
            "frame": ((log_frame[:, 0] + 2 * log_frame[:, 1] + log_frame[:, 2]) * weight).sum(),
            "radii": (near(codes[:, FRAME:], radii).mean(1) * weight).sum(),
            "defocus": (defocus * weight).sum(),
            "_iou": (iou * weight).sum().detach(),
        }
        return terms, codes, iou

    def _score_term(self, logit: Tensor, cell: Tensor, iou: Tensor, quiet: Tensor) -> Tensor:
        """Return the quality focal loss of all cells that count."""
        quality = torch.zeros_like(logit)
        quality[cell] = iou.detach().clamp(0.1, 1.0)
        counts = ~quiet
        counts[cell] = True
        miss = (quality - torch.sigmoid(logit.detach())).abs() ** 2
        term = F.binary_cross_entropy_with_logits(logit, quality, reduction="none") * miss
        return (term * counts).sum() / max(1, len(cell))
