"""EfficientNet-Lite0: inverted bottlenecks with ReLU6 and without squeeze and excitation.

Blocks are those of EfficientNet-B0 (Tan and Le 2019, table 1). Convolutions pad as TensorFlow's
"SAME" does for even sizes, as in the original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from crystalgauge.models.s2anet.layers import make_norm

if TYPE_CHECKING:
    from crystalgauge.models.s2anet.config import NormName, S2ANetConfig

STEM = 32

STAGES = (
    # kernel, stride, expansion, channels, blocks
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)

FIRST_POOL_STAGE = 1
"""The stage whose stride stands for the pooling after a ResNet's first convolution."""

LEVEL_STAGES = (2, 4, 6)
"""Stages whose outputs are C3, C4 and C5."""

EPSILON = 1e-3
"""Of the published batch norms."""


class PaddedConv(nn.Sequential):
    """Convolution without bias, padded so that even sizes are halved without a remainder."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        super().__init__(
            nn.ZeroPad2d((before, after, before, after)),
            nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False),
        )


def _norm(kind: NormName, channels: int) -> nn.Module:
    norm = make_norm(kind, channels)
    if isinstance(norm, nn.BatchNorm2d):
        norm.eps, norm.momentum = EPSILON, 0.01
    return norm


class InvertedBottleneck(nn.Module):
    """Expand, filter each channel, project; a shortcut where shapes agree."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int, norm: NormName
    ) -> None:
        super().__init__()
        width = inputs * expansion
        self.shortcut = stride == 1 and inputs == outputs
        self.expand: nn.Module = nn.Identity()
        if expansion > 1:
            self.expand = nn.Sequential(
                PaddedConv(inputs, width, 1), _norm(norm, width), nn.ReLU6(inplace=True)
            )
        self.depthwise = nn.Sequential(
            PaddedConv(width, width, kernel, stride, groups=width),
            _norm(norm, width),
            nn.ReLU6(inplace=True),
        )
        self.project = nn.Sequential(PaddedConv(width, outputs, 1), _norm(norm, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, H, W)`` to ``(B, outputs, H/stride, W/stride)``."""
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.shortcut else y


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 without its classifier.

    Parameters
    ----------
    config
        Inputs, norm, and whether the second reduction takes place (`first_pool`).
    """

    def __init__(self, config: S2ANetConfig) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            PaddedConv(config.inputs, STEM, 3, 2), _norm(config.norm, STEM), nn.ReLU6(inplace=True)
        )
        self.stages = nn.ModuleList()
        inputs = STEM
        for number, (kernel, stride, expansion, channels, depth) in enumerate(STAGES):
            if number == FIRST_POOL_STAGE and not config.first_pool:
                stride = 1
            blocks = []
            for place in range(depth):
                step = stride if place == 0 else 1
                blocks.append(
                    InvertedBottleneck(inputs, channels, kernel, step, expansion, config.norm)
                )
                inputs = channels
            self.stages.append(nn.Sequential(*blocks))
        self.channels = [STAGES[stage][3] for stage in LEVEL_STAGES]
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return C3, C4 and C5: strides 8, 16, 32, or half of them without `first_pool`."""
        x, features = self.stem(image), []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in LEVEL_STAGES:
                features.append(x)
        return features
