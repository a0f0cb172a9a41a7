"""An outline as centre, second-moment frame and radii, and back.

For a polygon with centroid ``c`` and area covariance ``S`` the frame ``W = sqrtm(S)`` is unique
and continuous: it has no angle, so nothing jumps when a square turns. In the frame whitened by
``W`` every crystal is about as wide as it is long, and K radii ``r_k`` along unit vectors ``u_k``
give the outline ``x_k = c + r_k W u_k``: long needles cost no more vertices than cubes.

A code is ``(cx, cy, h11, h12, h22, r_0 ... r_{K-1})`` with ``h = log W``. Radii are scaled so that
the K-gon has the polygon's area: sampling a convex outline would shrink it (by 0.9 % at K = 32).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FRAME = 5
"""Entries of a code before the radii."""

Array = NDArray[np.float64]
_SMALL = 1e-9


@njit(cache=True, nogil=True)
def moments(points: Array) -> tuple[float, float, float, float, float, float]:
    """Return signed area, centroid and area covariance of a polygon.

    Parameters
    ----------
    points
        ``(V, 2)`` vertices in order.

    Returns
    -------
    tuple
        Area (px²), cx, cy (px), Sxx, Sxy, Syy (px²); a covariance of 1 for an empty polygon.
    """
    count = points.shape[0]
    ox, oy = points[0, 0], points[0, 1]  # moments about a vertex lose no digits far from the origin
    area = sx = sy = xx = xy = yy = 0.0
    for i in range(count):
        j = (i + 1) % count
        x0, y0 = points[i, 0] - ox, points[i, 1] - oy
        x1, y1 = points[j, 0] - ox, points[j, 1] - oy
        cross = x0 * y1 - x1 * y0
        area += cross
        sx += (x0 + x1) * cross
        sy += (y0 + y1) * cross
        xx += cross * (x0 * x0 + x0 * x1 + x1 * x1)
        yy += cross * (y0 * y0 + y0 * y1 + y1 * y1)
        xy += cross * (x0 * y1 + 2 * x0 * y0 + 2 * x1 * y1 + x1 * y0)
    area *= 0.5
    if abs(area) < _SMALL:
        return 0.0, ox, oy, 1.0, 0.0, 1.0
    cx, cy = sx / (6 * area), sy / (6 * area)
    return (
        area,
        cx + ox,
        cy + oy,
        xx / (12 * area) - cx * cx,
        xy / (24 * area) - cx * cy,
        yy / (12 * area) - cy * cy,
    )


@njit(cache=True, nogil=True)
def half_log(sxx: float, sxy: float, syy: float) -> tuple[float, float, float]:
    """Return half the logarithm of a symmetric 2 x 2 matrix: the logarithm of its root."""
    mean = 0.5 * (sxx + syy)
    spread = math.hypot(0.5 * (sxx - syy), sxy)
    large = max(mean + spread, 1e-6)
    small = max(mean - spread, 1e-6)
    log_large, log_small = 0.5 * math.log(large), 0.5 * math.log(small)
    if spread < _SMALL * large:
        return log_large, 0.0, log_large
    k = (log_large - log_small) / (large - small)
    return log_small + k * (sxx - small), k * sxy, log_small + k * (syy - small)


@njit(cache=True, nogil=True)
def exponential(h11: float, h12: float, h22: float) -> tuple[float, float, float]:
    """Return the exponential of a symmetric 2 x 2 matrix."""
    mean = 0.5 * (h11 + h22)
    spread = math.hypot(0.5 * (h11 - h22), h12)
    ratio = math.sinh(spread) / spread if spread > 1e-6 else 1.0
    scale, ch = math.exp(mean), math.cosh(spread)
    return (
        scale * (ch + ratio * (h11 - mean)),
        scale * ratio * h12,
        scale * (ch + ratio * (h22 - mean)),
    )


@njit(cache=True, nogil=True)
def ray_radii(points: Array, cx: float, cy: float, frame: Array, radii: Array) -> bool:
    """Intersect rays from a centre with an outline, in a given frame.

    Parameters
    ----------
    points
        ``(V, 2)`` vertices in px.
    cx, cy
        Origin of the rays.
    frame
        ``(3,)`` entries w11, w12, w22 of W.
    radii
        ``(K,)``, filled with the farthest intersection along ``W u_k``.

    Returns
    -------
    bool
        False when some ray meets no edge (the centre lies outside); that radius is then small.
    """
    det = frame[0] * frame[2] - frame[1] * frame[1]
    i11, i12, i22 = frame[2] / det, -frame[1] / det, frame[0] / det
    count, directions = points.shape[0], radii.shape[0]
    complete = True
    for k in range(directions):
        ux, uy = math.cos(2 * math.pi * k / directions), math.sin(2 * math.pi * k / directions)
        best = 0.0
        for i in range(count):
            j = (i + 1) % count
            px, py = points[i, 0] - cx, points[i, 1] - cy
            qx, qy = points[j, 0] - cx, points[j, 1] - cy
            ax, ay = i11 * px + i12 * py, i12 * px + i22 * py
            bx, by = i11 * qx + i12 * qy, i12 * qx + i22 * qy
            across, ahead = ux * ay - uy * ax, ux * by - uy * bx
            if across * ahead > 0 or across == ahead:
                continue
            t = across / (across - ahead)
            best = max(best, ux * (ax + t * (bx - ax)) + uy * (ay + t * (by - ay)))
        if best <= 0:
            complete = False
            best = 1e-3
        radii[k] = best
    return complete


@njit(cache=True, nogil=True)
def radial_area(radii: Array) -> float:
    """Return the area of the K-gon with these radii, in units of det W."""
    count = radii.shape[0]
    total = 0.0
    for k in range(count):
        total += radii[k] * radii[(k + 1) % count]
    return 0.5 * math.sin(2 * math.pi / count) * total


@njit(cache=True, nogil=True)
def encode_polygon(points: Array, code: Array) -> float:
    """Write the code of a polygon and return its area.

    Parameters
    ----------
    points
        ``(V, 2)`` vertices in px.
    code
        ``(5 + K,)``, filled.

    Returns
    -------
    float
        Area in px²; 0 for a polygon without one, whose code is then meaningless.
    """
    area, cx, cy, sxx, sxy, syy = moments(points)
    area = abs(area)
    if area < 1e-3:
        return 0.0
    h11, h12, h22 = half_log(sxx, sxy, syy)
    code[0], code[1], code[2], code[3], code[4] = cx, cy, h11, h12, h22
    frame = np.empty(3)
    frame[0], frame[1], frame[2] = exponential(h11, h12, h22)
    ray_radii(points, cx, cy, frame, code[FRAME:])
    det = frame[0] * frame[2] - frame[1] * frame[1]
    code[FRAME:] *= math.sqrt(area / (det * radial_area(code[FRAME:])))
    return area


@njit(cache=True, nogil=True)
def encode_packed(points: Array, offsets: NDArray[np.int64], vertices: int) -> tuple[Array, Array]:
    """Encode many polygons.

    Parameters
    ----------
    points
        ``(V, 2)`` vertices of all polygons, one after the other.
    offsets
        ``(N + 1,)`` first vertex of each polygon.
    vertices
        K.

    Returns
    -------
    tuple
        ``(N, 5 + K)`` codes and ``(N,)`` areas in px².
    """
    count = offsets.shape[0] - 1
    codes, areas = np.zeros((count, FRAME + vertices)), np.zeros(count)
    for i in range(count):
        areas[i] = encode_polygon(points[offsets[i] : offsets[i + 1]], codes[i])
    return codes, areas


def decode_codes(codes: NDArray[Any]) -> Array:
    """Return the outlines of codes.

    Parameters
    ----------
    codes
        ``(N, 5 + K)``.

    Returns
    -------
    ndarray
        ``(N, K, 2)`` vertices in px.
    """
    codes = np.asarray(codes, np.float64)
    mean = 0.5 * (codes[:, 2] + codes[:, 4])
    spread = np.hypot(0.5 * (codes[:, 2] - codes[:, 4]), codes[:, 3])
    ratio = np.where(spread > 1e-6, np.sinh(spread) / np.maximum(spread, 1e-6), 1.0)
    scale, ch = np.exp(mean), np.cosh(spread)
    w11 = scale * (ch + ratio * (codes[:, 2] - mean))
    w12 = scale * ratio * codes[:, 3]
    w22 = scale * (ch + ratio * (codes[:, 4] - mean))
    count = codes.shape[1] - FRAME
    angle = 2 * np.pi * np.arange(count) / count
    x, y = codes[:, FRAME:] * np.cos(angle), codes[:, FRAME:] * np.sin(angle)
    return np.stack(
        [
            codes[:, 0:1] + w11[:, None] * x + w12[:, None] * y,
            codes[:, 1:2] + w12[:, None] * x + w22[:, None] * y,
        ],
        axis=-1,
    )


@njit(cache=True, nogil=True)
def ray_radii_packed(codes: Array, outlines: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Measure outlines along the rays of other outlines' codes.

    Parameters
    ----------
    codes
        ``(N, 5 + K)`` centres and frames that define the rays; their radii are not used.
    outlines
        ``(N, V, 2)`` vertices in px, one outline for each code.

    Returns
    -------
    tuple
        ``(N, K)`` radii scaled to the outline's area, and ``(N,)`` whether every ray met it.
    """
    count, rays = codes.shape[0], codes.shape[1] - FRAME
    radii, complete = np.zeros((count, rays)), np.zeros(count, np.bool_)
    frame = np.empty(3)
    for n in range(count):
        frame[0], frame[1], frame[2] = exponential(codes[n, 2], codes[n, 3], codes[n, 4])
        complete[n] = ray_radii(outlines[n], codes[n, 0], codes[n, 1], frame, radii[n])
        det = frame[0] * frame[2] - frame[1] * frame[1]
        area = abs(moments(outlines[n])[0])
        radii[n] *= math.sqrt(area / (det * radial_area(radii[n])))
    return radii, complete
