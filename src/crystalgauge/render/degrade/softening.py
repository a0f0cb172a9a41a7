"""Blur of the whole picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crystalgauge.render.camera import blur

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Softening:
    """A blur.

    Parameters
    ----------
    sigma_px
        Standard deviation. It adds in squares to the defocus of every crystal.
    """

    sigma_px: float

    @classmethod
    def sample(cls, rng: np.random.Generator, shape: tuple[int, int], strength: float) -> Softening:
        """Return a blur whose standard deviation in px is the strength."""
        return cls(strength)


def soften(picture: NDArray[np.float32], softening: Softening) -> NDArray[np.float32]:
    """Blur a picture by a Gaussian; its border goes on outside.

    Parameters
    ----------
    picture
        ``(H, W)``.
    softening
        How much.
    """
    return blur(picture, softening.sigma_px)
