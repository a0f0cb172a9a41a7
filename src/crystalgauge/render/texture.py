"""What a crystal's faces add to clear optics: roughness, inclusions and growth steps."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

TILE_PX = 512
SAMPLES_PER_GRAIN = 4
TILE_SEED = 0x0C0FFEE


@lru_cache(maxsize=1)
def roughness_tile() -> NDArray[np.float32]:
    """Return ``(512, 512)`` periodic noise of mean 0 and standard deviation 1, two octaves.

    Four samples are one grain. It is made once, because a look-up costs a tenth of noise made
    on the spot.
    """
    white = np.random.default_rng(TILE_SEED).standard_normal((TILE_PX, TILE_PX))
    frequency = np.fft.fftfreq(TILE_PX)[:, None] ** 2 + np.fft.rfftfreq(TILE_PX)[None, :] ** 2
    octaves = [
        weight * np.exp(-2 * (np.pi * sigma) ** 2 * frequency) * sigma
        for weight, sigma in ((1.0, SAMPLES_PER_GRAIN / 2), (0.5, SAMPLES_PER_GRAIN / 4))
    ]
    tile = np.fft.irfft2(np.fft.rfft2(white) * sum(octaves), s=white.shape)
    return np.asarray((tile - tile.mean()) / tile.std(), np.float32)


@njit(cache=True, nogil=True)
def lattice_value(i: int, j: int, seed: int) -> float:
    """Return a number in [-1, 1) that looks random in i, j and seed (an integer hash).

    Parameters
    ----------
    i, j
        What the number is for.
    seed
        Of the pattern.
    """
    mixed = (i * 374761393 + j * 668265263 + seed * 2147483647) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 16)) * 2246822519) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 15)) & 0xFFFFFF) / 8388608.0 - 1.0


@njit(cache=True, nogil=True)
def surface_pattern(
    pattern: NDArray[np.float32],
    tile: NDArray[np.float32],
    centre: tuple[float, float],
    axis: tuple[float, float],
    size: float,
    roughness: float,
    grain: float,
    specks: int,
    steps: int,
    seed: int,
) -> None:
    """Write the factor by which a crystal's faces and inclusions change the light.

    Parameters
    ----------
    pattern
        ``(h, w)``, overwritten; about 1.
    tile
        From `roughness_tile`.
    centre
        x and y of the crystal's centre in px from the window's upper left corner.
    axis
        Unit direction of the crystal's long axis in the image; steps run along it.
    size
        Largest extent of the crystal in px.
    roughness, grain
        Standard deviation and correlation length (px) of the roughness.
    specks, steps
        Number of inclusions and of growth steps.
    seed
        Of the pattern.
    """
    pattern[:] = 1.0
    if roughness > 0.0:
        _roughen(pattern, tile, centre, roughness, grain, seed)
    for step in range(steps):
        _cut_step(pattern, centre, axis, size, step, seed)
    for speck in range(specks):
        _stamp_speck(pattern, centre, size, speck, seed)


@njit(cache=True, nogil=True)
def _roughen(  # type: ignore[no-untyped-def]
    pattern, tile, centre, roughness, grain, seed
):
    """Lay the noise over the crystal, from a place in the tile that the seed names."""
    height, width = pattern.shape
    samples = SAMPLES_PER_GRAIN / grain
    row_start = (lattice_value(1, 21, seed) + 2.0) * TILE_PX
    column_start = (lattice_value(2, 22, seed) + 2.0) * TILE_PX
    for y in range(height):
        row = int(row_start + (y - centre[1]) * samples + 8 * TILE_PX) % TILE_PX
        for x in range(width):
            column = int(column_start + (x - centre[0]) * samples + 8 * TILE_PX) % TILE_PX
            pattern[y, x] = max(1.0 + roughness * tile[row, column], 0.05)


@njit(cache=True, nogil=True)
def _cut_step(  # type: ignore[no-untyped-def]
    pattern, centre, axis, size, step, seed
):
    """Draw a line along the crystal's axis; the face beyond it is a little darker or brighter."""
    height, width = pattern.shape
    offset = 0.18 * size * lattice_value(step, 1, seed)
    depth = 0.25 * lattice_value(step, 2, seed)
    reach = 0.4 + 0.8 * abs(lattice_value(step, 3, seed))
    for y in range(height):
        for x in range(width):
            across = axis[0] * (y + 0.5 - centre[1]) - axis[1] * (x + 0.5 - centre[0]) - offset
            if across > -3.0 * reach:
                line = math.exp(-((across / reach) ** 2)) if across < 3.0 * reach else 0.0
                beyond = 0.25 if across > 0.0 else 0.0
                pattern[y, x] *= 1.0 + depth * (line + beyond)


@njit(cache=True, nogil=True)
def draw_edges(
    pattern: NDArray[np.float32],
    vertices: NDArray[np.float32],
    edges: NDArray[np.int32],
    front: NDArray[np.bool_],
    depth: float,
    reach: float,
) -> None:
    """Draw the edges that border a facet turned to the camera as soft lines.

    Parameters
    ----------
    pattern
        ``(h, w)``, changed in place.
    vertices
        ``(V, 2)`` corners in px from the window's upper left corner.
    edges
        ``(E, 4)`` corners and faces of each edge.
    front
        ``(F,)`` whether a face is turned to the camera.
    depth
        Relative loss of light in the line's middle; negative for bright lines.
    reach
        Half width of the line in px.
    """
    height, width = pattern.shape
    for e in range(len(edges)):
        if not (front[edges[e, 2]] or front[edges[e, 3]]):
            continue
        ax, ay = vertices[edges[e, 0], 0], vertices[edges[e, 0], 1]
        dx, dy = vertices[edges[e, 1], 0] - ax, vertices[edges[e, 1], 1] - ay
        square = max(dx * dx + dy * dy, 1e-6)
        far = 2.5 * reach
        top = max(int(min(ay, ay + dy) - far), 0)
        bottom = min(int(max(ay, ay + dy) + far) + 1, height)
        for y in range(top, bottom):
            low, high = _line_span(y + 0.5 - ay, dx, dy, far * math.sqrt(square))
            for x in range(max(int(ax + low - 0.5), 0), min(int(ax + high + 0.5) + 1, width)):
                px, py = x + 0.5 - ax, y + 0.5 - ay
                t = min(max((px * dx + py * dy) / square, 0.0), 1.0)
                gap = (px - t * dx) ** 2 + (py - t * dy) ** 2
                if gap < far * far:
                    pattern[y, x] *= 1.0 - depth * math.exp(-gap / (reach * reach))


@njit(cache=True, nogil=True)
def _line_span(y, dx, dy, moment):  # type: ignore[no-untyped-def]
    """Return the x, from a line's start, between which a row can be near the line."""
    beyond = moment / math.sqrt(dx * dx + dy * dy + 1e-12)
    low, high = min(0.0, dx) - beyond, max(0.0, dx) + beyond
    if abs(dy) > 1e-3:
        one, other = (y * dx - moment) / dy, (y * dx + moment) / dy
        low, high = max(low, min(one, other)), min(high, max(one, other))
    return low, high


@njit(cache=True, nogil=True)
def _stamp_speck(pattern, centre, size, speck, seed):  # type: ignore[no-untyped-def]
    """Darken a round spot somewhere about the crystal's middle."""
    height, width = pattern.shape
    sx = centre[0] + 0.4 * size * lattice_value(speck, 11, seed)
    sy = centre[1] + 0.4 * size * lattice_value(speck, 12, seed)
    radius = 0.5 + 0.03 * size * abs(lattice_value(speck, 13, seed))
    depth = 0.3 + 0.6 * abs(lattice_value(speck, 14, seed))
    reach = int(3 * radius) + 1
    for y in range(max(int(sy) - reach, 0), min(int(sy) + reach + 1, height)):
        for x in range(max(int(sx) - reach, 0), min(int(sx) + reach + 1, width)):
            dx, dy = (x + 0.5 - sx) / radius, (y + 0.5 - sy) / radius
            pattern[y, x] *= 1.0 - depth * math.exp(-0.5 * (dx * dx + dy * dy))
