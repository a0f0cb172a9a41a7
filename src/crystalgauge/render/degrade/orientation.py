"""Flips and quarter turns.

Only the eight symmetries of the pixel grid: any other angle would resample the picture, which
softens its noise, and would leave corners about which nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to lay a picture down.

    Parameters
    ----------
    mirrored
        Left and right are swapped first.
    quarter_turns
        Clockwise, 0 to 3.
    """

    mirrored: bool
    quarter_turns: int

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Orientation:
        """Draw any of the eight with equal probability."""
        return cls(bool(rng.integers(2)), int(rng.integers(4)))


def oriented_shape(shape: tuple[int, int], orientation: Orientation) -> tuple[int, int]:
    """Return height and width of a picture of ``shape`` after it was turned."""
    return (shape[1], shape[0]) if orientation.quarter_turns % 2 else shape


def orientation_matrix(shape: tuple[int, int], orientation: Orientation) -> NDArray[np.float64]:
    """Return the ``(2, 3)`` map from old px to new px.

    Parameters
    ----------
    shape
        Height and width of the picture before.
    orientation
        How it is turned.
    """
    height, width = shape
    matrix = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    if orientation.mirrored:
        matrix = np.array([[-1.0, 0.0, width], [0.0, 1.0, 0.0]])
    for _ in range(orientation.quarter_turns):
        # (x, y) -> (height - y, x): what was at the top comes to the right
        matrix = np.array([-matrix[1], matrix[0]])
        matrix[0, 2] += height
        height, width = width, height
    return matrix


def orient(picture: NDArray[np.float32], orientation: Orientation) -> NDArray[np.float32]:
    """Flip and turn a picture; every pixel keeps its value.

    Parameters
    ----------
    picture
        ``(H, W)``.
    orientation
        How.
    """
    flipped = picture[:, ::-1] if orientation.mirrored else picture
    return np.ascontiguousarray(np.rot90(flipped, -orientation.quarter_turns))
