"""Truth to targets: the code of every crystal and the cells that may answer for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from crystalgauge.models.outline.config import LEVEL_RANGES, STRIDES, OutlineConfig
from crystalgauge.models.outline.frame import FRAME, encode_packed, exponential

if TYPE_CHECKING:
    from numpy.typing import NDArray

CORE = 0.75
"""Cells within this whitened distance of a centre may answer; an ellipse's edge lies at 2."""

HALO = 1.4
"""Cells within this whitened distance that do not answer are not punished either."""

REACH_CELLS = 2.5
"""Cells farther than this many strides from a centre never answer."""

THICKEN_CELLS = 0.4
"""Standard deviation, in strides, by which a crystal's ellipse is thickened for these distances."""

MOST_PER_LEVEL = 16
"""Candidate cells kept for a crystal on one level, the nearest ones."""


@dataclass(frozen=True, eq=False)
class Targets:
    """What one image teaches.

    Parameters
    ----------
    codes
        ``(N, 5 + K)`` codes of the crystals that are asked for.
    defocus_px
        ``(N,)`` blur sigma in px, NaN where it is not known.
    area_px2
        ``(N,)``.
    candidate_cell, candidate_crystal
        ``(P,)`` pairs: flat index of a cell over all levels, row of a crystal.
    candidate_distance
        ``(P,)`` whitened distance of the cell's centre from the crystal's.
    quiet
        ``(M,)`` cells that must not be counted as background.
    """

    codes: NDArray[np.float64]
    defocus_px: NDArray[np.float64]
    area_px2: NDArray[np.float64]
    candidate_cell: NDArray[np.int64]
    candidate_crystal: NDArray[np.int64]
    candidate_distance: NDArray[np.float64]
    quiet: NDArray[np.bool_]


def cell_grid(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return ``(M, 3)`` x, y of the cell centres (px) and strides, level by level."""
    grids = []
    for stride in STRIDES:
        rows, columns = shape[0] // stride, shape[1] // stride
        y, x = np.mgrid[:rows, :columns].reshape(2, -1).astype(np.float32)
        grids.append(np.stack([(x + 0.5) * stride, (y + 0.5) * stride, np.full_like(x, stride)], 1))
    return np.concatenate(grids)


@njit(cache=True, nogil=True)
def _candidates(
    codes: NDArray[np.float64],
    sizes: NDArray[np.float64],
    asked: NDArray[np.bool_],
    shape: tuple[int, int],
    strides: NDArray[np.int64],
    ranges: NDArray[np.float64],
    core: float,
    halo: float,
    reach: float,
    most: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Pair crystals with cells; see `Targets`."""
    cells = 0
    for stride in strides:
        cells += (shape[0] // stride) * (shape[1] // stride)
    quiet = np.zeros(cells, np.bool_)
    pair_cell, pair_crystal, pair_distance = [0][:0], [0][:0], [0.0][:0]
    near_cell, near_q = np.empty(most, np.int64), np.empty(most)
    offset = 0
    for level in range(strides.shape[0]):
        stride = strides[level]
        rows, columns = shape[0] // stride, shape[1] // stride
        for n in range(codes.shape[0]):
            fits = ranges[level, 0] <= sizes[n] <= ranges[level, 1]
            if asked[n] and not fits:
                continue
            cx, cy = codes[n, 0], codes[n, 1]
            w11, w12, w22 = exponential(codes[n, 2], codes[n, 3], codes[n, 4])
            # a crystal thinner than a cell would fall between cell centres: thicken it
            blur = (THICKEN_CELLS * stride) ** 2
            s11, s22 = w11 * w11 + w12 * w12 + blur, w22 * w22 + w12 * w12 + blur
            s12 = w12 * (w11 + w22)
            det = s11 * s22 - s12 * s12
            limit = halo if asked[n] else 2.0
            ex, ey = max(limit * math.sqrt(s11), stride), max(limit * math.sqrt(s22), stride)
            found = 0
            for row in range(
                max(0, int((cy - ey) / stride)), min(rows, int((cy + ey) / stride) + 1)
            ):
                for column in range(
                    max(0, int((cx - ex) / stride)), min(columns, int((cx + ex) / stride) + 1)
                ):
                    dx, dy = (column + 0.5) * stride - cx, (row + 0.5) * stride - cy
                    q = math.sqrt((s22 * dx * dx - 2 * s12 * dx * dy + s11 * dy * dy) / det)
                    away = math.hypot(dx, dy) / stride
                    cell = offset + row * columns + column
                    if not asked[n]:
                        if q < limit:
                            quiet[cell] = True
                        continue
                    if q < halo:
                        quiet[cell] = True
                    # the cell that holds the centre always may answer, however thin the crystal
                    if away > reach or (q > core and away > 0.75):
                        continue
                    q = min(q, away)
                    if found < most:
                        near_cell[found], near_q[found] = cell, q
                        found += 1
                    else:
                        worst = int(np.argmax(near_q))
                        if q < near_q[worst]:
                            near_cell[worst], near_q[worst] = cell, q
            for i in range(found):
                pair_cell.append(near_cell[i])
                pair_crystal.append(n)
                pair_distance.append(near_q[i])
        offset += rows * columns
    return (
        np.array(pair_cell, np.int64),
        np.array(pair_crystal, np.int64),
        np.array(pair_distance),
        quiet,
    )


def build_targets(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    asked: NDArray[np.bool_],
    defocus_px: NDArray[np.float64],
    shape: tuple[int, int],
    config: OutlineConfig,
) -> Targets:
    """Turn outlines into targets.

    Parameters
    ----------
    points, offsets
        Outlines in px of the image (see `crystalgauge.datasets.packed_vertices`).
    asked
        ``(N,)`` False for crystals that neither count nor hurt (too faint, cut off, ignored).
    defocus_px
        ``(N,)`` blur sigma.
    shape
        Height and width of the image, multiples of 32.
    config
        For the number of vertices.
    """
    codes, areas = encode_packed(points, offsets, config.vertices)
    inside = (
        (codes[:, 0] > 0) & (codes[:, 0] < shape[1]) & (codes[:, 1] > 0) & (codes[:, 1] < shape[0])
    )
    asked = asked & inside & (areas > 0)
    spread = np.hypot(0.5 * (codes[:, 2] - codes[:, 4]), codes[:, 3])
    length = 3.46 * np.exp(0.5 * (codes[:, 2] + codes[:, 4]) + spread)  # of a box with that moment
    sizes = np.sqrt(length * np.sqrt(np.maximum(areas, 1e-3)))
    cell, crystal, distance, quiet = _candidates(
        codes, sizes, asked, shape, np.asarray(STRIDES), np.asarray(LEVEL_RANGES),
        CORE, HALO, REACH_CELLS, MOST_PER_LEVEL,
    )  # fmt: skip
    row = np.cumsum(asked) - 1
    return Targets(
        codes[asked], defocus_px[asked], areas[asked], cell, row[crystal], distance, quiet
    )


def ideal_maps(
    targets: Targets, shape: tuple[int, int], config: OutlineConfig
) -> list[NDArray[np.float32]]:
    """Draw the maps of a perfect network: the nearest candidate cell answers with the truth.

    Parameters
    ----------
    targets
        Of one image.
    shape
        Height and width of the image, multiples of 32.
    config
        For the number of channels.

    Returns
    -------
    list
        Four ``(H/s, W/s, channels)`` maps; `decode` turns them back into the crystals.
    """
    grid = cell_grid(shape)
    flat = np.zeros((len(grid), config.channels), np.float32)
    flat[:, 0] = -20.0
    for n in range(len(targets.codes)):
        mine = targets.candidate_crystal == n
        free = flat[targets.candidate_cell, 0] < 0
        choice = np.flatnonzero(mine & free)
        if not len(choice):
            continue
        cell = targets.candidate_cell[choice[np.argmin(targets.candidate_distance[choice])]]
        flat[cell] = raw_code(targets.codes[n], targets.defocus_px[n], grid[cell])
    maps, start = [], 0
    for stride in STRIDES:
        rows, columns = shape[0] // stride, shape[1] // stride
        maps.append(flat[start : start + rows * columns].reshape(rows, columns, -1))
        start += rows * columns
    return maps


def raw_code(code: NDArray[Any], defocus_px: float, cell: NDArray[Any]) -> NDArray[np.float32]:
    """Return the channels with which a cell says a code; the inverse of the decoder's reading."""
    x, y, stride = (float(v) for v in cell)
    log_stride = math.log(stride)
    head = [
        20.0,
        (code[0] - x) / stride,
        (code[1] - y) / stride,
        code[2] - log_stride,
        code[3],
        code[4] - log_stride,
        math.log1p(defocus_px),
    ]
    return np.r_[head, np.log(np.expm1(code[FRAME:]))].astype(np.float32)
