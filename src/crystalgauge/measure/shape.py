"""Size and shape of every crystal, as ISO 9276-6 and ISO 13322-1 define them, in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.measure.outline import Extents, hull_extents

if TYPE_CHECKING:
    from numpy.typing import NDArray

BORDER_PX = 1.0
"""An outline that enters the outermost row of pixels touches the border: what lies beyond the
frame cannot be seen from there."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """Descriptors of N outlines; NaN for one without area.

    Their definitions are in `crystalgauge.measure.glossary`, under the same names.

    Parameters
    ----------
    centroid_x_px, centroid_y_px
        ``(N,)`` centre of area.
    area_px2, perimeter_px
        ``(N,)`` enclosed area and length of the outline.
    equivalent_diameter_px
        ``(N,)`` diameter of the circle of that area.
    extents
        Feret diameters and box.
    aspect_ratio, circularity, solidity
        ``(N,)`` pure numbers: at least 1, at most 1, at most 1.
    """

    centroid_x_px: NDArray[np.float64]
    centroid_y_px: NDArray[np.float64]
    area_px2: NDArray[np.float64]
    perimeter_px: NDArray[np.float64]
    equivalent_diameter_px: NDArray[np.float64]
    extents: Extents
    aspect_ratio: NDArray[np.float64]
    circularity: NDArray[np.float64]
    solidity: NDArray[np.float64]


def shapes(outlines: NDArray[Any]) -> Shapes:
    """Measure size and shape of outlines.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons in px; their holes, if any, are not part of the crystal.
    """
    area = shapely.area(outlines)
    # GEOS has no centre of an empty outline and refuses to be asked; a missing one gives NaN
    outlines = outlines.copy()
    outlines[~(area > 0)] = None
    area = np.where(area > 0, area, np.nan)
    perimeter = shapely.length(shapely.get_exterior_ring(outlines))
    centre = shapely.centroid(outlines)
    hulls = shapely.convex_hull(outlines)
    extents = hull_extents(hulls)
    return Shapes(
        centroid_x_px=shapely.get_x(centre),
        centroid_y_px=shapely.get_y(centre),
        area_px2=area,
        perimeter_px=perimeter,
        equivalent_diameter_px=2.0 * np.sqrt(area / np.pi),
        extents=extents,
        aspect_ratio=extents.box_length_px / extents.box_width_px,
        circularity=np.sqrt(4.0 * np.pi * area) / perimeter,
        # the quotient of two sums may exceed 1 by a rounding error
        solidity=np.minimum(area / shapely.area(hulls), 1.0),
    )


def touches_border(outlines: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which outlines touch or leave the frame.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons in px.
    shape
        Height and width of the picture in px.
    """
    height, width = shape
    left, top, right, bottom = shapely.bounds(outlines).reshape(-1, 4).T
    inside = (left >= BORDER_PX) & (top >= BORDER_PX)
    inside &= (right <= width - BORDER_PX) & (bottom <= height - BORDER_PX)
    return np.asarray(~inside)
