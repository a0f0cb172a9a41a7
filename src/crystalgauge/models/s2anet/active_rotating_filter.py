"""Active rotating filters (Zhou et al. 2017; Han et al. 2021, sec. III-C).

One learned 3 x 3 filter stands for eight: its outer ring is turned in steps of 45 degrees.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from crystalgauge.models.s2anet.config import ORIENTATIONS

RING = (0, 1, 2, 5, 8, 7, 6, 3)
"""Flat places of a 3 x 3 filter's outer ring, clockwise on screen."""

CENTRE = 4


def rotation_table() -> Tensor:
    """Return ``(8, 9)``: the place of the filter that stands at each place of its k-th copy.

    Copy k is the filter turned by k steps of 45 degrees counterclockwise on screen.
    """
    table = torch.full((ORIENTATIONS, 9), CENTRE)
    for turn in range(ORIENTATIONS):
        for step, place in enumerate(RING):
            table[turn, place] = RING[(step + turn) % len(RING)]
    return table


class OrientedConv(nn.Module):
    """Convolution with eight orientations of each filter.

    Parameters
    ----------
    inputs
        Channels of the input.
    filters
        Learned filters; the output has eight channels for each, side by side.
    """

    table: Tensor

    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(filters, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(filters * ORIENTATIONS))
        self.register_buffer("table", rotation_table(), persistent=False)
        nn.init.normal_(self.weight, std=math.sqrt(2 / (9 * inputs)))

    def rotated(self) -> Tensor:
        """Return the ``(8 * filters, inputs, 3, 3)`` copies of the filters."""
        filters, inputs = self.weight.shape[:2]
        copies = self.weight.reshape(filters, inputs, 9)[:, :, self.table]  # (F, C, 8, 9)
        return copies.transpose(1, 2).reshape(filters * ORIENTATIONS, inputs, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, H, W)`` to ``(B, 8 * filters, H, W)``."""
        return F.conv2d(x, self.rotated(), self.bias, padding=1)


def pool_orientations(x: Tensor) -> Tensor:
    """Return the strongest of the eight orientations: ``(B, 8 * F, H, W)`` to ``(B, F, H, W)``."""
    batch, channels, rows, columns = x.shape
    by_filter = x.reshape(batch, channels // ORIENTATIONS, ORIENTATIONS, rows, columns)
    return by_filter.amax(2)
