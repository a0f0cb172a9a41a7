"""Subsets of crystals by size or shape, for figures that say where a model is weak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals


@dataclass(frozen=True)
class Stratum:
    """The crystals of which a quantity lies in ``[low, high)``.

    Parameters
    ----------
    name
        As it ends the figure's name: ``small`` gives ``ap_small``.
    quantity
        ``box_area_px2``, ``aspect_ratio`` (both of the oriented box of least area) or
        ``equivalent_diameter_px``, computed from the outlines; or any column that truth and
        predictions have.
    low, high
        Range, in the quantity's unit.
    """

    name: str
    quantity: str
    low: float
    high: float


DEFAULT_STRATA = (
    Stratum("small", "box_area_px2", 0.0, 8.0**2),
    Stratum("medium", "box_area_px2", 8.0**2, 24.0**2),
    Stratum("large", "box_area_px2", 24.0**2, np.inf),
    Stratum("needle", "aspect_ratio", 5.0, 20.0),
)
"""Boxes below 8 px, of 8 to 24 px and above in root area, and aspect ratios of 5 to 20."""


def box_sides_px(outlines: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return length and width in px of the boxes of least area; NaN for an empty outline.

    Parameters
    ----------
    outlines
        ``(N,)`` polygons in px.
    """
    corners, row = shapely.get_coordinates(shapely.oriented_envelope(outlines), return_index=True)
    first, second = np.full(len(outlines), np.nan), np.full(len(outlines), np.nan)
    rows, start, count = np.unique(row, return_index=True, return_counts=True)
    box = count == 5  # a closed rectangle; an outline without area gives a line or a point
    rows, start = rows[box], start[box]
    first[rows] = np.hypot(*(corners[start + 1] - corners[start]).T)
    second[rows] = np.hypot(*(corners[start + 2] - corners[start + 1]).T)
    return np.maximum(first, second), np.minimum(first, second)


def equivalent_diameter_px(outlines: NDArray[Any]) -> NDArray[np.float64]:
    """Return the diameters in px of circles of the outlines' areas (ISO 9276-6)."""
    return np.asarray(2.0 * np.sqrt(shapely.area(outlines) / np.pi))


def strata_members(crystals: Crystals, strata: Sequence[Stratum]) -> dict[str, NDArray[np.bool_]]:
    """Return the ``(N,)`` mask of the crystals of each stratum by its name.

    Parameters
    ----------
    crystals
        With the columns that the strata name.
    strata
        Ranges of quantities.

    Raises
    ------
    ArgumentError
        When a quantity is neither known nor a column.
    """
    values: dict[str, NDArray[Any]] = {}
    for quantity in {stratum.quantity for stratum in strata}:
        if quantity not in values:
            values |= _quantities(crystals, quantity)
    return {
        stratum.name: np.asarray(
            (values[stratum.quantity] >= stratum.low) & (values[stratum.quantity] < stratum.high)
        )
        for stratum in strata
    }


def _quantities(crystals: Crystals, quantity: str) -> dict[str, NDArray[Any]]:
    """Return a quantity, and what costs nothing once it is known."""
    if quantity == "equivalent_diameter_px":
        return {quantity: equivalent_diameter_px(crystals.outlines)}
    if quantity in {"box_area_px2", "aspect_ratio"}:
        length, width = box_sides_px(crystals.outlines)
        return {"box_area_px2": length * width, "aspect_ratio": length / width}
    if quantity in crystals:
        return {quantity: crystals[quantity]}
    if not len(crystals):
        return {quantity: np.empty(0)}
    raise ArgumentError(
        f"no column {quantity!r} to stratify by; there are {sorted(crystals.columns) or 'none'}"
    )
