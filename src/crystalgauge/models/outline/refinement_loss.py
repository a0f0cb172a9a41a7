"""Loss of the refinement head: radii along rays, the quality of the outline and its size error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from crystalgauge.models.outline.code_tensors import symmetric_exponential
from crystalgauge.models.outline.decode import reencode
from crystalgauge.models.outline.frame import FRAME, decode_codes, ray_radii_packed
from crystalgauge.models.outline.sampling import RAY_FRACTIONS, SIZE_CENTRE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.models.outline.loss import TargetBatch
    from crystalgauge.models.outline.model import OutlineModel

REFINED_PER_IMAGE = 24
"""Outlines of an image that the refinement learns from in one step."""

LEAST_IOU = 0.3
"""Outlines worse than this teach the refinement nothing about edges."""


@dataclass(frozen=True, eq=False)
class Others:
    """Outlines that answer for no crystal, but would be shown.

    Without them the refinement's verdict knows good outlines alone and can reject nothing.

    Parameters
    ----------
    codes
        ``(Q, 5 + K)``, without gradients.
    picture
        ``(Q,)`` image of each.
    quality
        ``(Q,)`` the largest IoU each reaches with a crystal that it might have answered for.
    """

    codes: Tensor
    picture: Tensor
    quality: Tensor


class RefinementLoss:
    """The terms that teach the refinement head.

    Parameters
    ----------
    vertices
        K.
    """

    def __init__(self, vertices: int) -> None:
        angle = torch.arange(vertices) * (2 * math.pi / vertices)
        self.cosine, self.sine = torch.cos(angle), torch.sin(angle)
        self.vertices = vertices

    def to(self, device: torch.device) -> RefinementLoss:
        """Move the constants to a device."""
        self.cosine, self.sine = self.cosine.to(device), self.sine.to(device)
        return self

    def __call__(
        self,
        model: OutlineModel,
        fine: Tensor,
        coarse: Tensor,
        codes: Tensor,
        crystal: Tensor,
        targets: TargetBatch,
        others: Others,
    ) -> dict[str, Tensor]:
        """Return the unweighted terms of two rounds, the second on the first one's outlines.

        Parameters
        ----------
        model
            Network and refinement head.
        fine, coarse
            ``(B, C, H/2, W/2)`` and ``(B, C, H/4, W/4)`` features.
        codes
            ``(P, 5 + K)`` of the cells that answer.
        crystal
            ``(P,)`` the crystals they answer for.
        targets
            Of the same images.
        others
            Outlines that answer for no crystal; of them the quality alone is learnt.
        """
        rows = self._refined_rows(targets.picture[crystal], crystal)
        truth = targets.codes[crystal[rows]].cpu().numpy().astype(np.float64)
        picture = torch.cat([targets.picture[crystal[rows]], others.picture])
        current = torch.cat([codes[rows].detach(), others.codes]).cpu().numpy().astype(np.float64)
        quality = torch.cat([others.quality.new_zeros(len(rows)), others.quality])
        is_true = np.arange(len(current)) < len(rows)
        order = torch.argsort(picture, stable=True)
        picture, quality = picture[order], quality[order]
        current, is_true = current[order.cpu().numpy()], is_true[order.cpu().numpy()]
        polygons = decode_codes(truth)
        sums: dict[str, Tensor] = {}
        for round_ in range(2):
            wanted, good, before = _true_radii(current[is_true], polygons)
            keep = np.ones(len(current), bool)
            keep[np.flatnonzero(is_true)[~good]] = False
            if good.sum() < 2:  # batch norm needs two
                break
            current, is_true = current[keep], is_true[keep]
            polygons, wanted = polygons[good], wanted[good]
            kept = torch.from_numpy(keep).to(picture.device)
            picture, quality = picture[kept], quality[kept]
            start = torch.from_numpy(current.astype(np.float32)).to(fine.device)
            step, verdict = model.refine(self.sample(fine, coarse, start, picture))
            true = torch.from_numpy(np.flatnonzero(is_true)).to(fine.device)
            false = torch.from_numpy(np.flatnonzero(~is_true)).to(fine.device)
            true_r = torch.from_numpy(wanted.astype(np.float32)).to(fine.device)
            all_r = start[:, FRAME:] * torch.exp(step.float())
            new_r = all_r[true]
            iou = torch.minimum(new_r, true_r).square().sum(1) / torch.maximum(
                new_r, true_r
            ).square().sum(1)
            log_step = torch.log(true_r / start[true, FRAME:]).clamp(-1, 1)
            ratio = 0.5 * torch.log(new_r.square().sum(1) / true_r.square().sum(1)).detach()
            scale = verdict[true, 1].float()
            terms = {
                "refine_iou": 1 - iou.mean(),
                "refine_step": F.smooth_l1_loss(step[true].float(), log_step, beta=0.03),
                "refine_quality": F.binary_cross_entropy_with_logits(
                    verdict[:, 0].float(), quality.index_copy(0, true, iou.detach())
                ),
                # Laplace likelihood: the scale becomes the mean absolute error
                "refine_scale": (ratio.abs().clamp(max=0.5) * torch.exp(-scale) + scale).mean(),
                f"_refined{round_}": iou.mean().detach(),
                "_before": torch.tensor(float(before[good].mean()), device=fine.device),
                "_others": verdict[false, 0].sigmoid().mean().detach(),
            }
            for key, value in terms.items():
                share = 1.0 if key.startswith("_refined") else 0.5
                sums[key] = sums.get(key, torch.zeros((), device=fine.device)) + share * value
            moved = current.copy()
            moved[:, FRAME:] = all_r.detach().cpu().numpy()
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
