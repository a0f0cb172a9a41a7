"""Masks to outlines along pixel edges and back, both exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.io.annotations.outlines import Outline


def outline_from_mask(
    mask: NDArray[np.bool_], origin: tuple[float, float] = (0.0, 0.0)
) -> Outline | None:
    """Trace the pixel edges around a mask; holes are kept, the area is the number of pixels.

    Parameters
    ----------
    mask
        ``(h, w)``, True inside.
    origin
        x and y in px of the mask's top-left corner.

    Returns
    -------
    Polygon, MultiPolygon or None
        Parts that touch only at a corner are parts of a MultiPolygon; None for an empty mask.
    """
    points, ends = _trace(np.ascontiguousarray(mask, dtype=np.bool_))
    if not len(ends):
        return None
    vertices = points.astype(np.float64) + np.asarray(origin, dtype=np.float64)
    rings = np.split(vertices, ends[:-1])
    # exteriors run clockwise on the screen, which is a positive area with y down
    turns = np.array([_doubled_area(ring) for ring in rings])
    exteriors = [ring for ring, turn in zip(rings, turns, strict=True) if turn > 0]
    holes = [ring for ring, turn in zip(rings, turns, strict=True) if turn < 0]
    return _assembled(exteriors, holes)


def mask_from_outline(
    outline: Any, origin: tuple[int, int], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return which pixels of a window have their centre inside an outline.

    A centre on the border counts for the crystal to the right of or below it, so that outlines
    that share an edge never share a pixel.

    Parameters
    ----------
    outline
        Polygon or MultiPolygon in px, holes are outside.
    origin
        x and y in px of the window's top-left corner.
    shape
        Height and width of the window in px.
    """
    rings = shapely.get_rings(shapely.get_parts(outline))
    points, owner = shapely.get_coordinates(rings, return_index=True)
    starts = np.searchsorted(owner, np.arange(len(rings) + 1))
    return _fill(points - np.asarray(origin, dtype=np.float64), starts, *shape)


def pixel_window(
    outline: Any, shape: tuple[int, int] | None = None
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return origin (x, y) and shape (h, w) of the pixels an outline can cover.

    Parameters
    ----------
    outline
        Polygon or MultiPolygon in px.
    shape
        Height and width of the picture to clip to; h or w is 0 when the outline lies outside.
    """
    left, top, right, bottom = shapely.bounds(outline)
    x0, y0, x1, y1 = (
        int(np.floor(left)),
        int(np.floor(top)),
        int(np.ceil(right)),
        int(np.ceil(bottom)),
    )
    if shape is not None:
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, shape[1]), min(y1, shape[0])
    return (x0, y0), (max(y1 - y0, 0), max(x1 - x0, 0))


def _doubled_area(ring: NDArray[np.float64]) -> float:
    """Return twice the signed area (shoelace formula), positive when clockwise on the screen."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def _assembled(exteriors: list[NDArray[Any]], holes: list[NDArray[Any]]) -> Outline:
    """Give each hole to the smallest exterior around it."""
    if len(exteriors) == 1:
        return shapely.Polygon(exteriors[0], holes)
    shells = [shapely.Polygon(ring) for ring in exteriors]
    owned: list[list[NDArray[Any]]] = [[] for _ in shells]
    for hole in holes:
        inner = shapely.Polygon(hole)
        around = [k for k, shell in enumerate(shells) if shell.covers(inner)]
        owned[min(around, key=lambda k: shells[k].area)].append(hole)
    parts = [shapely.Polygon(ring, own) for ring, own in zip(exteriors, owned, strict=True)]
    return shapely.MultiPolygon(parts)


@njit(cache=True, nogil=True)
def _trace(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Walk all boundary rings with the mask on the right; return corners and where rings end.

    Each ring has an edge along the top of a pixel, so scanning for unused top edges finds all. At
    a corner where two pixels touch diagonally the walk turns right, and a ring that passes a
    corner twice is split there: every ring given back is simple.
    """
    height, width = mask.shape
    used = np.zeros((height, width), np.bool_)
    last = np.full((height + 1, width + 1), -1, np.int64)  # place on the stack of each corner
    step_x, step_y = np.array([1, 0, -1, 0]), np.array([0, 1, 0, -1])
    stack_x, stack_y = np.empty(256, np.int64), np.empty(256, np.int64)
    out = np.empty((256, 2), np.int64)
    ends = np.empty(64, np.int64)
    n_out = n_ends = 0
    for row in range(height):
        for column in range(width):
            if not mask[row, column] or (row > 0 and mask[row - 1, column]) or used[row, column]:
                continue
            x, y, heading, depth = column, row, 0, 0
            while True:
                # the corner (x, y) starts an edge: put it on the stack, closing a loop if there
                place = last[y, x]
                closing = depth > 0 and x == column and y == row and heading == 0
                if place >= 0 or closing:
                    first = place if place >= 0 else 0
                    count = depth - first
                    while n_out + count > len(out):
                        out = np.concatenate((out, np.empty_like(out)))
                    for k in range(first, depth):
                        out[n_out, 0], out[n_out, 1] = stack_x[k], stack_y[k]
                        n_out += 1
                        last[stack_y[k], stack_x[k]] = -1
                    if n_ends == len(ends):
                        ends = np.concatenate((ends, np.empty_like(ends)))
                    ends[n_ends] = n_out
                    n_ends += 1
                    depth = first
                if closing:
                    break
                if depth == len(stack_x):
                    stack_x = np.concatenate((stack_x, np.empty_like(stack_x)))
                    stack_y = np.concatenate((stack_y, np.empty_like(stack_y)))
                stack_x[depth], stack_y[depth] = x, y
                last[y, x] = depth
                depth += 1
                # go straight on until the next corner
                while True:
                    if heading == 0:
                        used[y, x] = True
                    x += step_x[heading]
                    y += step_y[heading]
                    turn = _turn(mask, x, y, heading)
                    if turn != 0:
                        heading = (heading + turn) % 4
                        break
    return out[:n_out], ends[:n_ends]


@njit(cache=True, nogil=True)
def _turn(mask: NDArray[np.bool_], x: int, y: int, heading: int) -> int:
    """Return 1 to turn right, 0 to go on, 3 to turn left at a grid corner."""
    # the two pixels ahead: on the right hand and on the left hand of the way
    if heading == 0:
        right_row, right_column, left_row, left_column = y, x, y - 1, x
    elif heading == 1:
        right_row, right_column, left_row, left_column = y, x - 1, y, x
    elif heading == 2:
        right_row, right_column, left_row, left_column = y - 1, x - 1, y, x - 1
    else:
        right_row, right_column, left_row, left_column = y - 1, x, y - 1, x - 1
    if not _is_set(mask, right_row, right_column):
        return 1
    return 3 if _is_set(mask, left_row, left_column) else 0


@njit(cache=True, nogil=True)
def _is_set(mask: NDArray[np.bool_], row: int, column: int) -> bool:
    inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
    return inside and mask[row, column]


@njit(cache=True, nogil=True)
def _fill(
    points: NDArray[np.float64], starts: NDArray[np.int64], height: int, width: int
) -> NDArray[np.bool_]:
    """Toggle each row at its crossings (even-odd rule), then run along the rows."""
    mask = np.zeros((height, width), np.bool_)
    for ring in range(len(starts) - 1):
        for k in range(starts[ring], starts[ring + 1] - 1):
            xa, ya, xb, yb = points[k, 0], points[k, 1], points[k + 1, 0], points[k + 1, 1]
            if ya > yb:
                xa, ya, xb, yb = xb, yb, xa, ya
            first = max(int(np.ceil(ya - 0.5)), 0)
            stop = min(int(np.ceil(yb - 0.5)), height)
            for row in range(first, stop):
                x = xa + (row + 0.5 - ya) * (xb - xa) / (yb - ya)
                column = max(int(np.ceil(x - 0.5)), 0)
                if column < width:
                    mask[row, column] = not mask[row, column]
    for row in range(height):
        inside = False
        for column in range(width):
            inside = inside != mask[row, column]
            mask[row, column] = inside
    return mask
