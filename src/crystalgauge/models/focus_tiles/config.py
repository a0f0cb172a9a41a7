"""Size of the network of tiles."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TILE = 64
"""Edge of a tile in px."""

STRIDE = 32
"""Distance of neighbouring tiles in px; a tile lies about the middle of its cell of this edge."""


@dataclass(frozen=True)
class FocusTilesConfig:
    """Widths of the network.

    Parameters
    ----------
    inputs
        Channels of the input.
    widths
        Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.
    """

    inputs: int = 2
    widths: tuple[int, int, int, int, int] = (24, 40, 56, 64, 96)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FocusTilesConfig:
        """Read what `as_dict` gave, or a card holds.

        Parameters
        ----------
        values
            Entries by name.
        """
        return cls(**{**values, "widths": tuple(values["widths"])})
