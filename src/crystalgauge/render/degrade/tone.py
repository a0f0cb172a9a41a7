"""Brightness and contrast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Tone:
    """A change of brightness and contrast.

    Parameters
    ----------
    brightness
        Added to every grey, full scale 1.
    contrast
        Factor on every grey's distance from the picture's mean, above 0.
    """

    brightness: float
    contrast: float

    @classmethod
    def sample(cls, rng: np.random.Generator, shape: tuple[int, int], strength: float) -> Tone:
        """Draw a change.

        The brightness is uniform within plus and minus the strength, the logarithm of the
        contrast within plus and minus three times the strength.
        """
        brightness, exponent = rng.uniform(-strength, strength, 2)
        return cls(float(brightness), math.exp(3 * exponent))


def change_tone(picture: NDArray[np.float32], tone: Tone) -> NDArray[np.float32]:
    """Return ``mean + contrast * (picture - mean) + brightness``, within 0 and 1.

    Parameters
    ----------
    picture
        ``(H, W)`` grey, full scale 1.
    tone
        The change.
    """
    mean = cv2.mean(picture)[0]
    changed = picture * np.float32(tone.contrast)
    changed += np.float32(mean * (1 - tone.contrast) + tone.brightness)
    return np.clip(changed, 0, 1, out=changed)
