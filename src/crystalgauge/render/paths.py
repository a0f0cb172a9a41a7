"""Paths of faces inside a convex crystal, with the optics of each worked out once.

Between flat faces a ray's direction depends only on the faces it has met. So each crystal and
direction keeps a tree of face sequences, grown when a ray first takes a branch; refraction,
Fresnel terms and the condenser's light are stored in its nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from crystalgauge.render.optics import condenser_radiance, reflectance, refracted_cosine

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_NODES = 4096
LEAST_WEIGHT = 0.04
"""A path is cut when this share of the light is left in it."""

GRAZING = 1e-6
"""A ray at less than this cosine to a face's plane runs along it."""


class Tree(NamedTuple):
    """Paths of faces inside a crystal; node ``f`` of the first F is entry through face ``f``.

    Attributes
    ----------
    child
        ``(M, F)`` node after meeting each face from inside, -1 when not yet grown.
    approach
        ``(M, F)`` cosine between the ray and each face's normal: how fast the slack shrinks.
    reciprocal
        ``(M, F)`` its reciprocal, 0 for faces the ray leaves behind.
    ahead
        ``(M, F)`` the faces that are not left behind, as many as ``ahead_count`` says.
    ahead_count
        ``(M,)`` number of these.
    direction
        ``(M, 3)`` unit direction.
    radiance
        ``(M,)`` light gathered up to here.
    weight
        ``(M,)`` share of the light still inside.
    bounces
        ``(M,)`` internal reflections so far; negative for a leaf.
    """

    child: NDArray[np.int32]
    approach: NDArray[np.float32]
    reciprocal: NDArray[np.float32]
    ahead: NDArray[np.int32]
    ahead_count: NDArray[np.int32]
    direction: NDArray[np.float64]
    radiance: NDArray[np.float64]
    weight: NDArray[np.float64]
    bounces: NDArray[np.int32]


@njit(cache=True, nogil=True)
def new_tree(faces: int) -> Tree:
    """Return an empty tree for crystals of up to ``faces`` faces.

    Parameters
    ----------
    faces
        Largest number of faces.
    """
    return Tree(
        np.empty((MAX_NODES, faces), np.int32),
        np.empty((MAX_NODES, faces), np.float32),
        np.empty((MAX_NODES, faces), np.float32),
        np.empty((MAX_NODES, faces), np.int32),
        np.empty(MAX_NODES, np.int32),
        np.empty((MAX_NODES, 3)),
        np.empty(MAX_NODES),
        np.empty(MAX_NODES),
        np.empty(MAX_NODES, np.int32),
    )


# Plain IEEE division from here on: looking for zeros before each costs an eighth of the time.
@njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _set_node(
    tree: Tree,
    node: int,
    normals: NDArray[np.float32],
    direction: tuple[float, float, float],
    light: tuple[float, float],
    bounces: int,
) -> None:
    tree.direction[node, 0], tree.direction[node, 1], tree.direction[node, 2] = direction
    tree.radiance[node], tree.weight[node] = light
    tree.bounces[node] = bounces
    count = 0
    for face in range(len(normals) if bounces >= 0 else 0):
        speed = (
            normals[face, 0] * direction[0]
            + normals[face, 1] * direction[1]
            + normals[face, 2] * direction[2]
        )
        tree.child[node, face] = -1
        tree.approach[node, face] = speed
        tree.reciprocal[node, face] = 0.0
        if speed > GRAZING:
            tree.reciprocal[node, face] = 1.0 / speed
            tree.ahead[node, count] = face
            count += 1
    tree.ahead_count[node] = count


@njit(cache=True, nogil=True, error_model="numpy")
def set_entries(
    tree: Tree,
    normals: NDArray[np.float32],
    index: float,
    ray: tuple[float, float, float],
    condenser: tuple[float, float, float, float, float, float],
) -> None:
    """Fill the first F nodes: refraction into the crystal through each face turned to us."""
    ratio = 1.0 / index
    for face in range(len(normals)):
        nx, ny, nz = normals[face, 0], normals[face, 1], normals[face, 2]
        cosine = -(nx * ray[0] + ny * ray[1] + nz * ray[2])
        if cosine <= 0.0:
            continue
        inner = refracted_cosine(cosine, ratio)
        if inner < 0.0:  # total reflection outside a crystal thinner than its surroundings
            bent, mirrored, inner = ray, 1.0, 0.0
        else:
            mirrored = reflectance(cosine, inner, 1.0, index)
            a = ratio * cosine - inner
            bent = (ratio * ray[0] + a * nx, ratio * ray[1] + a * ny, ratio * ray[2] + a * nz)
        mirror = (
            ray[0] + 2.0 * cosine * nx,
            ray[1] + 2.0 * cosine * ny,
            ray[2] + 2.0 * cosine * nz,
        )
        gathered = mirrored * condenser_radiance(mirror[0], mirror[1], mirror[2], condenser)
        _set_node(tree, face, normals, bent, (gathered, 1.0 - mirrored), 0)


@njit(cache=True, nogil=True, inline="always", error_model="numpy")
def grow(
    tree: Tree,
    node: int,
    face: int,
    new: int,
    normals: NDArray[np.float32],
    index: float,
    reflections: int,
    condenser: tuple[float, float, float, float, float, float],
) -> None:
    """Add the node reached from ``node`` by meeting ``face`` from inside."""
    nx, ny, nz = normals[face, 0], normals[face, 1], normals[face, 2]
    dx, dy, dz = tree.direction[node, 0], tree.direction[node, 1], tree.direction[node, 2]
    cosine = dx * nx + dy * ny + dz * nz
    gathered, weight = tree.radiance[node], tree.weight[node]
    outer = refracted_cosine(min(cosine, 1.0), index)
    if outer >= 0.0:
        mirrored = reflectance(cosine, outer, index, 1.0)
        a = outer - index * cosine
        light = condenser_radiance(
            index * dx + a * nx, index * dy + a * ny, index * dz + a * nz, condenser
        )
        gathered += weight * (1.0 - mirrored) * light
        weight *= mirrored
    bounces = tree.bounces[node] + 1
    if weight < LEAST_WEIGHT or bounces >= reflections or new == MAX_NODES - 1:
        bounces = -1
    mirror = (dx - 2.0 * cosine * nx, dy - 2.0 * cosine * ny, dz - 2.0 * cosine * nz)
    _set_node(tree, new, normals, mirror, (gathered, weight), bounces)
    tree.child[node, face] = new
