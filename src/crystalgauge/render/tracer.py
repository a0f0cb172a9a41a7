"""Light through one convex crystal, with the optics of every path of faces worked out once.

Between flat faces a ray's direction depends only on the faces it has met. So each crystal and
direction keeps a tree of face sequences, grown when a ray first takes a branch; refraction,
Fresnel terms and the condenser's light are stored in its nodes. Where rays follow the same path
is a convex patch of the image: if both ends of a span end in the same leaf, so does the span.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from crystalgauge.render.optics import condenser_radiance, reflectance, refracted_cosine

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_NODES = 4096
SPAN_PX = 8
"""Longest stretch of a row filled without looking inside."""

LEAST_WEIGHT = 0.01
"""A path is cut when this share of the light is left in it."""

GRAZING = 1e-6
FAR = 1e30


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
        np.empty((MAX_NODES, 3)),
        np.empty(MAX_NODES),
        np.empty(MAX_NODES),
        np.empty(MAX_NODES, np.int32),
    )


@njit(cache=True, nogil=True)
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
    for face in range(len(normals)):
        speed = (
            normals[face, 0] * direction[0]
            + normals[face, 1] * direction[1]
            + normals[face, 2] * direction[2]
        )
        tree.child[node, face] = -1
        tree.approach[node, face] = speed
        tree.reciprocal[node, face] = 1.0 / speed if speed > GRAZING else 0.0


@njit(cache=True, nogil=True)
def _set_entries(
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


@njit(cache=True, nogil=True)
def _grow(
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


@njit(cache=True, nogil=True)
def _follow(
    tree: Tree,
    entry: int,
    slack: NDArray[np.float32],
    state: NDArray[np.int64],
    normals: NDArray[np.float32],
    index: float,
    reflections: int,
    condenser: tuple[float, float, float, float, float, float],
) -> tuple[int, float]:
    """Return the leaf a ray ends in and the length of its first leg, in px.

    ``slack`` holds each face's distance from the entry point along its normal, and is spent.
    ``state[0]`` is the number of nodes grown.
    """
    faces = len(normals)
    node = entry
    first_leg = -1.0
    while True:
        nearest, hit = np.float32(FAR), -1
        for face in range(faces):
            reciprocal = tree.reciprocal[node, face]
            if reciprocal > 0.0:
                length = slack[face] * reciprocal
                if length < nearest:
                    nearest, hit = length, face
        if first_leg < 0.0:
            first_leg = max(nearest, np.float32(0.0))
        following = tree.child[node, hit]
        if following < 0:
            following = state[0]
            _grow(tree, node, hit, following, normals, index, reflections, condenser)
            state[0] = min(following + 1, MAX_NODES - 1)
        if tree.bounces[following] < 0:
            return following, first_leg
        for face in range(faces):
            slack[face] -= nearest * tree.approach[node, face]
        slack[hit] = 0.0
        node = following


@njit(cache=True, nogil=True)
def _row_interval(
    planes: NDArray[np.float32], speed: NDArray[np.float32], y: float, width: int
) -> tuple[int, int]:
    """Return the first and last pixel of a row whose rays meet the crystal."""
    low, high = 0.0, width - 1.0
    for i in range(len(planes)):
        if speed[i] >= 0.0:
            continue
        for j in range(len(planes)):
            if speed[j] < 0.0:
                continue
            slope = planes[i, 1] - planes[j, 1]
            room = planes[j, 0] - planes[i, 0] + (planes[j, 2] - planes[i, 2]) * y
            if slope > 0.0:
                high = min(high, room / slope)
            elif slope < 0.0:
                low = max(low, room / slope)
            elif room <= 0.0:
                return 1, 0
    if low > high:  # also keeps a bound far outside from overflowing as an integer
        return 1, 0
    return math.ceil(low), math.floor(high)


@njit(cache=True, nogil=True)
def trace_crystal(
    layers: NDArray[np.float32],
    normals: NDArray[np.float32],
    distances: NDArray[np.float32],
    centre: tuple[float, float, float],
    index: float,
    absorption: float,
    rays: NDArray[np.float64],
    jitter: NDArray[np.float64],
    reflections: int,
    condenser: tuple[float, float, float, float, float, float],
    clear: NDArray[np.float64],
    tree: Tree,
) -> None:
    """Write the light of one crystal, relative to the clear field, for each direction.

    Parameters
    ----------
    layers
        ``(K, h, w)``, overwritten; 1 where the ray misses the crystal.
    normals, distances
        ``(F, 3)`` and ``(F,)`` facets about the crystal's centre, distances in px.
    centre
        x, y of the crystal in px from the window's upper left corner, z from the focal plane.
    index
        Refractive index of the crystal relative to its surroundings.
    absorption
        Beer-Lambert coefficient per px, applied to a path's first leg.
    rays
        ``(K, 3)`` unit directions away from the camera (z < 0).
    jitter
        ``(K, 2)`` where in its pixel each direction's ray crosses the focal plane.
    reflections
        Internal reflections followed.
    condenser
        As from `optics.condenser_terms`.
    clear
        ``(K,)`` light of each direction without a crystal.
    tree
        Scratch space; see `new_tree`.
    """
    directions, height, width = layers.shape
    faces = len(normals)
    planes = np.empty((faces, 3), np.float32)  # ray length to a plane: [0] + [1] x + [2] y
    speed = np.empty(faces, np.float32)
    offset = np.empty(faces, np.float32)
    slack = np.empty(faces, np.float32)
    state = np.empty(1, np.int64)
    for k in range(directions):
        ray = (rays[k, 0], rays[k, 1], rays[k, 2])
        for face in range(faces):
            nx, ny, nz = normals[face, 0], normals[face, 1], normals[face, 2]
            along = nx * ray[0] + ny * ray[1] + nz * ray[2]
            if abs(along) < GRAZING:
                along = GRAZING
            speed[face] = along
            offset[face] = (
                distances[face]
                - nx * (jitter[k, 0] - centre[0])
                - ny * (jitter[k, 1] - centre[1])
                + nz * centre[2]
            )
            planes[face, 0] = offset[face] / along
            planes[face, 1] = -nx / along
            planes[face, 2] = -ny / along
        _set_entries(tree, normals, index, ray, condenser)
        state[0] = faces
        for y in range(height):
            for x in range(width):
                layers[k, y, x] = 1.0
            first, last = _row_interval(planes, speed, y, width)
            x, leaf, leg = first, -1, 0.0
            reached = first - 1  # pixels up to here are filled; ``leaf`` is that of ``reached``
            step = SPAN_PX
            while reached < last:
                x = min(reached + step, last) if leaf >= 0 else first
                enter, entry = np.float32(-FAR), -1
                for face in range(faces):
                    if speed[face] < 0.0:
                        t = planes[face, 0] + planes[face, 1] * x + planes[face, 2] * y
                        if t > enter:
                            enter, entry = t, face
                for face in range(faces):
                    slack[face] = (
                        offset[face]
                        - normals[face, 0] * x
                        - normals[face, 1] * y
                        - enter * speed[face]
                    )
                found, length = _follow(
                    tree, entry, slack, state, normals, index, reflections, condenser
                )
                if found != leaf and leaf >= 0 and x > reached + 1:
                    step = (x - reached) // 2
                    continue
                value = tree.radiance[found] / clear[k]
                span = x - reached
                for i in range(1, span + 1):
                    through = value
                    if absorption > 0.0:
                        chord = leg + (length - leg) * i / span if span > 1 else length
                        through = value * math.exp(-absorption * chord)
                    layers[k, y, reached + i] = through
                step = SPAN_PX if found == leaf else 2
                leaf, leg, reached = found, length, x
