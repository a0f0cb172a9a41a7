"""ResNet (He et al. 2016): the features C3, C4 and C5 of an image.

Modules carry the customary names (``conv1``, ``layer1.0.conv1``, ...), so that weights saved
under them fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from crystalgauge.models.s2anet.efficientnet import EfficientNetLite0
from crystalgauge.models.s2anet.layers import make_norm

if TYPE_CHECKING:
    from crystalgauge.models.s2anet.config import NormName, S2ANetConfig

DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3)}
"""Blocks of the four stages (He et al. 2016, table 1)."""

STAGES = ("layer1", "layer2", "layer3", "layer4")


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions around a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, norm: NormName) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = make_norm(norm, width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = make_norm(norm, width)
        self.downsample = _projection(inputs, width, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to ``(B, width, H/stride, W/stride)``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(shortcut + self.bn2(self.conv2(x)), inplace=True)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions around a shortcut; the 3 x 3 one strides."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, norm: NormName) -> None:
        super().__init__()
        outputs = self.expansion * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = make_norm(norm, width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = make_norm(norm, width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = make_norm(norm, outputs)
        self.downsample = _projection(inputs, outputs, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to ``(B, 4 width, H/stride, W/stride)``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.relu(self.bn2(self.conv2(x)), inplace=True)
        return F.relu(shortcut + self.bn3(self.conv3(x)), inplace=True)


def _projection(inputs: int, outputs: int, stride: int, norm: NormName) -> nn.Module | None:
    """Return what fits a shortcut to its sum, or None where it fits."""
    if stride == 1 and inputs == outputs:
        return None
    conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
    return nn.Sequential(conv, make_norm(norm, outputs))


class ResNet(nn.Module):
    """ResNet-18 or ResNet-50 without its classifier.

    Parameters
    ----------
    config
        Backbone, width, norm, and whether to pool after the first convolution.
    """

    def __init__(self, config: S2ANetConfig) -> None:
        super().__init__()
        block = BasicBlock if config.backbone == "resnet18" else Bottleneck
        self.first_pool = config.first_pool
        self.conv1 = nn.Conv2d(config.inputs, config.width, 7, 2, 3, bias=False)
        self.bn1 = make_norm(config.norm, config.width)
        inputs, self.channels = config.width, []
        for stage, (name, depth) in enumerate(zip(STAGES, DEPTHS[config.backbone], strict=True)):
            width = config.width * 2**stage
            blocks = []
            for place in range(depth):
                stride = 2 if place == 0 and stage > 0 else 1
                blocks.append(block(inputs, width, stride, config.norm))
                inputs = width * block.expansion
            self.add_module(name, nn.Sequential(*blocks))
            self.channels.append(inputs)
        self.channels = self.channels[1:]  # of C3, C4 and C5
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return C3, C4 and C5: strides 8, 16, 32, or half of them without the first pooling."""
        x = F.relu(self.bn1(self.conv1(image)), inplace=True)
        if self.first_pool:
            x = F.max_pool2d(x, 3, 2, 1)
        features = []
        for name in STAGES:
            x = self.get_submodule(name)(x)
            features.append(x)
        return features[1:]


def make_backbone(config: S2ANetConfig) -> ResNet | EfficientNetLite0:
    """Return the backbone that a configuration names."""
    if config.backbone == "efficientnet-lite0":
        return EfficientNetLite0(config)
    return ResNet(config)
