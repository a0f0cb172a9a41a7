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


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _next_face(slack, reciprocal, node, faces):  # type: ignore[no-untyped-def]
    """Return the face a ray meets next and how far it is, in px."""
    nearest, hit = np.float32(FAR), 0
    for face in range(faces):
        inverse = reciprocal[node, face]
        if inverse > 0.0:
            length = slack[face] * inverse
            if length < nearest:
                nearest, hit = length, face
    return hit, nearest


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
    planes = np.empty((faces, 3), np.float32)  # ray length to a plane: [0] + [1] x + [2] y
    speed = np.empty(faces, np.float32)
    offset = np.empty(faces, np.float32)
    row_offset = np.empty(faces, np.float32)
    slack = np.empty(faces, np.float32)
    entered = np.empty(faces, np.int32)
    row_length = np.empty(faces, np.float32)
    end_column = np.empty(width + 1, np.int64)  # right ends of spans still open
    end_leaf = np.empty(width + 1, np.int64)
    end_chord = np.empty(width + 1, np.float32)
    upper = np.empty((faces * faces, 2), np.float32)
    lower = np.empty((faces * faces, 2), np.float32)
    child, approach, reciprocal, bounces = tree.child, tree.approach, tree.reciprocal, tree.bounces
    radiance = tree.radiance
    for k in range(directions):
        ray = (rays[k, 0], rays[k, 1], rays[k, 2])
        entries = 0
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
            if along < 0.0:
                entered[entries] = face
                entries += 1
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
            first, last = math.ceil(low), math.floor(high)
            for i in range(entries):
                row_length[i] = planes[entered[i], 0] + planes[entered[i], 2] * y
            for face in range(faces):
                row_offset[face] = offset[face] - normals[face, 1] * y
            done, leaf, chord = first - 1, -1, np.float32(0.0)  # the last column written
            open_ends, column = 0, last
            while done < last:
                x = np.float32(column)
                enter, entry = np.float32(-FAR), 0
                for i in range(entries):
                    length = row_length[i] + planes[entered[i], 1] * x
                    if length > enter:
                        enter, entry = length, entered[i]
                for face in range(faces):
                    slack[face] = row_offset[face] - normals[face, 0] * x - enter * speed[face]
                found, first_leg = entry, np.float32(-1.0)
                while bounces[found] >= 0:
                    hit, leg = _next_face(slack, reciprocal, found, faces)
                    if first_leg < 0.0:
                        first_leg = max(leg, np.float32(0.0))
                    if child[found, hit] < 0:
                        _grow(tree, found, hit, grown, normals, index, reflections, condenser)
                        grown = min(grown + 1, MAX_NODES - 1)
                    for face in range(faces):
                        slack[face] -= leg * approach[found, face]
                    slack[hit] = 0.0
                    found = child[found, hit]
                end_column[open_ends], end_leaf[open_ends] = column, found
                end_chord[open_ends] = first_leg
                open_ends += 1
                while open_ends > 0:
                    column, found = end_column[open_ends - 1], end_leaf[open_ends - 1]
                    if found != leaf and column > done + 1:
                        column = (done + column) // 2
                        break
                    open_ends -= 1
                    value = radiance[found] / clear[k]
                    length = end_chord[open_ends]
                    slant = (length - chord) / (column - done) if found == leaf else 0.0
                    for i in range(done + 1, column + 1):
                        through = value
                        if absorption > 0.0:
                            through = value * math.exp(
                                -absorption * (length - slant * (column - i))
                            )
                        layers[k, row, i] = through
                    done, leaf, chord = column, found, length
