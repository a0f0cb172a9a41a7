"""All crystals of a scene in one field: traced, roughened, blurred and multiplied per direction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.defocus import NEGLIGIBLE_SIGMA_PX, blur, blur_margin
from crystalgauge.render.optics import (
    GHOST_SIGMA,
    aperture_slopes,
    condenser_radiance,
    condenser_terms,
    pixel_jitter,
)
from crystalgauge.render.paths import new_tree
from crystalgauge.render.texture import draw_edges, roughness_tile, surface_pattern
from crystalgauge.render.tracer import trace_crystal
from crystalgauge.scenes.scene import placed_facets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.scene import Scene

LEAST_CLEAR = 0.01
"""Directions darker than this count as this bright when a crystal is compared with them."""


@dataclass(frozen=True, eq=False)
class CrystalLayers:
    """The crystals' light without backdrop and camera.

    Parameters
    ----------
    transmittance
        ``(H, W)`` float32 of all crystals together, 1 in the clear field.
    windows
        ``(N, 4)`` x0, y0, x1, y1 of each crystal's layer in the image, in px, end excluded.
    layers
        Each crystal's own transmittance, one window after the other, flattened.
    offsets
        ``(N + 1,)`` where each crystal's layer begins in ``layers``.
    """

    transmittance: NDArray[np.float32]
    windows: NDArray[np.int64]
    layers: NDArray[np.float32]
    offsets: NDArray[np.int64]

    def layer(self, row: int) -> NDArray[np.float32]:
        """Return one crystal's ``(h, w)`` transmittance in its window.

        Parameters
        ----------
        row
            Which crystal.
        """
        x0, y0, x1, y1 = self.windows[row]
        return self.layers[self.offsets[row] : self.offsets[row + 1]].reshape(y1 - y0, x1 - x0)


def ghost_sigma_px(scene: Scene) -> NDArray[np.float64]:
    """Return the ``(N,)`` blur that joins the directions at each crystal's depth, in px.

    Parameters
    ----------
    scene
        The scene.
    """
    optics = scene.optics
    disc = np.abs(scene.crystals.position_px[:, 2].astype(np.float64)) * optics.aperture_tan
    sigma = GHOST_SIGMA * disc / math.sqrt(optics.directions)
    return np.where((sigma > NEGLIGIBLE_SIGMA_PX) & (optics.directions > 1), sigma, 0.0)


def traced_windows(
    scene: Scene, vertices: NDArray[np.float32], slope: float, sigma_px: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the ``(N, 4)`` windows x0, y0, x1, y1 that hold all of each crystal's light.

    Windows reach beyond the frame by twice the blur's margin only: what lies in the inner one may
    show, the outer one is kept clear for the blur.

    Parameters
    ----------
    scene
        The scene.
    vertices
        ``(N, V, 3)`` corners in px.
    slope
        Largest slope of a direction.
    sigma_px
        ``(N,)`` blur of each crystal.
    """
    low, high = vertices.min(axis=1), vertices.max(axis=1)
    depth = np.maximum(np.abs(low[:, 2]), np.abs(high[:, 2]))
    margin = np.array([blur_margin(s) if s > 0 else 0 for s in sigma_px], np.int64)
    reach = np.ceil(depth * slope).astype(np.int64) + 1 + margin
    height, width = scene.shape
    windows = np.empty((len(vertices), 4), np.int64)
    windows[:, :2] = np.floor(low[:, :2]).astype(np.int64) - reach[:, None]
    windows[:, 2:] = np.ceil(high[:, :2]).astype(np.int64) + reach[:, None]
    windows[:, :2] = np.maximum(windows[:, :2], -2 * margin[:, None])
    windows[:, 2] = np.minimum(windows[:, 2], width + 2 * margin)
    windows[:, 3] = np.minimum(windows[:, 3], height + 2 * margin)
    windows[:, 2:] = np.maximum(windows[:, 2:], windows[:, :2])
    return windows


def trace_scene(scene: Scene) -> CrystalLayers:
    """Trace every crystal and put the layers together.

    Per direction k with clear light L_k the field is ``prod_i T_ik / L_k``; the picture is the
    average of these weighted with L_k, which a product of averaged layers is not.

    Parameters
    ----------
    scene
        The scene.
    """
    crystals, optics = scene.crystals, scene.optics
    slopes = aperture_slopes(optics.directions, optics.aperture_tan)
    rays = np.column_stack([slopes, np.full(len(slopes), -1.0)])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    condenser = condenser_terms(optics)
    clear = np.array([condenser_radiance(*ray, condenser) for ray in rays])
    clear = np.maximum(clear, LEAST_CLEAR)
    sigma = ghost_sigma_px(scene)
    steepest = float(np.hypot(*slopes.T).max())
    vertices = scene.vertices_px()
    windows = traced_windows(scene, vertices, steepest, sigma)
    area = (windows[:, 2] - windows[:, 0]) * (windows[:, 3] - windows[:, 1])
    offsets = np.concatenate([[0], np.cumsum(area)])
    layers = np.empty(int(offsets[-1]), np.float32)
    stack = np.ones((len(rays), *scene.shape), np.float32)
    surface = np.column_stack(
        [
            crystals.roughness,
            crystals.grain_px,
            crystals.specks,
            crystals.steps,
            crystals.edge_depth,
            crystals.edge_px,
        ]
    ).astype(np.float64)
    shape = crystals.shape
    size = crystals.size_px
    normals, distances = placed_facets(scene.library, crystals)
    _composite(
        stack,
        layers,
        offsets,
        windows,
        normals,
        distances,
        scene.library.face_count[shape],
        crystals.position_px.astype(np.float64),
        size.astype(np.float64),
        np.ascontiguousarray(crystals.rotation[:, :2, 0], np.float64),
        crystals.refractive_index.astype(np.float64),
        crystals.absorption_per_px.astype(np.float64),
        crystals.visibility,
        surface,
        vertices,
        scene.library.edges[shape],
        scene.library.edge_count[shape],
        crystals.surface_seed,
        roughness_tile(),
        sigma,
        rays,
        slopes,
        pixel_jitter(len(rays)),
        optics.reflections,
        condenser,
        clear,
    )
    return CrystalLayers(_average(stack, clear), windows, layers, offsets)


@njit(cache=True, nogil=True)
def _composite(  # type: ignore[no-untyped-def]
    stack,
    pool,
    offsets,
    windows,
    normals,
    distances,
    face_count,
    position,
    size,
    axis,
    index,
    absorption,
    visibility,
    surface,
    vertices,
    edges,
    edge_count,
    surface_seed,
    tile,
    sigma,
    rays,
    slopes,
    jitter,
    reflections,
    condenser,
    clear,
):
    """Multiply every crystal into ``stack`` (K, H, W); keep its mean layer in ``pool``."""
    directions, _, _ = stack.shape
    largest = 0
    for i in range(len(windows)):
        largest = max(largest, offsets[i + 1] - offsets[i])
    buffer = np.empty(directions * largest, np.float32)
    scratch = np.empty(directions * largest, np.float32)
    pattern = np.empty(largest, np.float32)
    tree = new_tree(normals.shape[1])
    weights = (clear / clear.sum()).astype(np.float32)
    for i in range(len(windows)):
        area = offsets[i + 1] - offsets[i]
        if area == 0:
            continue
        x0, y0 = windows[i, 0], windows[i, 1]
        width, height = windows[i, 2] - x0, windows[i, 3] - y0
        layers = buffer[: directions * area].reshape(directions, height, width)
        faces = face_count[i]
        centre = (position[i, 0] - x0, position[i, 1] - y0, position[i, 2])
        trace_crystal(
            layers,
            normals[i, :faces],
            distances[i, :faces],
            centre,
            index[i],
            absorption[i],
            rays,
            jitter,
            reflections,
            condenser,
            clear,
            tree,
        )
        if surface[i, 0] > 0 or surface[i, 2] > 0 or surface[i, 3] > 0 or surface[i, 4] != 0:
            marks = pattern[:area].reshape(height, width)
            length = max(math.hypot(axis[i, 0], axis[i, 1]), 1e-6)
            surface_pattern(
                marks,
                tile,
                (centre[0], centre[1]),
                (axis[i, 0] / length, axis[i, 1] / length),
                size[i],
                surface[i, 0],
                surface[i, 1],
                int(surface[i, 2]),
                int(surface[i, 3]),
                surface_seed[i],
            )
            if surface[i, 4] != 0:
                corners = vertices[i, :, :2] - np.array([x0, y0], np.float32)
                front = normals[i, :, 2] > 0
                draw_edges(
                    marks, corners, edges[i, : edge_count[i]], front, surface[i, 4], surface[i, 5]
                )
            _roughen(layers, marks, slopes, centre[2])
        if visibility[i] < 1.0:
            _veil(layers, visibility[i])
        if sigma[i] > 0.0:
            _clear_margin(layers, blur_margin(sigma[i]))
            blur(layers, sigma[i], scratch)
        mean = pool[offsets[i] : offsets[i + 1]].reshape(height, width)
        _multiply(stack, layers, mean, weights, x0, y0)


@njit(cache=True, nogil=True)
def _roughen(  # type: ignore[no-untyped-def]
    layers, marks, slopes, depth
):
    """Multiply the surface's pattern into each direction's layer, seen at the crystal's depth."""
    directions, height, width = layers.shape
    for k in range(directions):
        dx = round(-slopes[k, 0] * depth)
        dy = round(-slopes[k, 1] * depth)
        for y in range(height):
            row = min(max(y + dy, 0), height - 1)
            for x in range(width):
                if layers[k, y, x] != 1.0:
                    layers[k, y, x] *= marks[row, min(max(x + dx, 0), width - 1)]


@njit(cache=True, nogil=True)
def _clear_margin(layers, margin):  # type: ignore[no-untyped-def]
    """Take the light out of a window's margin: only where the frame cuts a crystal there is any."""
    height, width = layers.shape[1:]
    layers[:, :margin] = 1.0
    layers[:, max(height - margin, 0) :] = 1.0
    layers[:, :, :margin] = 1.0
    layers[:, :, max(width - margin, 0) :] = 1.0


@njit(cache=True, nogil=True)
def _veil(layers, visibility):  # type: ignore[no-untyped-def]
    """Pull the light towards the clear field's, as glare does."""
    directions, height, width = layers.shape
    for k in range(directions):
        for y in range(height):
            for x in range(width):
                layers[k, y, x] = np.float32(1.0) + visibility * (layers[k, y, x] - np.float32(1.0))


@njit(cache=True, nogil=True)
def _multiply(stack, layers, mean, weights, x0, y0):  # type: ignore[no-untyped-def]
    """Multiply a crystal into the stack where it lies in the frame, and average its layer."""
    directions, height, width = layers.shape
    _, frame_height, frame_width = stack.shape
    left, right = max(-x0, 0), min(width, frame_width - x0)
    mean[:] = 0.0
    for k in range(directions):
        for y in range(height):
            for x in range(width):
                mean[y, x] += weights[k] * layers[k, y, x]
        for y in range(max(-y0, 0), min(height, frame_height - y0)):
            for x in range(left, right):
                stack[k, y0 + y, x0 + x] *= layers[k, y, x]


@njit(cache=True, nogil=True)
def _average(stack, clear):  # type: ignore[no-untyped-def]
    """Return the directions' fields averaged with their clear light; none outshines the lamp."""
    directions, height, width = stack.shape
    picture = np.zeros((height, width), np.float32)
    scale = np.float32(1.0 / clear.sum())
    for k in range(directions):
        light = np.float32(clear[k])
        for y in range(height):
            for x in range(width):
                picture[y, x] += min(stack[k, y, x] * light, np.float32(1.0)) * scale
    return picture
