"""Light through one convex crystal, with the optics of every path of faces worked out once.

Between flat faces a ray's direction depends only on the faces it has met. So each crystal and
direction keeps a tree of face sequences, grown when a ray first takes a branch; refraction,
Fresnel terms and the condenser's light are stored in its nodes. Along a row of pixels the
distance to every face is a straight line in x, so the face met next is the lower envelope of
lines: a row is cut into runs of equal paths, and no pixel is traced by itself.
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
    for face in range(len(normals) if bounces >= 0 else 0):
        speed = (
            normals[face, 0] * direction[0]
            + normals[face, 1] * direction[1]
            + normals[face, 2] * direction[2]
        )
        tree.child[node, face] = -1
        tree.approach[node, face] = speed
        tree.reciprocal[node, face] = 1.0 / speed if speed > GRAZING else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, inline="always", error_model="numpy")
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


@njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _next_run(start, rise, level, rate, node, x, last, faces, length):  # type: ignore[no-untyped-def]
    """Return the face met first in column ``x`` and the last column in which it still is.

    The distance to face f is ``(start[level, f] + rise[level, f] * x) * rate[node, f]`` where the
    rate is positive; other faces are not ahead. ``length`` is scratch.
    """
    column = np.float32(x)
    nearest, hit = np.float32(FAR), 0
    for face in range(faces):
        here = (start[level, face] + rise[level, face] * column) * rate[node, face]
        length[face] = here if rate[node, face] > 0.0 else np.float32(FAR)
        if length[face] < nearest:
            nearest, hit = length[face], face
    slope = rise[level, hit] * rate[node, hit]
    reach = np.float32(last - x)
    for face in range(faces):
        closing = slope - rise[level, face] * rate[node, face]
        if closing > np.float32(1e-7) and length[face] < np.float32(FAR):
            reach = min(reach, (length[face] - nearest) / closing)
    return hit, x + int(max(reach, np.float32(0.0)))


@njit(cache=True, nogil=True, error_model="numpy")
def _edges_of_view(planes, speed, upper, lower):  # type: ignore[no-untyped-def]
    """List the lines ``x = a + b y`` that bound the crystal on the right and on the left.

    A ray meets the crystal when it enters every half-space it enters before it leaves any: one
    line per pair of an entered and a left face. Returns how many there are of each, and the
    least and greatest y that pairs with no x in them leave.
    """
    right, left = 0, 0
    low, high = np.float32(-FAR), np.float32(FAR)
    for i in range(len(planes)):
        if speed[i] >= 0.0:
            continue
        for j in range(len(planes)):
            if speed[j] < 0.0:
                continue
            slope = planes[i, 1] - planes[j, 1]
            start, rise = planes[j, 0] - planes[i, 0], planes[j, 2] - planes[i, 2]
            if slope > 0.0:
                upper[right, 0], upper[right, 1] = start / slope, rise / slope
                right += 1
            elif slope < 0.0:
                lower[left, 0], lower[left, 1] = start / slope, rise / slope
                left += 1
            elif rise > 0.0:
                low = max(low, -start / rise)
            elif rise < 0.0:
                high = min(high, -start / rise)
            elif start <= 0.0:
                return 0, 0, np.float32(1.0), np.float32(0.0)
    return right, left, low, high


@njit(cache=True, nogil=True, error_model="numpy")
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
    levels = reflections + 2
    planes = np.empty((faces, 3), np.float32)  # ray length to a plane: [0] + [1] x + [2] y
    speed = np.empty(faces, np.float32)
    offset = np.empty(faces, np.float32)
    ahead = np.empty((1, faces), np.float32)  # 1 for the faces a ray may enter through
    start = np.empty((levels, faces), np.float32)
    rise = np.empty((levels, faces), np.float32)
    length = np.empty(faces, np.float32)
    run_node = np.empty(levels, np.int64)
    run_next = np.empty(levels, np.int64)
    run_last = np.empty(levels, np.int64)
    upper = np.empty((faces * faces, 2), np.float32)
    lower = np.empty((faces * faces, 2), np.float32)
    child, approach, reciprocal, bounces = tree.child, tree.approach, tree.reciprocal, tree.bounces
    radiance = tree.radiance
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
            ahead[0, face] = 1.0 if along < 0.0 else 0.0
        right, left, top, bottom = _edges_of_view(planes, speed, upper, lower)
        _set_entries(tree, normals, index, ray, condenser)
        grown = faces
        for row in range(height):
            for column in range(width):
                layers[k, row, column] = 1.0
            y = np.float32(row)
            low, high = np.float32(0.0), np.float32(width - 1)
            for i in range(right):
                high = min(high, upper[i, 0] + upper[i, 1] * y)
            for i in range(left):
                low = max(low, lower[i, 0] + lower[i, 1] * y)
            if low > high or y < top or y > bottom:
                continue
            column, last = math.ceil(low), math.floor(high)
            for face in range(faces):  # entry is where the ray crosses its last plane from outside
                start[0, face] = -(planes[face, 0] + planes[face, 2] * y)
                rise[0, face] = -planes[face, 1]
            while column <= last:
                entry, end = _next_run(start, rise, 0, ahead, 0, column, last, faces, length)
                for face in range(faces):
                    start[1, face] = (
                        offset[face] - normals[face, 1] * y + start[0, entry] * speed[face]
                    )
                    rise[1, face] = rise[0, entry] * speed[face] - normals[face, 0]
                run_node[1], run_next[1], run_last[1] = entry, column, end
                column = end + 1
                level = 1
                while level > 0:
                    x, node = run_next[level], run_node[level]
                    if x > run_last[level]:
                        level -= 1
                        continue
                    hit, end = _next_run(
                        start, rise, level, reciprocal, node, x, run_last[level], faces, length
                    )
                    run_next[level] = end + 1
                    leg = start[level, hit] * reciprocal[node, hit]
                    leg_rise = rise[level, hit] * reciprocal[node, hit]
                    if level == 1:
                        first_leg, first_rise = leg, leg_rise
                    if child[node, hit] < 0:
                        _grow(tree, node, hit, grown, normals, index, reflections, condenser)
                        grown = min(grown + 1, MAX_NODES - 1)
                    following = child[node, hit]
                    if bounces[following] >= 0:
                        for face in range(faces):
                            cosine = approach[node, face]
                            start[level + 1, face] = start[level, face] - leg * cosine
                            rise[level + 1, face] = rise[level, face] - leg_rise * cosine
                        level += 1
                        run_node[level], run_next[level], run_last[level] = following, x, end
                        continue
                    light = np.float32(radiance[following] / clear[k])
                    if absorption > 0.0:
                        for i in range(x, end + 1):
                            inside = max(first_leg + first_rise * i, np.float32(0.0))
                            layers[k, row, i] = light * math.exp(-absorption * inside)
                    else:
                        for i in range(x, end + 1):
                            layers[k, row, i] = light
