"""What a crystal's faces add to clear optics: roughness, inclusions and growth steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def lattice_value(x: int, y: int, seed: int) -> float:
    """Return a number in [-1, 1) that looks random in x, y and seed (an integer hash).

    Parameters
    ----------
    x, y
        Lattice point.
    seed
        Of the field.
    """
    mixed = (x * 374761393 + y * 668265263 + seed * 2147483647) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 16)) * 2246822519) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 15)) & 0xFFFFFF) / 8388608.0 - 1.0


@njit(cache=True, nogil=True)
def value_noise(x: float, y: float, seed: int) -> float:
    """Return smooth noise of unit correlation length and standard deviation about 0.4.

    Parameters
    ----------
    x, y
        Position in units of the correlation length.
    seed
        Of the field.
    """
    ix, iy = math.floor(x), math.floor(y)
    fx, fy = x - ix, y - iy
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    column, row = int(ix), int(iy)
    above = lattice_value(column, row, seed) * (1 - fx) + lattice_value(column + 1, row, seed) * fx
    below = (
        lattice_value(column, row + 1, seed) * (1 - fx)
        + lattice_value(column + 1, row + 1, seed) * fx
    )
    return above * (1 - fy) + below * fy


@njit(cache=True, nogil=True)
def surface_pattern(
    pattern: NDArray[np.float32],
    centre_x: float,
    centre_y: float,
    axis_x: float,
    axis_y: float,
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
    centre_x, centre_y
        Crystal's centre in px from the window's upper left corner.
    axis_x, axis_y
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
    height, width = pattern.shape
    for y in range(height):
        for x in range(width):
            value = 1.0
            if roughness > 0.0:
                u, v = (x - centre_x) / grain, (y - centre_y) / grain
                noise = value_noise(u, v, seed) + 0.5 * value_noise(2 * u, 2 * v, seed + 1)
                value = max(1.0 + roughness * 2.2 * noise, 0.05)
            pattern[y, x] = value
    for step in range(steps):
        offset = 0.35 * size * lattice_value(step, 1, seed)
        depth = 0.25 * lattice_value(step, 2, seed)
        reach = 0.4 + 0.8 * abs(lattice_value(step, 3, seed))
        for y in range(height):
            for x in range(width):
                dx, dy = x + 0.5 - centre_x, y + 0.5 - centre_y
                across = axis_x * dy - axis_y * dx - offset * 0.5
                pattern[y, x] *= 1.0 + depth * math.exp(-((across / reach) ** 2))
                if across > 0.0:
                    pattern[y, x] *= 1.0 + 0.25 * depth
    for speck in range(specks):
        _stamp_speck(pattern, centre_x, centre_y, size, speck, seed)


@njit(cache=True, nogil=True)
def _stamp_speck(
    pattern: NDArray[np.float32],
    centre_x: float,
    centre_y: float,
    size: float,
    speck: int,
    seed: int,
) -> None:
    height, width = pattern.shape
    sx = centre_x + 0.4 * size * lattice_value(speck, 11, seed)
    sy = centre_y + 0.4 * size * lattice_value(speck, 12, seed)
    radius = 0.5 + 0.03 * size * abs(lattice_value(speck, 13, seed))
    depth = 0.3 + 0.6 * abs(lattice_value(speck, 14, seed))
    reach = int(3 * radius) + 1
    for y in range(max(int(sy) - reach, 0), min(int(sy) + reach + 1, height)):
        for x in range(max(int(sx) - reach, 0), min(int(sx) + reach + 1, width)):
            dx, dy = (x + 0.5 - sx) / radius, (y + 0.5 - sy) / radius
            pattern[y, x] *= 1.0 - depth * math.exp(-0.5 * (dx * dx + dy * dy))
