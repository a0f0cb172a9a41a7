"""The two heads, shared by all levels: anchor refinement, and oriented detection."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from torch import Tensor, nn

from crystalgauge.models.s2anet.active_rotating_filter import OrientedConv, pool_orientations
from crystalgauge.models.s2anet.config import ORIENTATIONS
from crystalgauge.models.s2anet.layers import head_conv

if TYPE_CHECKING:
    from crystalgauge.models.s2anet.config import S2ANetConfig

PRIOR = 0.01
"""Score of every anchor at the start: crystals are rare (Lin et al. 2017b, sec. 4.1)."""


def _branch(config: S2ANetConfig, inputs: int, outputs: int) -> nn.Sequential:
    """Return stacked 3 x 3 convolutions and the output's convolution."""
    widths = [inputs, *[config.channels] * config.stacked]
    hidden = [head_conv(config.norm, a, b) for a, b in itertools.pairwise(widths)]
    branch = nn.Sequential(*hidden, nn.Conv2d(widths[-1], outputs, 3, padding=1))
    for module in branch.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return branch


def _expect_little(branch: nn.Sequential) -> nn.Sequential:
    """Set the output's bias so that every score starts at the prior."""
    nn.init.constant_(branch[-1].bias, -math.log((1 - PRIOR) / PRIOR))  # type: ignore[arg-type]
    return branch


class AnchorRefinement(nn.Module):
    """Score and deltas of the square anchors (the feature alignment module's network)."""

    def __init__(self, config: S2ANetConfig) -> None:
        super().__init__()
        self.score = _expect_little(_branch(config, config.channels, 1))
        self.deltas = _branch(config, config.channels, 5)


class OrientedDetection(nn.Module):
    """Score from what no turn changes, deltas from what tells orientations apart."""

    def __init__(self, config: S2ANetConfig) -> None:
        super().__init__()
        filters = config.channels // ORIENTATIONS
        self.oriented = OrientedConv(config.channels, filters)
        self.score = _expect_little(_branch(config, filters, 1))
        self.deltas = _branch(config, config.channels, 5)

    def forward(self, aligned: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``(B, 1, H, W)`` score logits and ``(B, 5, H, W)`` deltas."""
        features = self.oriented(aligned)
        return self.score(pool_orientations(features)), self.deltas(features)
