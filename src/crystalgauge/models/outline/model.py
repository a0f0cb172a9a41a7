"""The one-pass outline network and its refinement head, in torch.

The network follows the one-stage detectors with a shared head on a feature pyramid (FCOS,
arXiv:1904.01355), with the outline code of `frame` in place of a box. The refinement head samples
features along the normals' stand-ins, the rays of each vertex, and moves vertices along them, as
deep snakes do (arXiv:2001.01629) but along K fixed rays, so that an outline cannot tangle.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from crystalgauge.models.outline.config import OutlineConfig
from crystalgauge.models.outline.sampling import RAY_FRACTIONS, REFINE_CONTEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

PRIOR_LOGIT = -4.0
"""Start of the score's bias: crystals are rare among cells (arXiv:1708.02002, sec. 4.1)."""

TYPICAL_RADIUS = 1.9
"""Mean whitened radius of convex outlines: 2 for an ellipse."""

MAX_LOG_STEP = 1.2
"""A refinement step changes a radius by at most this factor's logarithm."""


def conv_norm(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Return convolution, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a shortcut (arXiv:1512.03385)."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = conv_norm(channels, channels, dilation=dilation)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return F.relu(x + self.second(self.first(x)), inplace=True)


def detail_branch(config: OutlineConfig) -> nn.Sequential | None:
    """Return what adds to the fine features, nothing at first.

    A trained network that is given this branch so goes on from where it was.
    """
    if not config.detail:
        return None
    out = nn.Conv2d(config.detail, config.fine, 1, bias=False)
    nn.init.zeros_(out.weight)
    return nn.Sequential(
        conv_norm(config.stem, config.detail), conv_norm(config.detail, config.detail), out
    )


class OutlineNet(nn.Module):
    """Image to outline maps and the features that the refinement samples.

    Parameters
    ----------
    config
        Widths and depths.
    """

    def __init__(self, config: OutlineConfig | None = None) -> None:
        super().__init__()
        config = config or OutlineConfig()
        self.config = config
        widths, pyramid = config.widths, config.pyramid
        self.stem = conv_norm(config.inputs, config.stem, 5, 2)
        stages = []
        for level, (width, depth) in enumerate(zip(widths, config.depths, strict=True)):
            before = widths[level - 1] if level else config.stem
            last = level == len(widths) - 1  # dilation widens the view where crystals are largest
            blocks = [ResidualBlock(width, 2 if last and i == 1 else 1) for i in range(depth)]
            stages.append(nn.Sequential(conv_norm(before, width, 3, 2), *blocks))
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, pyramid, 1, bias=False), nn.BatchNorm2d(pyramid))
            for width in widths
        )
        self.smooth = nn.ModuleList(conv_norm(pyramid, pyramid) for _ in widths)
        self.head = nn.ModuleList(
            nn.Conv2d(pyramid, pyramid, 3, 1, 1, bias=False) for _ in range(2)
        )
        # levels share the head's weights but not its statistics
        self.head_norm = nn.ModuleList(
            nn.ModuleList(nn.BatchNorm2d(pyramid) for _ in widths) for _ in range(2)
        )
        self.out = nn.Conv2d(pyramid, config.channels, 1)
        self.fine = nn.Conv2d(config.stem, config.fine, 1)
        self.detail = detail_branch(config)
        self.coarse = nn.Conv2d(pyramid, config.coarse, 1)
        self._start()

    def _start(self) -> None:
        nn.init.normal_(self.out.weight, std=0.01)
        assert self.out.bias is not None
        with torch.no_grad():
            self.out.bias.zero_()
            self.out.bias[0] = PRIOR_LOGIT
            self.out.bias[-self.config.vertices :] = math.log(math.expm1(TYPICAL_RADIUS))

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Map a batch of images.

        Parameters
        ----------
        image
            ``(B, inputs, H, W)`` with H and W multiples of 32.

        Returns
        -------
        tuple
            Four maps ``(B, channels, H/s, W/s)``, fine features ``(B, fine, H/2, W/2)`` and coarse
            ones ``(B, coarse, H/4, W/4)``.
        """
        stem = self.stem(image)  # (B, stem, H/2, W/2)
        x, features = stem, []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        merged: list[Tensor] = []
        for level in reversed(range(len(features))):
            lateral = self.lateral[level](features[level])
            if merged:
                lateral = lateral + F.interpolate(merged[-1], scale_factor=2.0, mode="nearest")
            merged.append(F.relu(lateral))
        maps, coarse = [], stem
        for level, x in enumerate(reversed(merged)):
            hidden = self.smooth[level](x)
            if level == 0:
                coarse = self.coarse(hidden)
            for conv, norms in zip(self.head, self.head_norm, strict=True):
                hidden = F.relu(norms[level](conv(hidden)))  # type: ignore[index]
            maps.append(self.out(hidden))
        fine = self.fine(stem)
        if self.detail is not None:
            fine = fine + self.detail(stem)
        return maps, fine, coarse


class RingConv(nn.Module):
    """Convolution around a closed outline: 5 taps, dilated, then batch norm and ReLU.

    Padding is written as a concatenation: not every runtime knows circular padding.
    """

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.reach = 2 * dilation
        self.conv = nn.Conv1d(channels, channels, 5, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, K)`` to the same shape."""
        closed = torch.cat([x[:, :, -self.reach :], x, x[:, :, : self.reach]], 2)
        return F.relu(self.norm(self.conv(closed)))


class RefineHead(nn.Module):
    """Features along the rays of an outline to steps of its radii.

    Parameters
    ----------
    config
        Widths; the same as the network's.
    """

    def __init__(self, config: OutlineConfig | None = None) -> None:
        super().__init__()
        config = config or OutlineConfig()
        width = config.refine_width
        inputs = len(RAY_FRACTIONS) * (config.fine + config.coarse) + REFINE_CONTEXT
        self.entry = nn.Sequential(nn.Conv1d(inputs, width, 1, bias=False), nn.BatchNorm1d(width))
        # dilated circular convolutions see the whole outline: 5 taps at 1, 2, 4 span 29 of 32
        self.rounds = nn.ModuleList(RingConv(width, dilation) for dilation in (1, 2, 4))
        self.step = nn.Conv1d(2 * width, 1, 1)
        self.verdict = nn.Linear(width, 2)
        for layer in (self.step, self.verdict):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Refine a batch of outlines.

        Parameters
        ----------
        samples
            ``(N, inputs, K)`` features along K rays (see `sampling`).

        Returns
        -------
        tuple
            ``(N, K)`` logarithmic steps of the radii, and ``(N, 2)``: logit of the outline's IoU
            and log of the relative scale of the diameter's error.
        """
        x = F.relu(self.entry(samples))
        for block in self.rounds:
            x = x + block(x)
        whole = x.mean(2)
        wide = torch.cat([x, whole[:, :, None].expand_as(x)], 1)
        return self.step(wide)[:, 0].clamp(-MAX_LOG_STEP, MAX_LOG_STEP), self.verdict(whole)


class OutlineModel(nn.Module):
    """Network and refinement head, trained jointly."""

    def __init__(self, config: OutlineConfig | None = None) -> None:
        super().__init__()
        self.config = config or OutlineConfig()
        self.net = OutlineNet(self.config)
        self.refine = RefineHead(self.config)

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return the network's output; the refinement runs on chosen outlines only."""
        return self.net(image)

    def inference_parts(self) -> tuple[nn.Module, nn.Module]:
        """Return what runs in prediction: the network as exported, and the refinement head."""
        return ExportNet(self.net), self.refine


class ExportNet(nn.Module):
    """The network as exported: one image in; maps and features out, channels last.

    Channels last lets the decoder gather one candidate, or one sample of a ray, from neighbouring
    memory.
    """

    def __init__(self, net: OutlineNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return four maps, fine and coarse features, each ``(H', W', C)`` of the one image."""
        maps, fine, coarse = self.net(image)
        return tuple(x[0].permute(1, 2, 0).contiguous() for x in (*maps, fine, coarse))


def parameter_count(modules: Sequence[nn.Module]) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for module in modules for p in module.parameters() if p.requires_grad)
