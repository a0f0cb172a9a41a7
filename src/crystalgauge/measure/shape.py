"""Size and shape of every crystal, as ISO 9276-6 and ISO 13322-1 define them, in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.measure.crofton import crofton_perimeters
from crystalgauge.measure.inertia import InertiaEllipses, inertia_ellipses
from crystalgauge.measure.inscribed_circle import inscribed_radii
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
    area_px2, perimeter_px, crofton_perimeter_px
        ``(N,)`` enclosed area, length of the outline, and the latter as the pixel lattice sees it.
    equivalent_diameter_px, inscribed_diameter_px
        ``(N,)`` diameters of the circle of that area and of the largest circle within.
    feret_mean_px
        ``(N,)`` mean over all directions.
    extents
        Least and largest Feret diameter, and box.
    inertia
        Ellipse of equal second moments.
    aspect_ratio
        ``(N,)`` at least 1.
    feret_ratio, ellipse_ratio, elongation, roundness, compactness, extent, circularity, \
    convexity, solidity
        ``(N,)`` above 0 and at most 1.
    """

    centroid_x_px: NDArray[np.float64]
    centroid_y_px: NDArray[np.float64]
    area_px2: NDArray[np.float64]
    perimeter_px: NDArray[np.float64]
    crofton_perimeter_px: NDArray[np.float64]
    equivalent_diameter_px: NDArray[np.float64]
    inscribed_diameter_px: NDArray[np.float64]
    feret_mean_px: NDArray[np.float64]
    extents: Extents
    inertia: InertiaEllipses
    aspect_ratio: NDArray[np.float64]
    feret_ratio: NDArray[np.float64]
    ellipse_ratio: NDArray[np.float64]
    elongation: NDArray[np.float64]
    roundness: NDArray[np.float64]
    compactness: NDArray[np.float64]
    extent: NDArray[np.float64]
    circularity: NDArray[np.float64]
    convexity: NDArray[np.float64]
    solidity: NDArray[np.float64]

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return every descriptor by its name in tables."""
        parts = {"extents", "inertia"}
        plain = {name: value for name, value in vars(self).items() if name not in parts}
        return plain | vars(self.extents) | vars(self.inertia)


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
    hull_perimeter = shapely.length(hulls)
    extents, inertia = hull_extents(hulls), inertia_ellipses(outlines)
    longest, narrowest = extents.feret_max_px, extents.feret_min_px
    return Shapes(
        centroid_x_px=shapely.get_x(centre),
        centroid_y_px=shapely.get_y(centre),
        area_px2=area,
        perimeter_px=perimeter,
        crofton_perimeter_px=crofton_perimeters(outlines),
        equivalent_diameter_px=2.0 * np.sqrt(area / np.pi),
        inscribed_diameter_px=2.0 * inscribed_radii(outlines),
        feret_mean_px=hull_perimeter / np.pi,
        extents=extents,
        inertia=inertia,
        aspect_ratio=extents.box_length_px / extents.box_width_px,
        feret_ratio=narrowest / longest,
        ellipse_ratio=inertia.ellipse_minor_px / inertia.ellipse_major_px,
        elongation=_elongation(area, perimeter),
        roundness=4.0 * area / (np.pi * longest**2),
        compactness=np.sqrt(4.0 * area / np.pi) / longest,
        extent=area / (longest * narrowest),
        circularity=np.sqrt(4.0 * np.pi * area) / perimeter,
        # the quotients of two sums may exceed 1 by a rounding error
        convexity=np.minimum(hull_perimeter / perimeter, 1.0),
        solidity=np.minimum(area / shapely.area(hulls), 1.0),
    )


def _elongation(area: NDArray[np.float64], perimeter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return width over length of the rectangle of an area and a perimeter.

    Its sides are the roots of ``t² - t P / 2 + A``. What is rounder than a square has no such
    rectangle, and 1 instead.
    """
    half = perimeter / 4.0
    length = half + np.sqrt(np.maximum(half**2 - area, 0.0))
    return np.asarray(np.minimum(area / length**2, 1.0))


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
