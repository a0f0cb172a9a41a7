"""YOLO12 with a segment head.

Backbone and pyramid: Tian, Ye and Doermann 2025 (arXiv:2502.12524). Head: a distribution for each
side of the box (Li et al. 2020, arXiv:2006.04388), class logits, and masks as sums of prototypes
(Bolya et al. 2019, arXiv:1904.02689).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from crystalgauge.models.yolo12_seg.config import BINS, Yolo12SegConfig
from crystalgauge.models.yolo12_seg.layers import (
    Aggregation,
    Bottleneck,
    CrossStage,
    ResidualElan,
    conv,
    depthwise,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PRIOR = 0.01
"""Score of every class before any training."""

MOST_CLASS_CHANNELS = 100
"""The class branch needs no more channels than this, whatever the number of classes."""


class Backbone(nn.Module):
    """Features of strides 8, 16 and 32."""

    def __init__(self, config: Yolo12SegConfig) -> None:
        super().__init__()
        c, n = config.channels, config.repeats
        self.fine = nn.Sequential(
            conv(config.inputs, c(64), 3, 2),
            conv(c(64), c(128), 3, 2, groups=2),
            _bottlenecks(c(128), c(256), n(2)),
            conv(c(256), c(256), 3, 2, groups=4),
            _bottlenecks(c(256), c(512), n(2)),
        )
        self.middle = nn.Sequential(
            conv(c(512), c(512), 3, 2), ResidualElan(c(512), c(512), n(4), areas=4)
        )
        self.coarse = nn.Sequential(
            conv(c(512), c(1024), 3, 2), ResidualElan(c(1024), c(1024), n(4), areas=1)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map ``(B, inputs, H, W)`` to maps of strides 8, 16 and 32."""
        fine = self.fine(image)
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


def _bottlenecks(inputs: int, outputs: int, repeats: int) -> Aggregation:
    hidden = outputs // 4
    return Aggregation(
        inputs, outputs, hidden, [Bottleneck(hidden, hidden // 2) for _ in range(repeats)]
    )


class Pyramid(nn.Module):
    """Features from coarse to fine and back, joined at each level."""

    def __init__(self, config: Yolo12SegConfig) -> None:
        super().__init__()
        c, n = config.channels, config.repeats
        self.channels = (c(256), c(512), c(1024))
        self.down_middle = ResidualElan(c(1024) + c(512), c(512), n(2), areas=None)
        self.down_fine = ResidualElan(c(512) + c(512), c(256), n(2), areas=None)
        self.to_middle = conv(c(256), c(256), 3, 2)
        self.up_middle = ResidualElan(c(256) + c(512), c(512), n(2), areas=None)
        self.to_coarse = conv(c(512), c(512), 3, 2)
        half = c(1024) // 2
        self.up_coarse = Aggregation(
            c(512) + c(1024), c(1024), half, [CrossStage(half) for _ in range(n(2))]
        )

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> list[Tensor]:
        """Map the backbone's features to those that the head reads."""
        m = self.down_middle(torch.cat([_doubled(coarse), middle], 1))
        f = self.down_fine(torch.cat([_doubled(m), fine], 1))
        m = self.up_middle(torch.cat([self.to_middle(f), m], 1))
        return [f, m, self.up_coarse(torch.cat([self.to_coarse(m), coarse], 1))]


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Level(nn.Module):
    """What the head says of one level: sides, classes, coefficients."""

    def __init__(self, inputs: int, finest: int, config: Yolo12SegConfig) -> None:
        super().__init__()
        classes = len(config.classes)
        sides = max(16, finest // 4, 4 * BINS)
        marks = max(finest, min(classes, MOST_CLASS_CHANNELS))
        weights = max(finest // 4, config.prototypes)
        self.sides = nn.Sequential(
            conv(inputs, sides, 3), conv(sides, sides, 3), nn.Conv2d(sides, 4 * BINS, 1)
        )
        self.score = nn.Sequential(
            depthwise(inputs, 3), conv(inputs, marks), depthwise(marks, 3), conv(marks, marks),
            nn.Conv2d(marks, classes, 1),
        )  # fmt: skip
        self.coefficients = nn.Sequential(
            conv(inputs, weights, 3), conv(weights, weights, 3),
            nn.Conv2d(weights, config.prototypes, 1),
        )  # fmt: skip
        last = self.score[-1].bias
        assert isinstance(last, nn.Parameter)
        nn.init.constant_(last, -math.log((1 - PRIOR) / PRIOR))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to rows ``(B, H * W, row channels)``."""
        maps = torch.cat([self.sides(x), self.score(x), self.coefficients(x)], 1)
        return maps.flatten(2).transpose(1, 2)


class Yolo12Seg(nn.Module):
    """The network.

    Parameters
    ----------
    config
        Size and classes.
    """

    def __init__(self, config: Yolo12SegConfig | None = None) -> None:
        super().__init__()
        self.config = config or Yolo12SegConfig()
        self.backbone = Backbone(self.config)
        self.pyramid = Pyramid(self.config)
        finest, width = self.pyramid.channels[0], self.config.channels(256)
        self.levels = nn.ModuleList(
            Level(channels, finest, self.config) for channels in self.pyramid.channels
        )
        self.prototypes = nn.Sequential(
            conv(finest, width, 3),
            nn.ConvTranspose2d(width, width, 2, 2),
            conv(width, width, 3),
            conv(width, self.config.prototypes),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Look at a batch of images.

        Parameters
        ----------
        image
            ``(B, inputs, H, W)``, H and W multiples of 32.

        Returns
        -------
        tuple
            Rows ``(B, M, row channels)``, level by level, and prototypes
            ``(B, prototypes, H / 4, W / 4)``.
        """
        maps = self.pyramid(*self.backbone(image))
        rows = [level(x) for level, x in zip(self.levels, maps, strict=True)]
        return torch.cat(rows, 1).float(), self.prototypes(maps[0]).float()

    def inference_parts(self) -> tuple[nn.Module, None]:
        """Return what runs in prediction: the network, and no refinement head."""
        return ExportNet(self), None


class ExportNet(nn.Module):
    """The network as exported: one image in, its rows and prototypes out."""

    def __init__(self, net: Yolo12Seg) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``(M, row channels)`` and ``(prototypes, H / 4, W / 4)`` of the one image."""
        rows, prototypes = self.net(image)
        return rows[0], prototypes[0]


def parameter_count(modules: Sequence[nn.Module]) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for module in modules for p in module.parameters() if p.requires_grad)
