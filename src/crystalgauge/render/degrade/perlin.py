"""Perlin's gradient noise, one texture of one scale.

K. Perlin, Improving noise, ACM Transactions on Graphics 21 (2002) 681. Along a row the noise is a
blend of two straight lines per cell, so that a pixel costs a few multiplications.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.noise import hash_bits, hash_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIRECTIONS = 256
_ANGLES = np.arange(_DIRECTIONS) * (2 * math.pi / _DIRECTIONS)
_COS, _SIN = np.cos(_ANGLES).astype(np.float32), np.sin(_ANGLES).astype(np.float32)


@dataclass(frozen=True)
class PerlinTexture:
    """A texture N_P(k).

    Parameters
    ----------
    scale_px
        k, the lattice spacing.
    seed
        Of the gradients and of where the lattice lies.
    """

    scale_px: float
    seed: int


def perlin_noise(
    texture: PerlinTexture, shape: tuple[int, int], *, step_px: int = 1
) -> NDArray[np.float32]:
    """Return gradient noise, within +-sqrt(1/2) and 0 at the lattice points.

    Parameters
    ----------
    texture
        Which.
    shape
        Rows and columns of the result.
    step_px
        Distance of neighbouring samples; the first one is the centre of the first pixel.
    """
    out = np.empty(shape, np.float32)
    _write(out, step_px / texture.scale_px, 0.5 / texture.scale_px, texture.seed, _COS, _SIN)
    return out


@njit(cache=True, nogil=True)
def _lattice(length, step, start):  # type: ignore[no-untyped-def]
    """Return cell, position in the cell (0 to 1) and Perlin's fade of it, for each sample."""
    cell = np.empty(length, np.int32)
    inside, fade = np.empty(length, np.float32), np.empty(length, np.float32)
    for i in range(length):
        position = start + i * step
        cell[i] = int(position)
        t = position - cell[i]
        inside[i] = t
        fade[i] = t * t * t * (t * (6 * t - 15) + 10)
    return cell, inside, fade


@njit(cache=True, nogil=True)
def _write(out, step, start, seed, cosines, sines):  # type: ignore[no-untyped-def]
    """Overwrite ``out`` with noise."""
    height, width = out.shape
    one = np.float32(1)
    rows, v, fade_v = _lattice(height, step, start + hash_uniform(seed, -1, 0))
    columns, u, fade_u = _lattice(width, step, start + hash_uniform(seed, -1, 1))
    n_rows, n_columns = rows[-1] + 2, columns[-1] + 2
    gx = np.empty((n_rows, n_columns), np.float32)
    gy = np.empty((n_rows, n_columns), np.float32)
    for i in range(n_rows):
        for j in range(n_columns):
            direction = np.int64(hash_bits(seed, i, j) >> np.uint64(56))
            gx[i, j], gy[i, j] = cosines[direction], sines[direction]
    cells = n_columns - 1
    level, slope = np.empty(n_columns, np.float32), np.empty(n_columns, np.float32)
    level_gain, slope_gain = np.empty(cells, np.float32), np.empty(cells, np.float32)
    for y in range(height):
        i, f = rows[y], fade_v[y]
        for j in range(n_columns):
            slope[j] = (one - f) * gx[i, j] + f * gx[i + 1, j]
            level[j] = (one - f) * v[y] * gy[i, j] + f * (v[y] - one) * gy[i + 1, j]
        for j in range(cells):
            # from the line of a cell's left corners to that of its right ones
            level_gain[j] = level[j + 1] - slope[j + 1] - level[j]
            slope_gain[j] = slope[j + 1] - slope[j]
        for x in range(width):
            c = np.uintp(columns[x])
            left = level[c] + slope[c] * u[x]
            out[y, x] = left + fade_u[x] * (level_gain[c] + slope_gain[c] * u[x])
