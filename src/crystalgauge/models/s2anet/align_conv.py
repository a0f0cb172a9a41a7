"""Alignment convolution (Han et al. 2021, sec. III-B, eq. 3): 3 x 3 taps laid over an anchor."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KERNEL = 3


def sample_positions(anchors: Tensor) -> Tensor:
    """Return ``(B, 3 H, 3 W, 2)`` x and y in px of the samples, three by three for every cell.

    Parameters
    ----------
    anchors
        ``(B, H, W, 5)`` x, y, length, width (px) and angle (rad).
    """
    batch, rows, columns = anchors.shape[:3]
    step = torch.arange(KERNEL, device=anchors.device, dtype=anchors.dtype) - KERNEL // 2
    x, y, length, width, angle = anchors[:, :, None, :, None].unbind(-1)  # (B, H, 1, W, 1)
    along = step * length / KERNEL  # (B, H, 1, W, 3)
    across = step[:, None, None] * width / KERNEL  # (B, H, 3, W, 1)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    samples = torch.stack(
        [x + cosine * along - sine * across, y + sine * along + cosine * across], -1
    )  # (B, H, 3, W, 3, 2)
    return samples.reshape(batch, KERNEL * rows, KERNEL * columns, 2)


class AlignConv(nn.Module):
    """Convolution whose nine taps lie on a 3 x 3 grid over the anchor of each cell.

    Samples are bilinear, and zero beyond the map. They are laid out as a map of three times the
    size, which a convolution of stride three then meets tap by tap. An axis-parallel anchor of
    three cells' edge, centred on its cell, makes it a plain convolution.

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
        px, py = sample_positions(anchors).unbind(-1)
        # the map spans [-1, 1] from edge to edge, as cells are areas; positions need single
        # precision, also where features are half
        grid = torch.stack([2 * px / (columns * stride) - 1, 2 * py / (rows * stride) - 1], -1)
        seen = F.grid_sample(x.to(grid.dtype), grid, padding_mode="zeros", align_corners=False)
        return F.relu(F.conv2d(seen, self.weight, stride=KERNEL))
