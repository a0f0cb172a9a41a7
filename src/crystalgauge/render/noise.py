"""Value noise: smooth random fields that follow from an integer seed alone.

Lattice values are hashed from their integer coordinates, so a field does not depend on how much
of it is looked at: a window of a large field equals the field painted for that window.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Mean over all phases of the summed squared weights of a cubic B-spline along one axis.
_SPLINE_POWER = 151.0 / 315.0

_U64 = np.uint64
_STEP_SEED, _STEP_ROW, _STEP_COLUMN = (
    _U64(0x9E3779B97F4A7C15),
    _U64(0xD1B54A32D192ED03),
    _U64(0xABC98388FB8FAC03),
)
_MIX_A, _MIX_B = _U64(0xBF58476D1CE4E5B9), _U64(0x94D049BB133111EB)
_S30, _S27, _S31, _S16, _LOW = _U64(30), _U64(27), _U64(31), _U64(16), _U64(0xFFFF)


@njit(cache=True, nogil=True)
def hash_bits(seed, row, column):  # type: ignore[no-untyped-def]
    """Return 64 well-mixed bits for a lattice point (the finaliser of splitmix64)."""
    z = _U64(seed) * _STEP_SEED + _U64(row) * _STEP_ROW + _U64(column) * _STEP_COLUMN
    z = (z ^ (z >> _S30)) * _MIX_A
    z = (z ^ (z >> _S27)) * _MIX_B
    return z ^ (z >> _S31)


@njit(cache=True, nogil=True)
def hash_normal(seed: int, row: int, column: int) -> float:
    """Return a nearly normal number (sum of four uniform ones: mean 0, std 1, within +-3.46)."""
    z = hash_bits(seed, row, column)
    total = 0.0
    for _ in range(4):
        total += np.float64(z & _LOW)
        z = z >> _S16
    return (total / 65535.0 - 2.0) * 1.7320508075688772


@njit(cache=True, nogil=True)
def hash_uniform(seed: int, row: int, column: int) -> float:
    """Return a number uniform on [0, 1)."""
    return np.float64(hash_bits(seed, row, column) >> _U64(11)) / 9007199254740992.0


@njit(cache=True, nogil=True)
def _spline_weights(length: int, cell: float, origin: float):  # type: ignore[no-untyped-def]
    """Return the first lattice index and the four cubic B-spline weights of every pixel centre.

    The indices count from the first pixel's, which comes third, and bear no sign: what they
    point to can then be gathered in vector registers.
    """
    first = np.empty(length, np.uint32)
    weights = np.empty((4, length), np.float32)
    begin = math.floor((origin + 0.5) / cell)
    for i in range(length):
        u = (origin + i + 0.5) / cell
        k = math.floor(u)
        t = u - k
        first[i] = k - begin
        weights[0, i] = (1 - t) ** 3 / 6
        weights[1, i] = (3 * t**3 - 6 * t**2 + 4) / 6
        weights[2, i] = (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6
        weights[3, i] = t**3 / 6
    return first, weights, begin - 1


@njit(cache=True, nogil=True)
def _add_octave(  # type: ignore[no-untyped-def]
    out, seed, cell_y, cell_x, origin_y, origin_x, gain
):
    """Add one spline-interpolated lattice of hashed normal numbers to ``out`` (H, W)."""
    height, width = out.shape
    rows, row_weights, first_row = _spline_weights(height, cell_y, origin_y)
    columns, column_weights, first_column = _spline_weights(width, cell_x, origin_x)
    n_rows, n_columns = int(rows[-1]) + 4, int(columns[-1]) + 4
    lattice = np.empty((n_rows, n_columns), np.float32)
    for i in range(n_rows):
        for j in range(n_columns):
            lattice[i, j] = gain * hash_normal(seed, first_row + i, first_column + j)
    line = np.empty(n_columns, np.float32)
    line_1, line_2, line_3 = line[1:], line[2:], line[3:]
    for y in range(height):
        r = int(rows[y])
        for j in range(n_columns):
            line[j] = (
                row_weights[0, y] * lattice[r, j]
                + row_weights[1, y] * lattice[r + 1, j]
                + row_weights[2, y] * lattice[r + 2, j]
                + row_weights[3, y] * lattice[r + 3, j]
            )
        for x in range(width):
            c = columns[x]
            out[y, x] += (
                column_weights[0, x] * line[c]
                + column_weights[1, x] * line_1[c]
                + column_weights[2, x] * line_2[c]
                + column_weights[3, x] * line_3[c]
            )


def value_noise(
    shape: tuple[int, int],
    cell_px: float | tuple[float, float],
    seed: int,
    *,
    octaves: int = 1,
    origin_px: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.float32]:
    """Return a smooth random field, nearly normal with mean 0 and standard deviation 1.

    Parameters
    ----------
    shape
        Height and width of the window, px.
    cell_px
        Lattice spacing of the coarsest octave, at least 0.5; a pair gives rows and columns apart.
    seed
        The field's name, any non-negative integer: the same seed is the same field.
    octaves
        How many lattices are added, each at half the spacing and half the amplitude of the last.
        Those finer than a pixel are left out.
    origin_px
        Row and column of the window's top left corner in the field.

    Returns
    -------
    NDArray
        ``(H, W)`` float32. The unit standard deviation holds over many cells (a window smaller than
        one is nearly constant) and phases: at a spacing of exactly 1 px it is 0.96.
    """
    cell_y, cell_x = cell_px if isinstance(cell_px, tuple) else (cell_px, cell_px)
    out = np.zeros(shape, np.float32)
    finest = min(cell_y, cell_x)
    used = [k for k in range(octaves) if k == 0 or finest * 0.5**k >= 1]
    power = sum(0.25**k for k in used)
    for k in used:
        gain = 0.5**k / (math.sqrt(power) * _SPLINE_POWER)
        scale = 0.5**k
        _add_octave(
            out,
            seed + 7919 * k,
            max(cell_y * scale, 0.5),
            max(cell_x * scale, 0.5),
            origin_px[0],
            origin_px[1],
            gain,
        )
    return out
