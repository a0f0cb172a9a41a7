"""Which outlines lie beside each other, and how: gap, shared edge, shared area, blur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

REACH_BLURS = 3.0
"""Outlines farther apart than this many times the blur of both are no neighbours ..."""

REACH_SIZE = 0.05
"""... unless the gap is below this share of the smaller size: outlines err with the size."""

TOUCH_BLURS = 1.0
"""Within this many times the blur, two edges are one."""

TOUCH_SIZE = 0.02
"""The like for outlines that err with the size."""


BLURS = ("defocus_px", "edge_blur_lower_px", "edge_blur_px", "edge_blur_upper_px")
"""Measures of a crystal's blur, in px: what the model says, and quantiles along its edge."""


@dataclass(frozen=True, eq=False)
class NeighbourPairs:
    """The P pairs of neighbours, each once.

    All but `gap_px`, `blur_px`, `contact_px` and `log_blurs` are pure numbers, the same at any
    magnification.

    Parameters
    ----------
    row_a, row_b
        ``(P,)`` rows of the crystals, ``row_a < row_b``, in ascending order.
    gap_px
        ``(P,)`` distance of the outlines, 0 where they meet.
    blur_px
        ``(P,)`` root mean square of both blurs' standard deviations, `BLURS` the first.
    contact_px
        ``(P,)`` length of outline that runs along the other's, mean of both.
    overlap_share
        ``(P,)`` area shared over the smaller area, 0 to 1.
    smaller_px
        ``(P,)`` root of the smaller area.
    union_solidity
        ``(P,)`` area of the union over the area of its convex hull, 0 to 1: near 1 for two faces
        of one convex crystal, less for crystals side by side.
    size_ratio
        ``(P,)`` smaller over larger root of the area, 0 to 1.
    log_blurs
        ``(P, 2, 4)`` logarithms of both crystals' blurs in px, by each of `BLURS`.
    least_score
        ``(P,)`` lower of both scores, 1 for outlines without any.
    """

    row_a: NDArray[np.int64]
    row_b: NDArray[np.int64]
    gap_px: NDArray[np.float64]
    blur_px: NDArray[np.float64]
    contact_px: NDArray[np.float64]
    overlap_share: NDArray[np.float64]
    smaller_px: NDArray[np.float64]
    union_solidity: NDArray[np.float64]
    size_ratio: NDArray[np.float64]
    log_blurs: NDArray[np.float64]
    least_score: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row_a)

    def take(self, chosen: NDArray[np.bool_]) -> NeighbourPairs:
        """Return some of the pairs.

        Parameters
        ----------
        chosen
            ``(P,)`` which.
        """
        return NeighbourPairs(**{name: values[chosen] for name, values in vars(self).items()})


def neighbour_pairs(crystals: Crystals) -> NeighbourPairs:
    """Find neighbours and measure how they lie to each other.

    Parameters
    ----------
    crystals
        Outlines in px with ``defocus_px`` (standard deviation of the blur, above 0) and, where
        they are known, ``score`` and the other `BLURS`, NaN where one could not be measured.

    Raises
    ------
    ArgumentError
        When a blur is missing, not finite or not above 0: no focus, no depth.
    """
    each = blurs(crystals)
    blur = each[:, 0]
    shapes = valid_outlines(crystals.outlines)
    size = np.sqrt(shapely.area(shapes))
    reach = REACH_BLURS * blur + REACH_SIZE * size
    a, b = _close_pairs(shapes, reach)
    gap = shapely.distance(shapes[a], shapes[b])
    both = np.sqrt((blur[a] ** 2 + blur[b] ** 2) / 2)
    near = gap <= REACH_BLURS * both + REACH_SIZE * np.minimum(size[a], size[b])
    a, b, gap, both = a[near], b[near], gap[near], both[near]
    smaller, larger = np.minimum(size[a], size[b]), np.maximum(size[a], size[b])
    shared = shapely.area(shapely.intersection(shapes[a], shapes[b]))
    hull = shapely.area(
        shapely.convex_hull(shapely.geometrycollections(np.stack([shapes[a], shapes[b]], axis=1)))
    )
    score = crystals["score"] if "score" in crystals else np.ones(len(crystals))
    return NeighbourPairs(
        a,
        b,
        gap,
        both,
        contact_lengths(shapes, a, b, TOUCH_BLURS * blur + TOUCH_SIZE * size),
        np.clip(shared / smaller**2, 0.0, 1.0),
        smaller,
        (smaller**2 + larger**2 - shared) / np.maximum(hull, 1e-300),
        smaller / larger,
        np.log(np.stack([each[a], each[b]], axis=1)),
        np.minimum(score[a], score[b]).astype(np.float64),
    )


def contact_lengths(
    shapes: NDArray[Any],
    row_a: NDArray[np.int64],
    row_b: NDArray[np.int64],
    tolerance_px: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Measure how long outlines run along each other.

    Parameters
    ----------
    shapes
        ``(N,)`` valid polygons.
    row_a, row_b
        ``(P,)`` rows of the pairs.
    tolerance_px
        ``(N,)`` how far from an outline another one still runs along it.

    Returns
    -------
    contact_px
        ``(P,)`` length of either outline within the other's tolerance, mean of both.
    """
    edges = shapely.boundary(shapes)
    bands = np.empty(len(shapes), dtype=object)
    used = np.unique(np.concatenate([row_a, row_b]))
    bands[used] = shapely.buffer(edges[used], tolerance_px[used], quad_segs=2)
    along_a = shapely.length(shapely.intersection(edges[row_a], bands[row_b]))
    along_b = shapely.length(shapely.intersection(edges[row_b], bands[row_a]))
    return np.asarray((along_a + along_b) / 2, np.float64)


def blurs(crystals: Crystals) -> NDArray[np.float64]:
    """Return ``(N, 4)`` the blur of each crystal by each of `BLURS`, px.

    Parameters
    ----------
    crystals
        As for `neighbour_pairs`; what is not known is as the first.

    Raises
    ------
    ArgumentError
        As for `neighbour_pairs`.
    """
    first, *others = BLURS
    if first not in crystals:
        raise ArgumentError(
            f"crystals without the column {first} cannot be told to lie at one depth; "
            "use a model that states the blur"
        )
    blur = crystals[first].astype(np.float64)
    if not (np.isfinite(blur) & (blur > 0)).all():
        raise ArgumentError(f"{first} must be finite and above 0 for every crystal")
    columns = [blur]
    for name in others:
        values = crystals[name].astype(np.float64) if name in crystals else blur
        columns.append(np.where(np.isfinite(values) & (values > 0), values, blur))
    return np.column_stack(columns)


def valid_outlines(outlines: NDArray[Any]) -> NDArray[Any]:
    """Return polygons that do not cross themselves.

    Parameters
    ----------
    outlines
        ``(N,)`` polygons.
    """
    shapes = outlines.copy()
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        shapes[broken] = shapely.make_valid(
            shapes[broken], method="structure", keep_collapsed=False
        )
    return shapes


def _close_pairs(
    shapes: NDArray[Any], reach_px: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of pairs within the reach of either, each once and in order."""
    if not len(shapes):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=reach_px)
    low, high = np.minimum(one, other), np.maximum(one, other)
    code = np.unique(low[low < high] * len(shapes) + high[low < high])
    return code // len(shapes), code % len(shapes)
