"""Exact overlap of arbitrary outlines, for evaluation: GEOS behind a tree of bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.metrics.convex import hull_shared_areas, pack_outlines

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from crystalgauge.core import Crystals


_ROUNDING = 1e-9
"""Relative error, generously, of areas computed in double precision."""


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The P pairs of outlines of two tables that share area, by row of the first, then second.

    Parameters
    ----------
    row_a, row_b
        ``(P,)`` rows in the first and the second table.
    shared_px2
        ``(P,)`` area of the intersection in px², positive.
    area_a, area_b
        ``(N,)`` and ``(M,)`` areas of all outlines in px².
    """

    row_a: NDArray[np.intp]
    row_b: NDArray[np.intp]
    shared_px2: NDArray[np.float64]
    area_a: NDArray[np.float64]
    area_b: NDArray[np.float64]

    @property
    def iou(self) -> NDArray[np.float64]:
        """``(P,)`` intersection over union."""
        union = self.area_a[self.row_a] + self.area_b[self.row_b] - self.shared_px2
        return self.shared_px2 / union

    @property
    def coverage(self) -> NDArray[np.float64]:
        """``(P,)`` part of the first table's outline that the second's covers, 0 to 1."""
        return self.shared_px2 / self.area_a[self.row_a]


def overlaps(
    a: Crystals, b: Crystals, *, least_iou: float = 0.0, least_coverage: float = 0.0
) -> Overlaps:
    """Find the pairs of outlines that share area.

    Outlines that cross themselves are repaired first, so that each part they enclose counts once.

    Parameters
    ----------
    a, b
        Tables in the same frame.
    least_iou, least_coverage
        Pairs that reach neither may be left out: what their hulls share tells most of them at a
        hundredth of the cost.
    """
    shapes_a, shapes_b = _repaired(a.outlines), _repaired(b.outlines)
    area_a, area_b = shapely.area(shapes_a), shapely.area(shapes_b)
    row_a, row_b = shapely.STRtree(shapes_b).query(shapes_a)
    if least_iou > 0 and least_coverage > 0 and len(row_a):
        most = hull_shared_areas(pack_outlines(shapes_a), pack_outlines(shapes_b), row_a, row_b)
        most = np.minimum(most * (1 + _ROUNDING), np.minimum(area_a[row_a], area_b[row_b]))
        enough = most >= least_iou * (area_a[row_a] + area_b[row_b] - most)
        enough |= most >= least_coverage * area_a[row_a]
        row_a, row_b = row_a[enough], row_b[enough]
    shared = shapely.area(shapely.intersection(shapes_a[row_a], shapes_b[row_b]))
    found = np.flatnonzero(shared > 0)
    order = found[np.lexsort((row_b[found], row_a[found]))]
    return Overlaps(row_a[order], row_b[order], shared[order], area_a, area_b)


def iou_matrix(a: Crystals, b: Crystals) -> csr_array:
    """Return the sparse ``(N, M)`` intersection over union of two tables' outlines."""
    pairs = overlaps(a, b)
    return _sparse(pairs, pairs.iou)


def coverage_matrix(a: Crystals, b: Crystals) -> csr_array:
    """Return the sparse ``(N, M)`` part of each outline of `a` that each one of `b` covers."""
    pairs = overlaps(a, b)
    return _sparse(pairs, pairs.coverage)


def _sparse(pairs: Overlaps, values: NDArray[np.float64]) -> csr_array:
    from scipy.sparse import csr_array  # costs 0.1 s, and only the matrices need it

    shape = (len(pairs.area_a), len(pairs.area_b))
    return csr_array((values, (pairs.row_a, pairs.row_b)), shape=shape)


def _repaired(outlines: NDArray[Any]) -> NDArray[Any]:
    """Return valid polygons; what encloses no area becomes empty."""
    shapes = outlines.copy()
    shapes[shapely.is_missing(shapes)] = shapely.Polygon()
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        shapes[broken] = shapely.make_valid(
            shapes[broken], method="structure", keep_collapsed=False
        )
    return shapes
