"""Paint the parts of a backdrop that fill the frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from crystalgauge.render.noise import hash_normal, hash_uniform, value_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.backdrop_fields import (
        Folds,
        Fringes,
        Grid,
        Illumination,
        Patch,
        Region,
        Sand,
        Texture,
        Veil,
    )

# A patch whose threshold lies below this covers the whole frame.
_EVERYWHERE = -5.0


def patch_mask(patch: Patch, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """Return ``(H, W)`` weights in 0 to 1 of a patch, or None when it covers the frame."""
    if patch.threshold < _EVERYWHERE:
        return None
    field = value_noise(shape, patch.cell_px, patch.seed, octaves=2)
    _ramp(field, np.float32(patch.threshold), np.float32(1 / patch.softness))
    return field


@njit(cache=True, nogil=True)
def _ramp(field, threshold, slope):  # type: ignore[no-untyped-def]
    """Replace a field by a smooth step at the threshold, in place."""
    for y in range(field.shape[0]):
        for x in range(field.shape[1]):
            t = min(max((field[y, x] - threshold) * slope + np.float32(0.5), np.float32(0)), 1)
            field[y, x] = t * t * (np.float32(3) - np.float32(2) * t)


def _apply(canvas: NDArray[np.float32], change: NDArray[np.float32], patch: Patch) -> None:
    """Multiply the canvas by 1 plus the change, where the patch lies."""
    mask = patch_mask(patch, (canvas.shape[0], canvas.shape[1]))
    if mask is not None:
        change *= mask
    change += 1
    np.maximum(change, 0.02, out=change)
    canvas *= change


def paint_illumination(canvas: NDArray[np.float32], lamp: Illumination) -> None:
    """Multiply the canvas by the lamp's brightness."""
    height, width = canvas.shape
    x = np.arange(width, dtype=np.float32) + np.float32(0.5)
    y = np.arange(height, dtype=np.float32) + np.float32(0.5)
    per_variance = -0.5 / lamp.spot_radius_px**2
    waves = np.zeros((0, 0), np.float32)
    if lamp.wave_amount:
        waves = value_noise((height, width), lamp.wave_cell_px, lamp.seed)
    _light(
        canvas,
        np.float32(lamp.slope_x) * (x / width - np.float32(0.5)),
        np.float32(lamp.slope_y) * (y / height - np.float32(0.5)),
        np.exp(np.float32(per_variance) * (x - np.float32(lamp.spot_x_px)) ** 2),
        np.float32(lamp.spot_amount)
        * np.exp(np.float32(per_variance) * (y - np.float32(lamp.spot_y_px)) ** 2),
        waves,
        np.float32(lamp.wave_amount),
    )


@njit(cache=True, nogil=True)
def _light(  # type: ignore[no-untyped-def]
    canvas, slope_x, slope_y, spot_x, spot_y, waves, wave_amount
):
    """Multiply the canvas by slopes, spot and waves, in place."""
    one = np.float32(1)
    waved = waves.shape[1] == canvas.shape[1]
    for y in range(canvas.shape[0]):
        for x in range(canvas.shape[1]):
            light = (one + slope_x[x] + slope_y[y]) * (one + spot_x[x] * spot_y[y])
            if waved:
                light *= one + wave_amount * waves[y, x]
            canvas[y, x] *= light


def paint_region(canvas: NDArray[np.float32], region: Region) -> None:
    """Darken or burn out a part of the frame."""
    _apply(canvas, np.full(canvas.shape, region.level - 1, np.float32), region.patch)


def paint_texture(canvas: NDArray[np.float32], texture: Texture) -> None:
    """Multiply the canvas by a granular texture."""
    shape = (canvas.shape[0], canvas.shape[1])
    grains = value_noise(shape, texture.cell_px, texture.seed, octaves=texture.octaves)
    if texture.relief:
        step = max(1, round(0.7 * texture.cell_px))
        origin = (step * math.sin(texture.angle_rad), step * math.cos(texture.angle_rad))
        grains -= value_noise(
            shape, texture.cell_px, texture.seed, octaves=texture.octaves, origin_px=origin
        )
    if texture.skew:
        grains -= np.float32(texture.skew) * (grains * grains - 1)
    grains *= np.float32(texture.amount)
    _apply(canvas, grains, texture.patch)


def paint_sand(canvas: NDArray[np.float32], sand: Sand) -> None:
    """Multiply the canvas by a dense layer of grains."""
    change = np.empty(canvas.shape, np.float32)
    _grains(change, sand.cell_px, sand.depth, sand.sparkle, sand.seed)
    _apply(canvas, change, sand.patch)


@njit(cache=True, nogil=True)
def _grains(out, cell, depth, sparkle, seed):  # type: ignore[no-untyped-def]
    """Write the relative brightness of a layer of cellular noise, mean about 0."""
    height, width = out.shape
    rows, columns = int(height / cell) + 4, int(width / cell) + 4
    point_x = np.empty((rows, columns), np.float32)
    point_y = np.empty((rows, columns), np.float32)
    tone = np.empty((rows, columns), np.float32)
    for i in range(rows):
        for j in range(columns):
            point_x[i, j] = j - 1 + hash_uniform(seed, i, j)
            point_y[i, j] = i - 1 + hash_uniform(seed + 1, i, j)
            tone[i, j] = sparkle * hash_normal(seed + 2, i, j)
    per_cell = np.float32(1 / cell)
    dark = np.float32(depth)
    for y in range(height):
        v = (y + np.float32(0.5)) * per_cell
        i0 = int(v) + 1
        for x in range(width):
            u = (x + np.float32(0.5)) * per_cell
            j0 = int(u) + 1
            nearest, second, grey = np.float32(9), np.float32(9), np.float32(0)
            for i in range(i0 - 1, i0 + 2):
                for j in range(j0 - 1, j0 + 2):
                    dx, dy = u - point_x[i, j], v - point_y[i, j]
                    d = dx * dx + dy * dy
                    if d < nearest:
                        second, nearest, grey = nearest, d, tone[i, j]
                    elif d < second:
                        second = d
            seam = math.sqrt(second) - math.sqrt(nearest)
            out[y, x] = grey + dark * (min(np.float32(2) * seam, np.float32(1)) - np.float32(0.6))


def paint_folds(canvas: NDArray[np.float32], folds: Folds) -> None:
    """Multiply the canvas by the wrinkles of a skin."""
    field = _turned_noise((canvas.shape[0], canvas.shape[1]), folds)
    change = np.empty(canvas.shape, np.float32)
    # The mean slope of a unit field across its short cell makes the relief a relative deviation.
    relief = folds.relief * folds.cell_px[0] / 1.6
    _creases(
        field,
        change,
        np.asarray(folds.levels, np.float64),
        (folds.width_px, folds.odd, folds.amount),
        (relief * math.cos(folds.angle_rad), relief * math.sin(folds.angle_rad)),
    )
    _apply(canvas, change, folds.patch)


def _turned_noise(shape: tuple[int, int], folds: Folds) -> NDArray[np.float32]:
    """Return stretched noise turned into the direction of the wrinkles."""
    side = math.ceil(math.hypot(*shape) / 2) + 4
    short, long = folds.cell_px
    # Half the resolution is plenty: the field is smooth, and the turn interpolates anyway.
    coarse = value_noise((side, side), (long / 2, short / 2), folds.seed, octaves=2)
    cos, sin = math.cos(folds.angle_rad) / 2, math.sin(folds.angle_rad) / 2
    middle_x, middle_y = shape[1] / 2, shape[0] / 2
    into = np.array(
        [
            [cos, sin, side / 2 - cos * middle_x - sin * middle_y],
            [-sin, cos, side / 2 + sin * middle_x - cos * middle_y],
        ]
    )
    turned: NDArray[np.float32] = cv2.warpAffine(
        coarse,
        into,
        (shape[1], shape[0]),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return turned


@njit(cache=True, nogil=True)
def _creases(field, out, levels, crease, light):  # type: ignore[no-untyped-def]
    """Write the relative brightness of slopes, and of creases of constant width on level lines."""
    width, odd, amount = crease
    height, columns = field.shape
    for y in range(height):
        y0, y1 = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(columns):
            x0, x1 = max(x - 1, 0), min(x + 1, columns - 1)
            gx = (field[y, x1] - field[y, x0]) * np.float32(0.5)
            gy = (field[y1, x] - field[y0, x]) * np.float32(0.5)
            change = gx * light[0] + gy * light[1]
            # The distance to a level line is the excess over the slope; flat places get none.
            slope = math.sqrt(gx * gx + gy * gy) + 2e-3
            for k in range(levels.shape[0]):
                z = (field[y, x] - levels[k]) / (slope * width)
                if abs(z) < 3:
                    change += amount * (1 - odd + odd * 2 * z) * math.exp(-z * z)
            out[y, x] = change


def paint_fringes(canvas: NDArray[np.float32], fringes: Fringes) -> None:
    """Multiply the canvas by interference waves."""
    height, width = canvas.shape
    x = (np.arange(width, dtype=np.float32) + 0.5 - fringes.x_px)[None, :]
    y = (np.arange(height, dtype=np.float32) + 0.5 - fringes.y_px)[:, None]
    warp = value_noise((height, width), fringes.warp_cell_px, fringes.seed)
    warp *= fringes.warp_px
    amount: NDArray[np.float32] | np.float32 = np.float32(fringes.amount)
    if fringes.angle_rad is None:
        square = x * x + y * y
        path = square / fringes.period_px
        # Newton's rings close up outwards; where they would be finer than 4 px they wash out.
        amount = amount * np.exp(square * (-16.0 * 4 / fringes.period_px**4)).astype(np.float32)
    else:
        path = x * math.cos(fringes.angle_rad) + y * math.sin(fringes.angle_rad)
    warp += path
    warp *= 2 * math.pi / fringes.period_px
    change = np.cos(warp)
    change *= amount
    _apply(canvas, change, fringes.patch)


def paint_grid(canvas: NDArray[np.float32], grid: Grid) -> None:
    """Multiply the canvas by parallel lines, once or crossed."""
    for turn in (0.0, math.pi / 2) if grid.crossed else (0.0,):
        angle = grid.angle_rad + turn
        _ruling(
            canvas,
            math.cos(angle),
            math.sin(angle),
            grid.period_px,
            grid.width_px,
            grid.softness_px,
            grid.amount,
            grid.irregular,
            grid.phase_px,
            grid.seed,
        )


@njit(cache=True, nogil=True)
def _ruling(  # type: ignore[no-untyped-def]
    canvas, cos, sin, period, width, softness, amount, irregular, phase, seed
):
    """Multiply the canvas by one set of parallel lines, in place."""
    height, columns = canvas.shape
    reach = height + columns
    profile = np.ones(4 * reach, np.float32)
    for i in range(profile.shape[0]):
        u = i / 2 - reach + phase
        k = math.floor(u / period)
        share = 1 + irregular * (1.6 * hash_uniform(seed, k, 0) - 0.9)
        half = 0.5 * width * share
        inside = (half - abs(u - (k + 0.5) * period)) / softness + 0.5
        profile[i] = max(1 - amount * min(max(inside, 0.0), 1.0), 0.02)
    for y in range(height):
        for x in range(columns):
            u = 2 * ((x + 0.5) * cos + (y + 0.5) * sin + reach)
            k = int(u)
            t = np.float32(u - k)
            canvas[y, x] *= profile[k] * (1 - t) + profile[k + 1] * t


def paint_veil(canvas: NDArray[np.float32], veil: Veil) -> None:
    """Pull the canvas towards the brightness of the haze."""
    mask = patch_mask(veil.patch, (canvas.shape[0], canvas.shape[1]))
    weight = np.float32(veil.strength) if mask is None else np.float32(veil.strength) * mask
    canvas += (np.float32(veil.level) - canvas) * weight
