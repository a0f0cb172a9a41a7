"""Alignment convolution (Han et al. 2021, sec. III-B, eq. 3): 3 x 3 taps laid over an anchor."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KERNEL = 3


def tap_positions(anchors: Tensor, row: int, column: int) -> tuple[Tensor, Tensor]:
    """Return x and y in px where a tap samples.

    Parameters
    ----------
    anchors
        ``(B, H, W, 5)`` x, y, length, width (px) and angle (rad).
    row, column
        -1, 0 or 1: step across and along the anchor, in thirds of its sides.
    """
    x, y, length, width, angle = anchors.unbind(-1)
    along, across = column * length / KERNEL, row * width / KERNEL
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return x + cosine * along - sine * across, y + sine * along + cosine * across


class AlignConv(nn.Module):
    """Convolution whose nine taps lie on a 3 x 3 grid over the anchor of each cell.

    Samples are bilinear, and zero beyond the map. An axis-parallel anchor of three cells' edge,
    centred on its cell, makes it a plain convolution.

    Parameters
    ----------
    channels
        Of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels, KERNEL, KERNEL))
        nn.init.normal_(self.weight, std=0.01)

    def forward(self, x: Tensor, anchors: Tensor, stride: int) -> Tensor:
        """Return ``(B, C, H, W)`` aligned features.

        Parameters
        ----------
        x
            ``(B, C, H, W)`` features of a level.
        anchors
            ``(B, H, W, 5)`` in px of the image.
        stride
            Cell size of the level in px.
        """
        rows, columns = x.shape[2:]
        x = x.to(anchors.dtype)  # positions need single precision, also where features are half
        total: Tensor | None = None
        for tap in range(KERNEL * KERNEL):
            row, column = divmod(tap, KERNEL)
            px, py = tap_positions(anchors, row - 1, column - 1)
            # the map spans [-1, 1] from edge to edge, as cells are areas
            grid = torch.stack(
                [2 * px / (columns * stride) - 1, 2 * py / (rows * stride) - 1], -1
            )  # (B, H, W, 2)
            seen = F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)
            term = F.conv2d(seen, self.weight[:, :, row, column, None, None])
            total = term if total is None else total + term
        assert total is not None
        return F.relu(total)
