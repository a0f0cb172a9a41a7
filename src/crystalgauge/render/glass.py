"""Convex bodies as triangles, and bodies that grew into each other as one body of glass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.scenes.scene import placed_facets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.scene import Scene

SKIN_PX = 1e-3
"""Faces that lie on another body are not inside it."""


def glass_faces(scene: Scene) -> list[list[NDArray[np.float64]]]:
    """Return the surface of each crystal without what lies inside another one.

    Light goes through intergrown crystals of one refractive index as through one body: what is
    left of their surfaces is the surface of the union.

    Parameters
    ----------
    scene
        The scene.

    Returns
    -------
    list
        For each crystal convex polygons ``(K, 3)`` in px, turned outwards.
    """
    crystals = scene.crystals
    normals, distances = placed_facets(scene.library, crystals)
    counts = scene.library.face_count[crystals.shape]
    vertices = scene.vertices_px().astype(np.float64)
    low, high = vertices.min(axis=1), vertices.max(axis=1)
    planes = [
        (normals[row, :count].astype(np.float64), distances[row, :count].astype(np.float64))
        for row, count in enumerate(counts)
    ]
    surfaces = []
    for row, (facing, far) in enumerate(planes):
        corners = vertices[row, : scene.library.vertex_count[crystals.shape[row]]]
        faces = body_faces(corners, facing, far + facing @ crystals.position_px[row])
        near = ((low <= high[row]) & (high >= low[row])).all(axis=1)
        near[row] = False
        for other in np.flatnonzero(near):
            towards, until = planes[other]
            inner = until + towards @ crystals.position_px[other] - SKIN_PX
            faces = [part for face in faces for part in outside(face, towards, inner)]
        surfaces.append(faces)
    return surfaces


def body_faces(
    corners: NDArray[np.float64], normals: NDArray[np.float64], distances: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the faces of a convex body, each with its corners counter-clockwise from outside.

    Parameters
    ----------
    corners
        ``(V, 3)``.
    normals, distances
        ``(F, 3)`` outward unit normals and ``(F,)`` distances of the faces' planes from the origin.
    """
    size = float(np.ptp(corners, axis=0).max())
    faces = []
    for normal, distance in zip(normals, distances, strict=True):
        on = corners[np.abs(corners @ normal - distance) < 1e-4 * max(size, 1.0)]
        offset = on - on.mean(axis=0)
        across = np.cross(normal, offset[0])
        faces.append(on[np.argsort(np.arctan2(offset @ across, offset @ offset[0]))])
    return faces


def outside(
    face: NDArray[np.float64], normals: NDArray[np.float64], distances: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the convex parts of a polygon that lie outside a convex body.

    Parameters
    ----------
    face
        ``(K, 3)`` corners of a convex polygon.
    normals, distances
        ``(F, 3)`` outward normals and ``(F,)`` distances of the body's planes from the origin.
    """
    if (face @ normals.T - distances >= 0).all(axis=0).any():
        return [face]
    parts, rest = [], face
    for normal, distance in zip(normals, distances, strict=True):
        height = rest @ normal - distance
        parts.append(_above(rest, height))
        rest = _above(rest, -height)
        if len(rest) < 3:
            return [part for part in parts if len(part) >= 3]
    return [part for part in parts if len(part) >= 3]


def _above(face: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the part of a convex polygon with positive heights; fewer than 3 corners for none."""
    if (height <= 0).all():
        return face[:0]
    after, next_height = np.roll(face, -1, axis=0), np.roll(height, -1)
    kept: list[NDArray[np.float64]] = []
    for corner, follower, h, n in zip(face, after, height, next_height, strict=True):
        if h >= 0:
            kept.append(corner)
        if h * n < 0:
            kept.append(corner + (follower - corner) * h / (h - n))
    return np.array(kept)


def fan(
    faces: list[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Return corners ``(P, 3)`` and triangles ``(T, 3)`` of convex polygons.

    Corners are repeated from face to face, so that no normals are smoothed.

    Parameters
    ----------
    faces
        Polygons ``(K, 3)``; their sense of rotation is kept.
    """
    if not faces:
        return np.empty((0, 3)), np.empty((0, 3), np.uint32)
    starts = np.cumsum([0, *(len(face) for face in faces)])
    triangles = [
        (first, first + i, first + i + 1)
        for first, face in zip(starts, faces, strict=False)
        for i in range(1, len(face) - 1)
    ]
    return np.concatenate(faces), np.array(triangles, np.uint32)
