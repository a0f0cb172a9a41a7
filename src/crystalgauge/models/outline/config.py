"""Shape of the outline model; a checkpoint and its card carry it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from crystalgauge.core import ArgumentError

STRIDES = (4, 8, 16, 32)
"""Cell size of the four levels of the pyramid, in px."""

LEVEL_RANGES = ((0.0, 22.0), (16.0, 48.0), (38.0, 110.0), (90.0, 1e6))
"""Crystal sizes ``sqrt(length * sqrt(area))`` in px that each level learns; they overlap."""

SHAPE_CHANNELS = 7
"""Score, centre offset (2), log frame (3), log1p of the defocus sigma; the radii follow."""


@dataclass(frozen=True)
class OutlineConfig:
    """Widths and depths of the network.

    Parameters
    ----------
    inputs
        Channels of the input tensor (see `crystalgauge.predict.normalise`).
    stem
        Channels at stride 2.
    widths
        Channels at strides 4, 8, 16, 32.
    depths
        Residual blocks at those strides.
    pyramid
        Channels of the feature pyramid and of the shared head.
    vertices
        Number K of vertices of an outline.
    fine, coarse
        Channels of the feature maps at strides 2 and 4 that the refinement samples.
    refine_width
        Channels of the refinement head.
    detail
        Channels of two convolutions at stride 2 that lead to the fine features alone; 0 for none.
    """

    inputs: int = 2
    stem: int = 20
    widths: tuple[int, int, int, int] = (32, 64, 128, 160)
    depths: tuple[int, int, int, int] = (1, 2, 3, 3)
    pyramid: int = 56
    vertices: int = 32
    fine: int = 12
    coarse: int = 24
    refine_width: int = 64
    detail: int = 0

    def __post_init__(self) -> None:
        if self.vertices < 8 or self.vertices % 2:
            raise ArgumentError(f"vertices must be even and at least 8, got {self.vertices}")
        if len(self.widths) != len(STRIDES) or len(self.depths) != len(STRIDES):
            raise ArgumentError("widths and depths name one number for each of the four strides")

    @property
    def channels(self) -> int:
        """Number of channels of each output map."""
        return SHAPE_CHANNELS + self.vertices

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> OutlineConfig:
        """Read what `as_dict` wrote."""
        entries: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()
        }
        return cls(**entries)

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists, as a card stores them."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }
