"""Zernike's polynomials over a pupil."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODES = ("defocus", "astigmatism 45", "astigmatism 0", "coma y", "coma x", "trefoil y",
         "trefoil x", "spherical")  # fmt: skip
"""Noll's numbers 4 to 11 (Noll 1976, doi 10.1364/JOSA.66.000207)."""


def zernike(rho: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the polynomials of `MODES`, ``(8, ...)``, each of variance 1 over the unit disc.

    Parameters
    ----------
    rho, angle
        Polar coordinates in the pupil, rho 1 at its edge; angles in rad.
    """
    square = rho**2
    return np.stack(
        [
            math.sqrt(3) * (2 * square - 1),
            math.sqrt(6) * square * np.sin(2 * angle),
            math.sqrt(6) * square * np.cos(2 * angle),
            math.sqrt(8) * (3 * square - 2) * rho * np.sin(angle),
            math.sqrt(8) * (3 * square - 2) * rho * np.cos(angle),
            math.sqrt(8) * square * rho * np.sin(3 * angle),
            math.sqrt(8) * square * rho * np.cos(3 * angle),
            math.sqrt(5) * (6 * square**2 - 6 * square + 1),
        ]
    )
