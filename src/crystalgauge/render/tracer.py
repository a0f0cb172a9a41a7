"""Light through one convex crystal.

The optics of every path of faces is worked out once; see `paths`. Along a row of pixels the
distance to every face is a straight line in x, so the face met next is the lower envelope of
lines: a row is cut into runs of equal paths, and no pixel is traced by itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.paths import GRAZING, MAX_NODES, Tree, grow, set_entries

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAR = 1e30


@njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _next_run(start, rise, level, rate, ahead, count, node, x, last, length):  # type: ignore[no-untyped-def]
    """Return the face met first in column ``x`` and the last column in which it still is.

    The distance to face f is ``(start[level, f] + rise[level, f] * x) * rate[node, f]``; the first
    ``count`` of ``ahead[node]`` are the faces ahead. ``length`` is scratch.
    """
    column = np.float32(x)
    nearest, hit = np.float32(FAR), 0
    for i in range(count):
        face = ahead[node, i]
        length[i] = (start[level, face] + rise[level, face] * column) * rate[node, face]
        if length[i] < nearest:
            nearest, hit = length[i], face
    slope = rise[level, hit] * rate[node, hit]
    reach = np.float32(last - x)
    for i in range(count):
        face = ahead[node, i]
        closing = slope - rise[level, face] * rate[node, face]
        if closing > np.float32(1e-7):
            reach = min(reach, (length[i] - nearest) / closing)
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
        Scratch space; see `paths.new_tree`.
    """
    directions, height, width = layers.shape
    faces = len(normals)
    levels = reflections + 2
    planes = np.empty((faces, 3), np.float32)  # ray length to a plane: [0] + [1] x + [2] y
    speed = np.empty(faces, np.float32)
    offset = np.empty(faces, np.float32)
    entered = np.empty((1, faces), np.int32)  # faces a ray may enter through
    ones = np.ones((1, faces), np.float32)
    start = np.empty((levels, faces), np.float32)
    rise = np.empty((levels, faces), np.float32)
    length = np.empty(faces, np.float32)
    run_node = np.empty(levels, np.int64)
    run_next = np.empty(levels, np.int64)
    run_last = np.empty(levels, np.int64)
    upper = np.empty((faces * faces, 2), np.float32)
    lower = np.empty((faces * faces, 2), np.float32)
    child, approach, reciprocal, bounces = tree.child, tree.approach, tree.reciprocal, tree.bounces
    ahead, ahead_count, radiance = tree.ahead, tree.ahead_count, tree.radiance
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
                entered[0, entries] = face
                entries += 1
        right, left, top, bottom = _edges_of_view(planes, speed, upper, lower)
        set_entries(tree, normals, index, ray, condenser)
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
                entry, end = _next_run(
                    start, rise, 0, ones, entered, entries, 0, column, last, length
                )
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
                        start,
                        rise,
                        level,
                        reciprocal,
                        ahead,
                        ahead_count[node],
                        node,
                        x,
                        run_last[level],
                        length,
                    )
                    run_next[level] = end + 1
                    leg = start[level, hit] * reciprocal[node, hit]
                    leg_rise = rise[level, hit] * reciprocal[node, hit]
                    if level == 1:
                        first_leg, first_rise = leg, leg_rise
                    if child[node, hit] < 0:
                        grow(tree, node, hit, grown, normals, index, reflections, condenser)
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
