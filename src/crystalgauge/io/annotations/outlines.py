"""Outlines from vertex lists: closed, valid, with area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import AnnotationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from crystalgauge.io.planes import Remark

Outline = shapely.Polygon | shapely.MultiPolygon

FARTHEST_PX = 1e9
"""No picture has coordinates of this magnitude; areas of larger ones would overflow."""


@dataclass
class OutlineTally:
    """Counts what had to be done to outlines, for one note per file instead of thousands."""

    repaired: int = 0
    without_area: int = 0
    from_boxes: int = 0
    parts: int = 0

    def report(self, remark: Remark) -> None:
        """Hand the counts on.

        Parameters
        ----------
        remark
            Receives one sentence per kind.
        """
        for count, text in (
            (self.repaired, "outlines crossed themselves; the largest part was kept"),
            (self.without_area, "annotations without area left out"),
            (self.from_boxes, "annotations have only a box; it was taken for the outline"),
            (self.parts, "outlines have several parts, kept as one row each"),
        ):
            if count:
                remark("content", f"{count} {text}")


def outline_from_rings(
    exteriors: Sequence[ArrayLike],
    tally: OutlineTally,
    *,
    holes: Sequence[Sequence[ArrayLike]] = (),
) -> Outline | None:
    """Build one outline from the rings of an annotation.

    Parameters
    ----------
    exteriors
        ``(K, 2)`` vertices of each part in px; parts that touch or overlap are united.
    tally
        Counts what was repaired or left out.
    holes
        Rings to cut out, one sequence for each exterior, or nothing.

    Returns
    -------
    Polygon, MultiPolygon or None
        None when there is no area.

    Raises
    ------
    AnnotationError
        For coordinates that are not finite numbers, or beyond `FARTHEST_PX`.
    """
    parts = []
    for number, exterior in enumerate(exteriors):
        inner = holes[number] if number < len(holes) else ()
        part = _polygon(_ring(exterior), [_ring(hole) for hole in inner], tally)
        if part is not None:
            parts.append(part)
    if not parts:
        tally.without_area += 1
        return None
    whole: Any = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    tally.parts += isinstance(whole, shapely.MultiPolygon)
    return whole


def outline_parts(outline: Any) -> list[shapely.Polygon]:
    """List the polygons of an outline, largest first.

    Parameters
    ----------
    outline
        Polygon or MultiPolygon.
    """
    parts = [p for p in shapely.get_parts(outline).tolist() if isinstance(p, shapely.Polygon)]
    return sorted(parts, key=lambda part: -part.area)


def ring_vertices(ring: Any) -> NDArray[np.float64]:
    """Return the ``(K, 2)`` vertices of a ring, without the closing one."""
    return np.asarray(shapely.get_coordinates(ring)[:-1], dtype=np.float64)


def outline_array(outlines: Sequence[Outline]) -> NDArray[Any]:
    """Pack outlines into an ``(N,)`` object array.

    Parameters
    ----------
    outlines
        In row order.
    """
    packed = np.empty(len(outlines), dtype=object)
    packed[:] = outlines
    return packed


def ellipse_vertices(
    centre: tuple[float, float], radii: tuple[float, float], count: int = 64
) -> NDArray[np.float64]:
    """Return ``(count, 2)`` vertices of a polygon with the area of an ellipse.

    Parameters
    ----------
    centre
        x and y in px.
    radii
        Half axes along x and y in px.
    count
        Number of vertices, at least 3.
    """
    angle = np.arange(count) * (2 * np.pi / count)
    widened = np.sqrt(2 * np.pi / (count * np.sin(2 * np.pi / count)))
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(centre) + widened * circle * np.asarray(radii)


def smallest_frame(outlines: NDArray[Any]) -> tuple[int, int]:
    """Return the height and width of the smallest picture that holds the outlines.

    Parameters
    ----------
    outlines
        ``(N,)`` polygons in px.
    """
    if not len(outlines):
        return 1, 1
    _, _, right, bottom = shapely.total_bounds(outlines)
    return max(1, int(np.ceil(bottom))), max(1, int(np.ceil(right)))


def _ring(vertices: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(vertices, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise AnnotationError(f"an outline is a list of x, y pairs, got shape {points.shape}")
    if not np.isfinite(points).all():
        raise AnnotationError("an outline has a coordinate that is not a finite number")
    if len(points) and np.abs(points).max() > FARTHEST_PX:
        raise AnnotationError(
            f"an outline has the coordinate {points.flat[np.abs(points).argmax()]:g}, which no "
            "picture reaches; coordinates are px"
        )
    return points


def _polygon(
    exterior: NDArray[np.float64], holes: list[NDArray[np.float64]], tally: OutlineTally
) -> shapely.Polygon | None:
    """Return one valid polygon; the largest lobe of one that crosses itself."""
    if len(exterior) < 3:
        return None
    polygon = shapely.Polygon(exterior, [hole for hole in holes if len(hole) >= 3])
    if polygon.is_valid:
        return polygon if polygon.area > 0 else None
    lobes = outline_parts(shapely.make_valid(polygon, method="structure", keep_collapsed=False))
    if not lobes or not lobes[0].area > 0:
        return None
    tally.repaired += 1
    return lobes[0]
