"""Put crystals into the field: free, touching, crossing in projection, or intergrown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

FREE, CROSSING, TOUCHING, INTERGROWN = 0, 1, 2, 3
"""How a crystal is placed: by itself, over or under another, against its face, grown into it."""

CONTACT_GAP_PX = 0.5
"""Bodies closer than this are in contact: nothing in a picture can tell them apart."""


@njit(cache=True, nogil=True)
def separation(a: NDArray[np.float32], b: NDArray[np.float32], shift: NDArray[np.float64]) -> float:
    """Return a lower bound of the distance of two convex bodies, tight to 1 % or 0.02 px.

    Parameters
    ----------
    a, b
        ``(N, 3)`` and ``(M, 3)`` corners.
    shift
        ``(3,)`` added to every corner of ``a``.

    Returns
    -------
    float
        Distance in the unit of the corners; not above 0 when the bodies meet.

    Notes
    -----
    Frank-Wolfe steps with line search towards the point of the Minkowski difference nearest to
    the origin (Gilbert 1966, SIAM J. Control 4:61).
    """
    zx = a[0, 0] + shift[0] - b[0, 0]
    zy = a[0, 1] + shift[1] - b[0, 1]
    zz = a[0, 2] + shift[2] - b[0, 2]
    bound = -np.inf
    for _ in range(60):
        length = math.sqrt(zx * zx + zy * zy + zz * zz)
        if length < 1e-4:
            return 0.0
        near_a, near_b, ia, ib = np.inf, -np.inf, 0, 0
        for i in range(len(a)):
            along = a[i, 0] * zx + a[i, 1] * zy + a[i, 2] * zz
            if along < near_a:
                near_a, ia = along, i
        for i in range(len(b)):
            along = b[i, 0] * zx + b[i, 1] * zy + b[i, 2] * zz
            if along > near_b:
                near_b, ib = along, i
        shifted = shift[0] * zx + shift[1] * zy + shift[2] * zz
        bound = max(bound, (near_a + shifted - near_b) / length)
        if length - bound < 0.01 * length + 0.02:
            break
        dx = a[ia, 0] + shift[0] - b[ib, 0] - zx
        dy = a[ia, 1] + shift[1] - b[ib, 1] - zy
        dz = a[ia, 2] + shift[2] - b[ib, 2] - zz
        square = dx * dx + dy * dy + dz * dz
        if square < 1e-12:
            break
        step = min(max(-(zx * dx + zy * dy + zz * dz) / square, 0.0), 1.0)
        zx, zy, zz = zx + step * dx, zy + step * dy, zz + step * dz
    return bound


@njit(cache=True, nogil=True)
def _apart(
    i: int,
    shift: NDArray[np.float64],
    placed: NDArray[np.bool_],
    bodies: NDArray[np.float32],
    corner_count: NDArray[np.int32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    position: NDArray[np.float64],
) -> bool:
    """Tell whether body ``i`` at ``shift`` meets none of the bodies placed before it."""
    for j in range(i):
        if not placed[j]:
            continue
        meets = True
        for axis in range(3):
            meets = meets and (
                low[i, axis] + shift[axis] < high[j, axis] + position[j, axis]
                and high[i, axis] + shift[axis] > low[j, axis] + position[j, axis]
            )
        if meets:
            relative = shift - position[j]
            if (
                separation(bodies[i, : corner_count[i]], bodies[j, : corner_count[j]], relative)
                <= 0
            ):
                return False
    return True


@njit(cache=True, nogil=True)
def _slide_to_contact(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    direction: NDArray[np.float64],
    start: float,
) -> float:
    """Return how far from ``b`` along a unit direction ``a`` comes to rest against it.

    Conservative advancement: a move by the distance left cannot make the bodies meet.
    """
    travel = start
    for _ in range(40):
        gap = separation(a, b, direction * travel)
        if gap < CONTACT_GAP_PX / 2 or travel <= 0:
            break
        travel -= gap - CONTACT_GAP_PX / 8
    return travel


@njit(cache=True, nogil=True)
def place(
    bodies: NDArray[np.float32],
    corner_count: NDArray[np.int32],
    relation: NDArray[np.int32],
    partner: NDArray[np.int64],
    candidates: NDArray[np.float64],
    offsets: NDArray[np.float64],
    height: float,
    width: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Place bodies one after the other; draws nothing.

    Parameters
    ----------
    bodies
        ``(N, V, 3)`` corners about each body's centre, in px.
    corner_count
        ``(N,)`` valid corners.
    relation
        ``(N,)`` FREE, CROSSING, TOUCHING or INTERGROWN.
    partner
        ``(N,)`` index below the body's own that the relation refers to; a body without a placed
        partner is placed freely.
    candidates
        ``(N, C, 3)`` centres to try for a free body.
    offsets
        ``(N, C, 3)`` CROSSING and INTERGROWN: shift from the partner's centre in px; TOUCHING:
        direction from the partner.
    height, width
        Of the picture in px; a body must reach at least 3 px into it.

    Returns
    -------
    tuple
        ``(N, 3)`` centres and ``(N,)`` whether the body found a place. Only intergrown bodies
        share space with another one.
    """
    count = len(bodies)
    position = np.zeros((count, 3))
    placed = np.zeros(count, np.bool_)
    low = np.zeros((count, 3), np.float32)
    high = np.zeros((count, 3), np.float32)
    for i in range(count):
        for axis in range(3):
            low[i, axis] = bodies[i, : corner_count[i], axis].min()
            high[i, axis] = bodies[i, : corner_count[i], axis].max()
        kind = relation[i] if placed[partner[i]] else FREE
        for trial in range(candidates.shape[1]):
            centre = candidates[i, trial].copy()
            if kind != FREE:
                j = partner[i]
                travel = 1.0
                if kind == TOUCHING:
                    reach = np.sqrt((bodies[i] ** 2).sum(axis=1).max())
                    reach += np.sqrt((bodies[j] ** 2).sum(axis=1).max())
                    travel = _slide_to_contact(
                        bodies[i, : corner_count[i]],
                        bodies[j, : corner_count[j]],
                        offsets[i, trial],
                        reach,
                    )
                centre = position[j] + offsets[i, trial] * travel
            inside = (
                high[i, 0] + centre[0] > 3
                and high[i, 1] + centre[1] > 3
                and low[i, 0] + centre[0] < width - 3
                and low[i, 1] + centre[1] < height - 3
            )
            if inside and (
                kind == INTERGROWN
                or _apart(i, centre, placed, bodies, corner_count, low, high, position)
            ):
                position[i] = centre
                placed[i] = True
                break
    return position, placed


@njit(cache=True, nogil=True)
def contact_pairs(
    vertices: NDArray[np.float32], corner_count: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return the ``(M, 2)`` pairs ``i < j`` of bodies that touch or share space.

    Parameters
    ----------
    vertices
        ``(N, V, 3)`` corners in the scene frame, in px.
    corner_count
        ``(N,)`` valid corners.
    """
    count = len(vertices)
    low = np.zeros((count, 3))
    high = np.zeros((count, 3))
    for i in range(count):
        for axis in range(3):
            low[i, axis] = vertices[i, : corner_count[i], axis].min() - CONTACT_GAP_PX
            high[i, axis] = vertices[i, : corner_count[i], axis].max()
    pairs = [(0, 0) for _ in range(0)]
    nowhere = np.zeros(3)
    for i in range(count):
        for j in range(i + 1, count):
            near = True
            for axis in range(3):
                near &= low[i, axis] < high[j, axis] and low[j, axis] < high[i, axis]
            if near and (
                separation(vertices[i, : corner_count[i]], vertices[j, : corner_count[j]], nowhere)
                < CONTACT_GAP_PX
            ):
                pairs.append((i, j))
    result = np.empty((len(pairs), 2), np.int64)
    for row in range(len(pairs)):
        result[row, 0], result[row, 1] = pairs[row]
    return result
