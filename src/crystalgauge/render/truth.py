"""What is true of each crystal in a rendered picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numba import njit

from crystalgauge.core import Crystals
from crystalgauge.render.camera import gain, noise_level
from crystalgauge.render.geometry import row_span
from crystalgauge.scenes.outlines import outlines_of
from crystalgauge.scenes.placement import contact_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.render.composite import CrystalLayers
    from crystalgauge.scenes.camera import Camera
    from crystalgauge.scenes.scene import Scene

CHANGED = 0.002
"""A pixel belongs to a crystal's light when it changes it by more than this."""

OPAQUE = 0.1
"""Where less than this share of the clear field's light arrives, nothing can be seen."""

CLUTTER_SHARE = 0.4
"""A crystal whose signal is a smaller share of the clutter behind it is lost in a heap."""

TONE_LEVELS = np.linspace(0.0, 2.0, 17)


@dataclass(frozen=True, eq=False)
class Truth:
    """The crystals of a picture and which of them touch.

    Parameters
    ----------
    crystals
        Amodal outlines with the columns ``id``, ``habit``, ``depth_px`` (towards the camera, 0 in
        focus), ``defocus_px`` (standard deviation of the whole blur, camera included),
        ``visible_fraction`` (share of the outline that is in the frame and not behind something
        opaque), ``in_frame_fraction``, ``signal`` (mean absolute grey change the crystal causes
        where it causes any, full scale 1), ``noise`` (standard deviation of camera noise and
        backdrop around it, same unit), ``clutter`` (standard deviation, over the outline, of what
        would be seen there without it, same unit), ``overlap_fraction`` (area shared with other
        outlines, summed over them, by own area), ``ignore`` (asking for it would be unfair),
        ``box_length_px``, ``box_width_px``, ``box_angle_rad``.
    contacts
        ``(M, 2)`` ids of crystals that touch or are intergrown.
    """

    crystals: Crystals
    contacts: NDArray[np.int64]


def state_truth(scene: Scene, layers: CrystalLayers, backdrop: NDArray[np.float32]) -> Truth:
    """Work out the truth of a scene.

    Parameters
    ----------
    scene
        The scene.
    layers
        Its traced crystals.
    backdrop
        ``(H, W)`` transmittance of everything else.
    """
    crystals = scene.crystals
    count = len(crystals)
    vertices = scene.vertices_px()
    corner_count = scene.library.vertex_count[crystals.shape]
    corners, offsets, boxes = outlines_of(vertices, corner_count)
    outlines = _polygons(corners, offsets)
    light = layers.transmittance * backdrop
    tone = tone_curve(scene.camera)
    pixels = _measure(
        corners, offsets, layers.windows, layers.layers, layers.offsets, light, backdrop,
        texture_of(backdrop), TONE_LEVELS, tone,
    )  # fmt: skip
    seen, shared, hidden, signal, level, texture, clutter = pixels.T
    area = shapely.area(outlines)
    height, width = scene.shape
    inside = shapely.area(shapely.clip_by_rect(outlines, 0, 0, width, height)) / area
    disc_sigma = np.abs(crystals.position_px[:, 2]) * scene.optics.aperture_tan / 2
    slope = np.interp(level, TONE_LEVELS, np.gradient(tone, TONE_LEVELS))
    grain = np.interp(level, TONE_LEVELS, noise_level(scene.camera, TONE_LEVELS))
    noise = np.hypot(grain, texture * slope)
    columns = {
        "id": np.arange(count),
        "habit": scene.library.habit[crystals.shape],
        "depth_px": crystals.position_px[:, 2].astype(np.float64),
        "defocus_px": np.hypot(disc_sigma, scene.camera.psf_sigma_px),
        "visible_fraction": inside * (1 - hidden / np.maximum(seen, 1)),
        "in_frame_fraction": inside,
        "signal": signal,
        "noise": noise,
        "clutter": clutter,
        "overlap_fraction": shared / np.maximum(seen, 1),
        "box_length_px": boxes[:, 2],
        "box_width_px": boxes[:, 3],
        "box_angle_rad": boxes[:, 4],
    }
    table = Crystals(outlines, columns)
    table = table.with_columns(ignore=~is_fair(table, scene.shape, disc_sigma))
    return Truth(table, contact_pairs(vertices, corner_count))


def is_fair(
    crystals: Crystals,
    shape: tuple[int, int],
    disc_sigma_px: NDArray[np.floating],
    least_width_px: float = 2.0,
) -> NDArray[np.bool_]:
    """Tell which crystals a careful observer could outline.

    Parameters
    ----------
    crystals
        Truth with ``signal``, ``noise``, ``clutter``, ``visible_fraction`` and ``box_width_px``.
    shape
        Height and width of the picture in px.
    disc_sigma_px
        ``(N,)`` standard deviation of the defocus alone.
    least_width_px
        Crystals with a narrower box are lost between the pixels.
    """
    height, width = shape
    centre = shapely.centroid(crystals.outlines)
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    return (
        (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
        & stands_out(crystals)
        & (disc_sigma_px < 0.22 * np.sqrt(crystals.area_px2) + 0.8)
        & (crystals["visible_fraction"] > 0.25)
        & (crystals["box_width_px"] > least_width_px)
    )  # fmt: skip


def stands_out(crystals: Crystals) -> NDArray[np.bool_]:
    """Tell which crystals change the picture by more than its noise and what lies behind them.

    Parameters
    ----------
    crystals
        Truth with ``signal``, ``noise``, ``clutter`` and ``box_width_px``.
    """
    thin = np.maximum(crystals["box_width_px"], 2.0)
    needed = 0.012 + 0.98 * crystals["noise"] / np.sqrt(thin)
    signal = crystals["signal"]
    return np.asarray((signal > needed) & (signal > CLUTTER_SHARE * crystals["clutter"]))


def tone_curve(camera: Camera) -> NDArray[np.float64]:
    """Return the grey, up to a constant, that the camera makes of each of `TONE_LEVELS`.

    Parameters
    ----------
    camera
        The camera; its tone rises with the light (a negative is told apart by nobody here).
    """
    slopes = gain(camera, TONE_LEVELS)
    steps = (slopes[1:] + slopes[:-1]) / 2 * np.diff(TONE_LEVELS)
    return np.concatenate([[0.0], np.cumsum(steps)])


def texture_of(backdrop: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the local mean absolute deviation ``(H, W)`` of the backdrop from its own blur.

    Parameters
    ----------
    backdrop
        ``(H, W)`` transmittance.
    """
    import cv2

    fine = np.abs(backdrop - cv2.blur(backdrop, (7, 7)))
    return np.asarray(cv2.blur(fine, (15, 15)), np.float32)


def _polygons(corners: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.object_]:
    if len(offsets) == 1:
        return np.empty(0, dtype=object)
    rings = shapely.linearrings(
        corners, indices=np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    )
    return np.asarray(shapely.polygons(rings), dtype=object)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(  # type: ignore[no-untyped-def]
    corners, offsets, windows, pool, pool_offsets, light, backdrop, texture, levels, tone
):
    """Return per crystal: pixels in frame, shared, hidden; signal, level, texture, clutter."""
    height, width = light.shape
    count = len(windows)
    result = np.zeros((count, 7))
    cover = np.zeros((height, width), np.int32)
    for i in range(count):
        outline = corners[offsets[i] : offsets[i + 1]]
        _cover(cover, outline)
    for i in range(count):
        outline = corners[offsets[i] : offsets[i + 1]]
        x0, y0, x1, y1 = windows[i]
        layer = pool[pool_offsets[i] : pool_offsets[i + 1]].reshape(y1 - y0, x1 - x0)
        top = max(int(np.ceil(outline[:, 1].min() - 0.5)), 0)
        bottom = min(int(np.floor(outline[:, 1].max() - 0.5)), height - 1)
        mean_grey = 0.0
        for y in range(top, bottom + 1):
            low, high = row_span(outline, y + 0.5)
            for x in range(
                max(int(np.ceil(low - 0.5)), 0), min(int(np.floor(high - 0.5)), width - 1) + 1
            ):
                result[i, 0] += 1
                result[i, 1] += cover[y, x] - 1
                without = light[y, x]
                if y0 <= y < y1 and x0 <= x < x1:
                    without = light[y, x] / max(layer[y - y0, x - x0], 0.05)
                result[i, 2] += without < OPAQUE
                result[i, 4] += without
                result[i, 5] += texture[y, x]
                grey = _tone(without, levels, tone)
                mean_grey += grey
                result[i, 6] += grey * grey
        result[i, 4:] /= max(result[i, 0], 1)
        mean_grey /= max(result[i, 0], 1)
        result[i, 6] = np.sqrt(max(result[i, 6] - mean_grey * mean_grey, 0.0))
        changed = 0
        total = 0.0
        for y in range(max(y0, 0), min(y1, height)):
            for x in range(max(x0, 0), min(x1, width)):
                t = layer[y - y0, x - x0]
                if abs(t - 1) > CHANGED:
                    changed += 1
                    without = min(light[y, x] / max(t, 0.05), 1.3 * max(backdrop[y, x], 0.05))
                    total += abs(_tone(without * t, levels, tone) - _tone(without, levels, tone))
        result[i, 3] = total / max(changed, 20)
    return result


@njit(cache=True, nogil=True)
def _cover(cover, outline):  # type: ignore[no-untyped-def]
    """Count one more outline over each pixel centre inside it."""
    height, width = cover.shape
    top = max(int(np.ceil(outline[:, 1].min() - 0.5)), 0)
    bottom = min(int(np.floor(outline[:, 1].max() - 0.5)), height - 1)
    for y in range(top, bottom + 1):
        low, high = row_span(outline, y + 0.5)
        for x in range(
            max(int(np.ceil(low - 0.5)), 0), min(int(np.floor(high - 0.5)), width - 1) + 1
        ):
            cover[y, x] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _tone(level, levels, tone):  # type: ignore[no-untyped-def]
    """Look a level up in an equally spaced curve; beyond its end it stays as it is."""
    position = max(level, 0.0) / levels[-1] * (len(levels) - 1)
    k = min(int(position), len(levels) - 2)
    t = min(position - k, 1.0)
    return tone[k] * (1 - t) + tone[k + 1] * t
