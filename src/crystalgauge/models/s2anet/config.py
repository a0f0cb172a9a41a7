"""Shape of S2A-Net; a checkpoint and its card carry it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from crystalgauge.core import ArgumentError

BackboneName = Literal["resnet18", "resnet50", "efficientnet-lite0"]
NormName = Literal["batch", "group"]

LEVELS = 5
"""Levels P3 to P7 of the feature pyramid."""

ORIENTATIONS = 8
"""Copies of an active rotating filter, 45 degrees apart (Han et al. 2021, sec. III-C)."""

MULTIPLE = 32
"""Edges of an input are multiples of this, in px."""

MAP_CHANNELS = 11
"""Of an output row: score logit, five deltas, the refined anchor (x, y, length, width, angle)."""


@dataclass(frozen=True)
class S2ANetConfig:
    """Backbone, widths and anchors.

    The defaults are the network that scores best in Table 1 of the synthetic protein crystals
    paper: ResNet-50 with group norm, anchors of 8 to 128 px and no pooling after the first
    convolution.

    Parameters
    ----------
    inputs
        Channels of the input tensor (see `crystalgauge.predict.normalise`).
    backbone
        What computes the features C3, C4 and C5.
    norm
        Batch norm in the backbone and none elsewhere, as published, or group norm everywhere, for
        random starts (He, Girshick and Dollar 2019).
    first_pool
        Pool after the first convolution, as published. Without it all strides are halved.
    width
        Channels of a ResNet's first convolution, published 64.
    channels
        Channels of the pyramid and of the heads, published 256.
    stacked
        Convolutions before the outputs of a branch.
    smallest_anchor
        Edge in px of the square anchors of the finest level; it doubles from level to level.
        Published 32.
    """

    inputs: int = 2
    backbone: BackboneName = "resnet50"
    norm: NormName = "group"
    first_pool: bool = False
    width: int = 64
    channels: int = 256
    stacked: int = 2
    smallest_anchor: float = 8.0

    def __post_init__(self) -> None:
        if self.channels < ORIENTATIONS or self.channels % ORIENTATIONS:
            raise ArgumentError(
                f"channels must be a multiple of {ORIENTATIONS}, one for each orientation of the "
                f"rotating filters; got {self.channels}"
            )
        if not self.smallest_anchor > 0:
            raise ArgumentError(f"smallest_anchor must be positive, got {self.smallest_anchor}")

    @property
    def strides(self) -> tuple[int, ...]:
        """Cell size of the levels in px: 8 to 128, or 4 to 64 without the first pooling."""
        first = 8 if self.first_pool else 4
        return tuple(first << level for level in range(LEVELS))

    @property
    def anchor_edges(self) -> tuple[float, ...]:
        """Edges of the square anchors of the levels, in px."""
        return tuple(self.smallest_anchor * 2**level for level in range(LEVELS))

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> S2ANetConfig:
        """Read what `as_dict` wrote."""
        return cls(**settings)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as a card stores them."""
        return asdict(self)
