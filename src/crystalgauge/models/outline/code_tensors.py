"""Codes as tensors with gradients; the torch twin of `frame`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from crystalgauge.models.outline.config import SHAPE_CHANNELS


def symmetric_exponential(h11: Tensor, h12: Tensor, h22: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the matrix exponential, with gradients, limited to sizes that pictures hold."""
    mean = 0.5 * (h11 + h22)
    spread = torch.sqrt((0.5 * (h11 - h22)) ** 2 + h12**2 + 1e-12)
    scale = torch.exp(mean.clamp(-6, 8))
    bounded = spread.clamp(max=6)
    ch, ratio = torch.cosh(bounded), torch.sinh(bounded) / spread
    return (
        scale * (ch + ratio * (h11 - mean)),
        scale * ratio * h12,
        scale * (ch + ratio * (h22 - mean)),
    )


def read_cells(raw: Tensor, grid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Turn raw channels into codes.

    Parameters
    ----------
    raw
        ``(P, channels)``.
    grid
        ``(P, 3)`` x, y and stride of the cells.

    Returns
    -------
    tuple
        ``(P, 5 + K)`` codes in px, ``(P,)`` score logits, ``(P,)`` log1p of the defocus sigma.
    """
    stride = grid[:, 2]
    log_stride = torch.log(stride)
    head = torch.stack(
        [
            grid[:, 0] + raw[:, 1] * stride,
            grid[:, 1] + raw[:, 2] * stride,
            raw[:, 3] + log_stride,
            raw[:, 4],
            raw[:, 5] + log_stride,
        ],
        1,
    )
    codes = torch.cat([head, F.softplus(raw[:, SHAPE_CHANNELS:])], 1)
    return codes, raw[:, 0], raw[:, 6]
