"""A picture with what is known about how it was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core.errors import ArgumentError

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from crystalgauge.core.calibration import Calibration

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""


@dataclass(frozen=True, eq=False)
class Micrograph:
    """One focal plane at one time.

    Parameters
    ----------
    pixels
        ``(H, W)`` grey or ``(H, W, 3)`` red-green-blue, any integer or float type, finite.
    calibration
        Size of a pixel, or None when it is not known: lengths are then in px.
    source
        Where the picture came from, as shown to a user: a path, with ``#3`` for a page.
    time
        When it was taken.
    z_um
        Position of the focal plane in µm.
    """

    pixels: NDArray[Any]
    calibration: Calibration | None = None
    source: str = ""
    time: datetime | None = None
    z_um: float | None = None

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)) or 0 in shape:
            raise ArgumentError(
                f"a micrograph is (H, W) or (H, W, 3) with H, W >= 1, got shape {shape}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def grey(self, rows: slice = slice(None), columns: slice = slice(None)) -> NDArray[np.float32]:
        """Return a window as ``(h, w)`` float32 grey, in the picture's own intensity units.

        Parameters
        ----------
        rows, columns
            The window; the whole picture by default. Only the window is converted.
        """
        window = self.pixels[rows, columns]
        if window.ndim == 2:
            return np.ascontiguousarray(window, dtype=np.float32)
        return np.ascontiguousarray(window.astype(np.float32) @ np.asarray(LUMA, np.float32))
