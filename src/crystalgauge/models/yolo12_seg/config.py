"""Shape of the network; a checkpoint and its card carry it.

Channels, repeats and the widths of the sizes are those of the published model cards of YOLOv12
("turbo", 2.6 M parameters at n and 9.1 M at s with 80 classes; 2.8 M and 9.8 M with masks).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from crystalgauge.core import ArgumentError

STRIDES = (8, 16, 32)
"""Cell size of the three levels, px."""

MASK_STRIDE = 4
"""Size of a prototype's cell, px."""

MULTIPLE = 32
"""Edges of an input are multiples of this, px."""

BINS = 16
"""Of the distribution of each side of a box, one cell apart (Li et al. 2020)."""

WIDTH_STEP = 0.125
"""Widths are multiples of this: the heads of the attention have 32 channels."""


@dataclass(frozen=True)
class Yolo12SegConfig:
    """Size and classes; the defaults are yolo12n-seg for crystals.

    Parameters
    ----------
    inputs
        Channels of the input tensor (see `crystalgauge.predict.normalise`).
    classes
        Names of the classes.
    width
        Factor on all channels: published 0.25 (n) and 0.5 (s).
    depth
        Factor on all repeats: published 0.5 for n and s.
    prototypes
        Masks that every mask is a sum of (Bolya et al. 2019).
    """

    inputs: int = 2
    classes: tuple[str, ...] = ("single", "agglomerated")
    width: float = 0.25
    depth: float = 0.5
    prototypes: int = 32

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.width <= 0 or self.width % WIDTH_STEP:
            raise ArgumentError(f"width must be a multiple of {WIDTH_STEP}, got {self.width}")
        if not self.depth > 0 or not self.classes or self.prototypes < 1:
            raise ArgumentError(
                "the network needs a depth above 0, a class and a prototype at least; got "
                f"{self.depth}, {self.classes} and {self.prototypes}"
            )

    def channels(self, published: int) -> int:
        """Return how many of a layer's published channels this width has."""
        return round(published * self.width)

    def repeats(self, published: int) -> int:
        """Return how often a block of so many published repeats is repeated."""
        return max(1, round(published * self.depth))

    @property
    def row_channels(self) -> int:
        """Numbers of an output row: bins of four sides, class logits, mask coefficients."""
        return 4 * BINS + len(self.classes) + self.prototypes

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Yolo12SegConfig:
        """Read what `as_dict` wrote."""
        return cls(**settings)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as a card stores them."""
        return {**asdict(self), "classes": list(self.classes)}
