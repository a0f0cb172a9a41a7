"""The network of tiles, in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from crystalgauge.models.focus_tiles.config import FocusTilesConfig

if TYPE_CHECKING:
    from torch import Tensor


def _step(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return convolution, norm and rectifier; even kernels keep the grid's cells centred."""
    pad = (kernel - stride) // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3 x 3 convolutions that correct what comes in.

    Parameters
    ----------
    width
        Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _step(width, width, 3)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        corrected: Tensor = torch.relu(x + self.second(self.first(x)))
        return corrected


class FocusTiles(nn.Module):
    """Picture to three values a tile: see `crystalgauge.models.focus_tiles.decode`.

    An answer looks at 113 px about the middle of its tile.

    Parameters
    ----------
    config
        Widths.
    """

    def __init__(self, config: FocusTilesConfig | None = None) -> None:
        super().__init__()
        self.config = config or FocusTilesConfig()
        half, quarter, eighth, sixteenth, last = self.config.widths
        self.body = nn.Sequential(
            _step(self.config.inputs, half, 4, 2),
            _step(half, quarter, 4, 2),
            _step(quarter, quarter, 3),
            _step(quarter, eighth, 2, 2),
            Residual(eighth),
            _step(eighth, sixteenth, 2, 2),
            _step(sixteenth, sixteenth, 3),
            _step(sixteenth, last, 2, 2),
            _step(last, last, 1),
        )
        self.head = nn.Conv2d(last, 3, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``(B, inputs, H, W)``, H and W multiples of 32, to ``(B, 3, H / 32, W / 32)``."""
        tiles: Tensor = self.head(self.body(image))
        return tiles

    def inference_parts(self) -> tuple[nn.Module, None]:
        """Return what an engine runs; there is no second stage."""
        return _AsTuple(self), None


class _AsTuple(nn.Module):
    """Gives the outputs as engines take them."""

    def __init__(self, net: FocusTiles) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor]:
        return (self.net(image),)
