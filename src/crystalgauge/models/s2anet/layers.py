"""Convolutions with their norms, as backbones, pyramid and heads use them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from crystalgauge.models.s2anet.config import NormName

MOST_GROUPS = 32
"""Groups of a group norm (Wu and He 2018); narrow layers have fewer."""


def make_norm(kind: NormName, channels: int) -> nn.Module:
    """Return a batch norm or a group norm over channels."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    # at least two channels a group: the coarsest map may be a single cell
    return nn.GroupNorm(math.gcd(MOST_GROUPS, channels // 2), channels)


def head_conv(norm: NormName, inputs: int, outputs: int) -> nn.Sequential:
    """Return a 3 x 3 convolution and a ReLU, with a group norm between where there is one.

    As published, pyramid and heads have no batch norm: their convolutions then have biases.
    """
    if norm == "batch":
        return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True))
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        make_norm(norm, outputs),
        nn.ReLU(inplace=True),
    )
