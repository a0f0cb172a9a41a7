"""Pixel size with its uncertainty and its origin; never guessed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from crystalgauge.core.errors import CalibrationError

Origin = Literal["metadata", "argument", "scale bar"]

UM_PER_UNIT = {
    "pm": 1e-6, "nm": 1e-3, "um": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6, "in": 25400.0,
    "µm": 1.0, "μm": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0,
    "inch": 25400.0, "a": 1e-4, "å": 1e-4,
}  # fmt: skip
"""Micrometres per unit, by lower-case name; both code points of the micro sign are known."""

_NUMBER = r"([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)"
_LENGTH = re.compile(
    rf"^\s*{_NUMBER}\s*(?:(?:\+-|±)\s*{_NUMBER}\s*)?([^\d\s/.+-]+)?(?:\s*/\s*px)?\s*$"
)


@dataclass(frozen=True)
class Calibration:
    """The size of a pixel.

    Parameters
    ----------
    pixel_size_um
        Edge length of a square pixel in the object plane, in µm, positive.
    uncertainty_um
        Standard uncertainty of that length in µm; 0 when none is known.
    origin
        Where the number came from.
    detail
        The words of the origin ("OME PhysicalSizeX", "--pixel-size"), for provenance.
    """

    pixel_size_um: float
    uncertainty_um: float = 0.0
    origin: Origin = "argument"
    detail: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.pixel_size_um) and self.pixel_size_um > 0):
            raise CalibrationError(
                f"a pixel size must be a positive length, got {self.pixel_size_um} um"
            )
        if not (math.isfinite(self.uncertainty_um) and self.uncertainty_um >= 0):
            raise CalibrationError(
                f"the uncertainty of a pixel size must be >= 0, got {self.uncertainty_um} um"
            )

    def contradicts(self, other: Calibration, *, tolerance: float = 0.01) -> bool:
        """Tell whether two calibrations differ by more than their uncertainty.

        Parameters
        ----------
        other
            The calibration to compare with.
        tolerance
            Relative difference that is always accepted (rounding in file headers).
        """
        spread = math.hypot(self.uncertainty_um, other.uncertainty_um)
        allowed = max(2 * spread, tolerance * self.pixel_size_um)
        return abs(self.pixel_size_um - other.pixel_size_um) > allowed


def parse_pixel_size(text: str) -> Calibration:
    """Read a pixel size such as ``0.84um``, ``840 nm`` or ``0.84+-0.01um/px``.

    Parameters
    ----------
    text
        Number, optional standard uncertainty after ``+-`` or ``±``, and a unit of length.

    Raises
    ------
    CalibrationError
        Without a unit, with an unknown one, or when the number is not positive.
    """
    match = _LENGTH.match(text)
    if match is None:
        raise CalibrationError(f"cannot read a pixel size from {text!r}; write it as 0.84um")
    value, spread, unit = match.groups()
    if unit is None:
        raise CalibrationError(f"the pixel size {text!r} has no unit; write it as {value}um")
    factor = UM_PER_UNIT.get(unit.lower())
    if factor is None:
        raise CalibrationError(f"unknown unit {unit!r} in pixel size {text!r}; use nm, um or mm")
    size, uncertainty = float(value) * factor, float(spread or 0) * factor
    return Calibration(size, uncertainty, "argument", text.strip())
