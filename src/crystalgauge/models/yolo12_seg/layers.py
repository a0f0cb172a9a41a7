"""Blocks of YOLO12: convolutions, cross-stage bottlenecks, area attention, R-ELAN.

Tian, Ye and Doermann, "YOLOv12: attention-centric real-time object detectors", 2025
(arXiv:2502.12524), section 3; bottlenecks as in its predecessors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_CHANNELS = 32
"""Of one head of the attention."""

MLP_RATIO = 2.0
"""Hidden over outer channels of the perceptron after the attention, n and s (section 3.3)."""

POSITION_KERNEL = 5
"""Edge of the depthwise convolution that tells positions apart; 7 in the paper, 5 as released."""

RESIDUAL_SCALE = 0.01
"""Start of the scaling of R-ELAN's residual connection (section 3.2)."""


def conv(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, *, groups: int = 1,
    linear: bool = False,
) -> nn.Sequential:  # fmt: skip
    """Return a convolution with batch norm and, unless `linear`, SiLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
    ]
    if not linear:
        layers.append(nn.SiLU(inplace=True))
    return nn.Sequential(*layers)


def depthwise(inputs: int, kernel: int) -> nn.Sequential:
    """Return a convolution of each channel by itself, with batch norm and SiLU."""
    return conv(inputs, inputs, kernel, groups=inputs)


class Bottleneck(nn.Module):
    """Two 3 x 3 convolutions around fewer channels, and the input added."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(conv(channels, hidden, 3), conv(hidden, channels, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to the same shape."""
        return x + self.steps(x)


class CrossStage(nn.Module):
    """Half of the channels through two bottlenecks, half past them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.through = nn.Sequential(
            conv(channels, half), Bottleneck(half, half), Bottleneck(half, half)
        )
        self.past = conv(channels, half)
        self.join = conv(2 * half, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to the same shape."""
        return self.join(torch.cat([self.through(x), self.past(x)], 1))


class Aggregation(nn.Module):
    """Efficient layer aggregation: the input in two halves and every step after the second.

    Parameters
    ----------
    inputs, outputs
        Channels.
    hidden
        Of a half.
    steps
        Each maps `hidden` channels to as many.
    """

    def __init__(self, inputs: int, outputs: int, hidden: int, steps: Sequence[nn.Module]) -> None:
        super().__init__()
        self.split = conv(inputs, 2 * hidden)
        self.steps = nn.ModuleList(steps)
        self.join = conv((2 + len(steps)) * hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``."""
        parts = list(self.split(x).chunk(2, 1))
        for step in self.steps:
            parts.append(step(parts[-1]))
        return self.join(torch.cat(parts, 1))


class AreaAttention(nn.Module):
    """Self-attention within areas, which are equal stripes of the map (section 3.1).

    No encoding of positions; a depthwise convolution of the values takes its place.

    Parameters
    ----------
    channels
        A multiple of `HEAD_CHANNELS`.
    areas
        Stripes; 1 attends to everything.
    """

    def __init__(self, channels: int, areas: int) -> None:
        super().__init__()
        self.heads, self.areas = channels // HEAD_CHANNELS, areas
        self.ask = conv(channels, 2 * channels, linear=True)
        self.value = conv(channels, channels, linear=True)
        self.position = conv(channels, channels, POSITION_KERNEL, groups=channels, linear=True)
        self.project = conv(channels, channels, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to the same shape; H times W must be a multiple of the areas."""
        batch, channels, height, width = x.shape
        query, key = (self._tokens(part) for part in self.ask(x).chunk(2, 1))
        value = self.value(x)
        seen = F.scaled_dot_product_attention(query, key, self._tokens(value))
        seen = seen.transpose(2, 3).reshape(batch, self.areas, channels, -1)
        seen = seen.transpose(1, 2).reshape(batch, channels, height, width)
        return self.project(seen + self.position(value))

    def _tokens(self, x: Tensor) -> Tensor:
        """Return ``(B * areas, heads, cells of an area, channels of a head)``."""
        batch, channels = x.shape[:2]
        cells = x.reshape(batch, channels, self.areas, -1).transpose(1, 2)  # (B, areas, C, n)
        rows = cells.reshape(batch * self.areas, self.heads, channels // self.heads, -1)
        return rows.transpose(2, 3)


class AttentionBlock(nn.Module):
    """Area attention, then a perceptron, each added to its input."""

    def __init__(self, channels: int, areas: int) -> None:
        super().__init__()
        hidden = int(channels * MLP_RATIO)
        self.attention = AreaAttention(channels, areas)
        self.perceptron = nn.Sequential(conv(channels, hidden), conv(hidden, channels, linear=True))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to the same shape."""
        x = x + self.attention(x)
        return x + self.perceptron(x)


class ResidualElan(nn.Module):
    """R-ELAN: one narrow transition, steps, all joined, with a scaled residual (section 3.2).

    As published the residual connection is for the sizes l and x alone.

    Parameters
    ----------
    inputs, outputs
        Channels; equal ones where `residual`.
    repeats
        Steps.
    areas
        Of the attention; None for steps of convolutions.
    residual
        Whether the input is added, by a learnt scale.
    """

    def __init__(
        self, inputs: int, outputs: int, repeats: int, areas: int | None, *, residual: bool = False
    ) -> None:
        super().__init__()
        hidden = outputs // 2
        self.enter = conv(inputs, hidden)
        self.steps = nn.ModuleList(
            CrossStage(hidden)
            if areas is None
            else nn.Sequential(*(AttentionBlock(hidden, areas) for _ in range(2)))
            for _ in range(repeats)
        )
        self.join = conv((1 + repeats) * hidden, outputs)
        self.scale = nn.Parameter(torch.full((outputs, 1, 1), RESIDUAL_SCALE)) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``."""
        parts = [self.enter(x)]
        for step in self.steps:
            parts.append(step(parts[-1]))
        joined = self.join(torch.cat(parts, 1))
        return joined if self.scale is None else x + self.scale * joined
