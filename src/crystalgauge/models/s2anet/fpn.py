"""Feature pyramid (Lin et al. 2017a) with the two extra levels of RetinaNet (Lin et al. 2017b)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from crystalgauge.models.s2anet.layers import make_norm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crystalgauge.models.s2anet.config import NormName


class FeaturePyramid(nn.Module):
    """C3 to C5 in, P3 to P7 out, all of one width.

    P6 is a strided convolution of C5 and P7 one of P6, without a ReLU between, as published.

    Parameters
    ----------
    inputs
        Channels of C3, C4 and C5.
    channels
        Channels of every level.
    norm
        Group norm follows each convolution; with batch norm in the backbone there is none here.
    """

    def __init__(self, inputs: Sequence[int], channels: int, norm: NormName) -> None:
        super().__init__()

        def conv(width: int, kernel: int, stride: int = 1) -> nn.Module:
            plain = nn.Conv2d(width, channels, kernel, stride, kernel // 2, bias=norm == "batch")
            nn.init.xavier_uniform_(plain.weight)
            if plain.bias is not None:
                nn.init.zeros_(plain.bias)
                return plain
            return nn.Sequential(plain, make_norm(norm, channels))

        self.lateral = nn.ModuleList(conv(width, 1) for width in inputs)
        self.smooth = nn.ModuleList(conv(channels, 3) for _ in inputs)
        self.extra = nn.ModuleList([conv(inputs[-1], 3, 2), conv(channels, 3, 2)])

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return P3 to P7, each half the size of the one before, rounded up."""
        merged = [lateral(x) for lateral, x in zip(self.lateral, features, strict=True)]
        for level in range(len(merged) - 1, 0, -1):
            above = F.interpolate(merged[level], scale_factor=2.0, mode="nearest")
            merged[level - 1] = merged[level - 1] + above
        levels = [smooth(x) for smooth, x in zip(self.smooth, merged, strict=True)]
        levels.append(self.extra[0](features[-1]))
        levels.append(self.extra[1](levels[-1]))
        return levels
