"""Turn what a header says about lengths into a calibration, or into nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from crystalgauge.core import Calibration
from crystalgauge.core.calibration import UM_PER_UNIT

if TYPE_CHECKING:
    from crystalgauge.io.planes import Remark

SQUARE_TOLERANCE = 0.01
"""Relative difference of the two pixel edges up to which a pixel counts as square."""

_LONG_UNITS = {
    "picometer": 1e-6, "nanometer": 1e-3, "millimeter": 1e3, "centimeter": 1e4, "meter": 1e6,
    "angstrom": 1e-4, "picometre": 1e-6, "nanometre": 1e-3, "millimetre": 1e3,
    "centimetre": 1e4, "metre": 1e6, "inches": 25400.0,
}  # fmt: skip


def micrometres(value: float | str | None, unit: str | None) -> float | None:
    r"""Convert a length of a header to µm.

    Parameters
    ----------
    value
        Number, perhaps as text.
    unit
        Name or symbol; ``\u00B5m`` written out in ASCII, as ImageJ does, is known.

    Returns
    -------
    float or None
        None without a number or with a unit that is not a length, such as ``pixel``.
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    name = str(unit or "").strip().strip('"').replace("\\u00B5", "µ").replace("\\u00b5", "µ")
    factor = UM_PER_UNIT.get(name.lower(), _LONG_UNITS.get(name.lower()))
    return number * factor if factor is not None and math.isfinite(number) else None


def square_pixel(
    x_um: float | None, y_um: float | None, detail: str, remark: Remark
) -> Calibration | None:
    """Return the calibration of a header, None when it gives none that can be used.

    Parameters
    ----------
    x_um, y_um
        Pixel edges in µm; a missing one is taken from the other.
    detail
        The words of the origin, for provenance.
    remark
        Told about sizes that cannot be and pixels that are not square.
    """
    given = [size for size in (x_um, y_um) if size is not None]
    if not given:
        return None
    if any(not math.isfinite(size) or size <= 0 for size in given):
        remark("calibration", f"{detail} says {given} um, which is no pixel size; not used")
        return None
    if max(given) > (1 + SQUARE_TOLERANCE) * min(given):
        remark(
            "calibration",
            f"{detail} says pixels of {given[0]:g} x {given[1]:g} um, which are not square; "
            "not used: resample the picture or give a pixel size",
        )
        return None
    return Calibration(given[0], 0.0, "metadata", detail)
