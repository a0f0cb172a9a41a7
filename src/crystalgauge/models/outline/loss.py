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

from crystalgauge.models.outline.config import SHAPE_CHANNELS
from crystalgauge.models.outline.decode import reencode
from crystalgauge.models.outline.frame import FRAME, decode_codes, ray_radii_packed
from crystalgauge.models.outline.sampling import RAY_FRACTIONS, SIZE_CENTRE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.models.outline.model import OutlineModel
    from crystalgauge.models.outline.targets import Targets

MOST_ANSWERS = 8
"""At most this many cells answer for one crystal."""

REFINED_PER_IMAGE = 24
"""Outlines of an image that the refinement learns from in one step."""

LEAST_IOU = 0.3
"""Outlines worse than this teach the refinement nothing about edges."""

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


def symmetric_exponential(h11: Tensor, h12: Tensor, h22: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the matrix exponential, with gradients, limited to sizes that pictures hold."""
    mean = 0.5 * (h11 + h22)
    spread = torch.sqrt((0.5 * (h11 - h22)) ** 2 + h12**2 + 1e-12)
    scale = torch.exp(mean.clamp(-6, 8))
    bounded = spread.clamp(max=6)
    ch, ratio = torch.cosh(bounded), torch.sinh(bounded) / spread
    return (
        scale * (ch + ratio * (h11 - mean)),
        scale * ratio * h12,
        scale * (ch + ratio * (h22 - mean)),
    )


def read_cells(raw: Tensor, grid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Turn raw channels into codes.

    Parameters
    ----------
    raw
        ``(P, channels)``.
    grid
        ``(P, 3)`` x, y and stride of the cells.

    Returns
    -------
    tuple
        ``(P, 5 + K)`` codes in px, ``(P,)`` score logits, ``(P,)`` log1p of the defocus sigma.
    """
    stride = grid[:, 2]
    log_stride = torch.log(stride)
    head = torch.stack(
        [
            grid[:, 0] + raw[:, 1] * stride,
            grid[:, 1] + raw[:, 2] * stride,
            raw[:, 3] + log_stride,
            raw[:, 4],
            raw[:, 5] + log_stride,
        ],
        1,
    )
    codes = torch.cat([head, F.softplus(raw[:, SHAPE_CHANNELS:])], 1)
    return codes, raw[:, 0], raw[:, 6]


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

    def to(self, device: torch.device) -> OutlineLoss:
        """Move the constants to a device."""
        self.grid, self.cosine, self.sine = (
            x.to(device) for x in (self.grid, self.cosine, self.sine)
        )
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
        cell, crystal = self._assign(flat, targets)
        terms, codes, iou = self._outline_terms(flat, cell, crystal, targets)
        terms["score"] = self._score_term(flat[:, 0], cell, iou, targets.quiet)
        if len(cell):
            terms |= self._refine_terms(model, fine, coarse, codes, cell, crystal, targets)
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
    def _assign(self, flat: Tensor, targets: TargetBatch) -> tuple[Tensor, Tensor]:
        """Choose the cells that answer; return cells and their crystals."""
        cell, crystal = targets.pair_cell, targets.pair_crystal
        if not len(cell):
            return cell, crystal
        codes, logit, _ = read_cells(flat[cell], self.grid[cell % len(self.grid)])
        truth = targets.codes[crystal]
        iou = self._polar_iou(*self._whitened(codes, truth), truth[:, FRAME:])
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

    def _refine_terms(
        self,
        model: OutlineModel,
        fine: Tensor,
        coarse: Tensor,
        codes: Tensor,
        cell: Tensor,
        crystal: Tensor,
        targets: TargetBatch,
    ) -> dict[str, Tensor]:
        """Return the terms of two refinement rounds, the second on the first one's outlines."""
        rows = self._refined_rows(targets.picture[crystal], crystal)
        picture = targets.picture[crystal[rows]]
        truth = targets.codes[crystal[rows]].cpu().numpy().astype(np.float64)
        current = codes[rows].detach().cpu().numpy().astype(np.float64)
        polygons = decode_codes(truth)
        sums: dict[str, Tensor] = {}
        for round_ in range(2):
            wanted, good, before = _true_radii(current, polygons)
            if good.sum() < 2:  # batch norm needs two
                break
            current, polygons, wanted = current[good], polygons[good], wanted[good]
            picture = picture[torch.from_numpy(good).to(picture.device)]
            start = torch.from_numpy(current.astype(np.float32)).to(fine.device)
            step, verdict = model.refine(self.sample(fine, coarse, start, picture))
            true_r = torch.from_numpy(wanted.astype(np.float32)).to(fine.device)
            new_r = start[:, FRAME:] * torch.exp(step.float())
            iou = torch.minimum(new_r, true_r).square().sum(1) / torch.maximum(
                new_r, true_r
            ).square().sum(1)
            log_step = torch.log(true_r / start[:, FRAME:]).clamp(-1, 1)
            ratio = 0.5 * torch.log(new_r.square().sum(1) / true_r.square().sum(1)).detach()
            scale = verdict[:, 1].float()
            terms = {
                "refine_iou": 1 - iou.mean(),
                "refine_step": F.smooth_l1_loss(step.float(), log_step, beta=0.03),
                "refine_quality": F.binary_cross_entropy_with_logits(
                    verdict[:, 0].float(), iou.detach()
                ),
                # Laplace likelihood: the scale becomes the mean absolute error
                "refine_scale": (ratio.abs().clamp(max=0.5) * torch.exp(-scale) + scale).mean(),
                f"_refined{round_}": iou.mean().detach(),
                "_before": torch.tensor(float(before[good].mean()), device=fine.device),
            }
            for key, value in terms.items():
                share = 1.0 if key.startswith("_refined") else 0.5
                sums[key] = sums.get(key, torch.zeros((), device=fine.device)) + share * value
            moved = current.copy()
            moved[:, FRAME:] = new_r.detach().cpu().numpy()
            current = reencode(moved)
        return sums

    @staticmethod
    def _refined_rows(picture: Tensor, crystal: Tensor) -> Tensor:
        """Choose at most `REFINED_PER_IMAGE` rows of every image, different crystals first."""
        order = torch.randperm(len(picture), device=picture.device)
        order = order[torch.argsort(crystal[order], stable=True)]
        owner = crystal[order]
        again = torch.arange(len(owner), device=picture.device) - torch.searchsorted(owner, owner)
        shuffled = torch.randperm(len(order), device=picture.device)
        order, again = order[shuffled], again[shuffled]
        order = order[torch.argsort(again, stable=True)]
        order = order[torch.argsort(picture[order], stable=True)]
        where = picture[order]
        rank = torch.arange(len(where), device=picture.device) - torch.searchsorted(where, where)
        return order[rank < REFINED_PER_IMAGE]

    def sample(self, fine: Tensor, coarse: Tensor, codes: Tensor, picture: Tensor) -> Tensor:
        """Sample features along rays; the torch twin of `sampling.sample_rays`.

        Parameters
        ----------
        fine, coarse
            ``(B, C, H/2, W/2)`` and ``(B, C, H/4, W/4)``.
        codes
            ``(N, 5 + K)`` sorted by picture.
        picture
            ``(N,)`` image of each outline.

        Returns
        -------
        Tensor
            ``(N, inputs, K)``.
        """
        w11, w12, w22 = symmetric_exponential(codes[:, 2], codes[:, 3], codes[:, 4])
        radii = codes[:, FRAME:]
        vx = radii * (w11[:, None] * self.cosine + w12[:, None] * self.sine)  # (N, K)
        vy = radii * (w12[:, None] * self.cosine + w22[:, None] * self.sine)
        spots = torch.tensor(RAY_FRACTIONS, device=codes.device)
        px = codes[:, 0, None, None] + vx[:, :, None] * spots  # (N, K, J)
        py = codes[:, 1, None, None] + vy[:, :, None] * spots
        size = (2.0 * coarse.shape[3] * 2, 2.0 * coarse.shape[2] * 2)  # of the image, in px
        points = torch.stack([2 * px / size[0] - 1, 2 * py / size[1] - 1], -1)  # (N, K, J, 2)
        first = torch.searchsorted(picture, picture)
        slot = torch.arange(len(picture), device=picture.device) - first
        most = int(slot.max()) + 1
        padded = points.new_zeros(fine.shape[0], most, *points.shape[1:])
        padded[picture, slot] = points
        grid = padded.flatten(1, 2)  # (B, most * K, J, 2)
        parts = []
        for feature in (fine, coarse):
            got = F.grid_sample(feature.float(), grid, padding_mode="border", align_corners=False)
            got = got.reshape(*got.shape[:2], most, self.vertices, -1)[
                picture, :, slot
            ]  # (N, C, K, J)
            parts.append(got.transpose(2, 3).flatten(1, 2))  # (N, C * J, K)
        mean = 0.5 * (codes[:, 2] + codes[:, 4])
        long = torch.hypot(0.5 * (codes[:, 2] - codes[:, 4]), codes[:, 3])
        ray = torch.log(torch.hypot(vx, vy).clamp(min=1e-3))
        context = torch.stack(
            [
                radii - 1.9,
                (mean - SIZE_CENTRE)[:, None].expand_as(radii),
                long[:, None].expand_as(radii),
                ray - SIZE_CENTRE,
            ],
            1,
        )
        return torch.cat([*parts, context], 1)


def _true_radii(
    codes: NDArray[np.float64], polygons: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Return true radii along the rays of codes, which rows can learn, and their IoU now."""
    radii, complete = ray_radii_packed(codes, polygons)
    mine = codes[:, FRAME:]
    iou = (np.minimum(radii, mine) ** 2).sum(1) / (np.maximum(radii, mine) ** 2).sum(1)
    return radii, complete & (iou > LEAST_IOU), iou
