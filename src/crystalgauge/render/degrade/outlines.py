"""Outlines that follow when a degradation moves the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Outlines:
    """The crystals' outlines as plain arrays.

    Parameters
    ----------
    points
        ``(V, 2)`` x and y of all vertices in px, one outline after the other, not closed; pixel
        centres lie at integers + 0.5.
    offsets
        ``(N + 1,)`` first vertex of each outline.

    Raises
    ------
    ArgumentError
        When the offsets do not run from 0 to the number of vertices.
    """

    points: NDArray[np.float64]
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        points = np.ascontiguousarray(self.points, np.float64).reshape(-1, 2)
        offsets = np.ascontiguousarray(self.offsets, np.int64)
        if (
            not len(offsets)
            or offsets[0]
            or offsets[-1] != len(points)
            or np.any(np.diff(offsets) < 0)
        ):
            raise ArgumentError(
                f"the offsets of {len(points)} vertices must rise from 0 to {len(points)}, "
                f"got {offsets.tolist()[:8]}; pass those of the same outlines"
            )
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "offsets", offsets)

    @classmethod
    def none(cls) -> Outlines:
        """Return the outlines of a picture without crystals."""
        return cls(np.zeros((0, 2)), np.zeros(1, np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1


def map_outlines(outlines: Outlines, matrix: NDArray[np.float64]) -> Outlines:
    """Move outlines by an affine map.

    Parameters
    ----------
    outlines
        In px of the old picture.
    matrix
        ``(2, 3)``: old px to new px, as `crystalgauge.datasets.transforms.map_sample` takes it.
    """
    return Outlines(outlines.points @ matrix[:, :2].T + matrix[:, 2], outlines.offsets)
