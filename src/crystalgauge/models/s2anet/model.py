"""S2A-Net: Han, Ding, Li and Xia, "Align deep features for oriented object detection", 2021.

Backbone and feature pyramid; a feature alignment module that refines one square anchor per cell
and samples the features anew over it; an oriented detection module on the aligned features.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from crystalgauge.models.s2anet.align_conv import AlignConv
from crystalgauge.models.s2anet.backbones import make_backbone
from crystalgauge.models.s2anet.coder import MOST_LOG_RATIO
from crystalgauge.models.s2anet.config import S2ANetConfig
from crystalgauge.models.s2anet.fpn import FeaturePyramid
from crystalgauge.models.s2anet.heads import AnchorRefinement, OrientedDetection

if TYPE_CHECKING:
    from collections.abc import Sequence


class Detections(NamedTuple):
    """Output for every anchor of a batch, level by level, row by row.

    Parameters
    ----------
    refinement
        ``(B, M, 6)`` score logit and deltas of the square anchors; None outside of training.
    anchors
        ``(B, M, 5)`` refined anchors, without gradient.
    detection
        ``(B, M, 6)`` score logit and deltas of the refined anchors.
    """

    refinement: Tensor | None
    anchors: Tensor
    detection: Tensor


def cell_centres(rows: int, columns: int, stride: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``(1, rows, columns)`` x and y in px of the cells of a level."""
    x = (torch.arange(columns, device=like.device, dtype=torch.float32) + 0.5) * stride
    y = (torch.arange(rows, device=like.device, dtype=torch.float32) + 0.5) * stride
    return x[None, None, :], y[None, :, None]


def refine_squares(deltas: Tensor, stride: int, edge: float) -> Tensor:
    """Return the ``(B, H, W, 5)`` boxes that deltas make of the square anchors of a level.

    Parameters
    ----------
    deltas
        ``(B, 5, H, W)``.
    stride, edge
        Cell size and edge of the anchors, in px.
    """
    rows, columns = deltas.shape[2:]
    x, y = cell_centres(rows, columns, stride, deltas)
    dx, dy, dl, dw, turn = deltas.float().unbind(1)
    return torch.stack(
        [
            x + edge * dx,
            y + edge * dy,
            edge * torch.exp(dl.clamp(-MOST_LOG_RATIO, MOST_LOG_RATIO)),
            edge * torch.exp(dw.clamp(-MOST_LOG_RATIO, MOST_LOG_RATIO)),
            math.pi * turn,
        ],
        -1,
    )


def _rows(*maps: Tensor) -> Tensor:
    """Return ``(B, H * W, C)`` of maps ``(B, C_i, H, W)`` side by side, in single precision."""
    return torch.cat(maps, 1).float().flatten(2).transpose(1, 2)


class S2ANet(nn.Module):
    """The network.

    Parameters
    ----------
    config
        Backbone, widths, anchors.
    """

    def __init__(self, config: S2ANetConfig | None = None) -> None:
        super().__init__()
        self.config = config or S2ANetConfig()
        self.backbone = make_backbone(self.config)
        self.pyramid = FeaturePyramid(
            self.backbone.channels, self.config.channels, self.config.norm
        )
        self.refinement = AnchorRefinement(self.config)
        self.align = AlignConv(self.config.channels)
        self.detection = OrientedDetection(self.config)

    def forward(self, image: Tensor) -> Detections:
        """Look at a batch of images.

        Parameters
        ----------
        image
            ``(B, inputs, H, W)``, H and W multiples of 32.
        """
        levels = self.pyramid(self.backbone(image))
        parts = [
            self._look(x, stride, edge)
            for x, stride, edge in zip(
                levels, self.config.strides, self.config.anchor_edges, strict=True
            )
        ]
        squares = [part[0] for part in parts if part[0] is not None]
        return Detections(
            torch.cat(squares, 1) if squares else None,
            torch.cat([part[1] for part in parts], 1),
            torch.cat([part[2] for part in parts], 1),
        )

    def _look(self, x: Tensor, stride: int, edge: float) -> tuple[Tensor | None, Tensor, Tensor]:
        """Return the rows of one level; those of the square anchors in training alone."""
        deltas = self.refinement.deltas(x)
        first = _rows(self.refinement.score(x), deltas) if self.training else None
        anchors = refine_squares(deltas.detach(), stride, edge)  # (B, H, W, 5)
        score, moves = self.detection(self.align(x, anchors, stride))
        return first, anchors.flatten(1, 2), _rows(score, moves)

    def inference_parts(self) -> tuple[nn.Module, None]:
        """Return what runs in prediction: the network, and no refinement head."""
        return ExportNet(self), None


class ExportNet(nn.Module):
    """The network as exported: one image in, ``(M, 11)`` rows out."""

    def __init__(self, net: S2ANet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor]:
        """Return score logit, deltas and refined anchor of every anchor of the one image."""
        found = self.net(image)
        return (torch.cat([found.detection[0], found.anchors[0]], 1),)


def parameter_count(modules: Sequence[nn.Module]) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for module in modules for p in module.parameters() if p.requires_grad)
