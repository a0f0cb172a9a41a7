"""Paint dust, fibres and scratches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.noise import hash_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.backdrop_dust import Specks, Stroke


def paint_specks(canvas: NDArray[np.float32], specks: Specks) -> None:
    """Multiply the canvas by dust."""
    places = np.asarray(specks.places, np.float64).reshape(-1, 4)
    _specks(canvas, places, specks.softness_px, specks.irregularity, specks.rim, specks.seed)


@njit(cache=True, nogil=True)
def _phase(amount, seed, speck, wave):  # type: ignore[no-untyped-def]
    """Return sine and cosine, times an amount, of a speck's phase of one wave of its outline."""
    phase = 6.2831853 * hash_uniform(seed, speck, wave)
    return amount * math.sin(phase), amount * math.cos(phase)


@njit(cache=True, nogil=True, error_model="numpy")
def _specks(canvas, places, softness, irregularity, rim, seed):  # type: ignore[no-untyped-def]
    """Multiply the canvas by irregular blobs with soft borders, in place."""
    height, width = canvas.shape
    for k in range(places.shape[0]):
        cx, cy, radius, density = places[k]
        reach = radius * (1 + 2 * irregularity) + 3 * softness + 1
        sin2, cos2 = _phase(0.7 * irregularity, seed, k, 2)
        sin3, cos3 = _phase(0.5 * irregularity, seed, k, 3)
        sin5, cos5 = _phase(0.3 * irregularity, seed, k, 5)
        for y in range(max(0, int(cy - reach)), min(height, int(cy + reach) + 2)):
            for x in range(max(0, int(cx - reach)), min(width, int(cx + reach) + 2)):
                dx, dy = x + 0.5 - cx, y + 0.5 - cy
                r = math.sqrt(dx * dx + dy * dy)
                if r > reach:
                    continue
                outline = radius
                if radius > 1.2:  # smaller ones are round at any resolution
                    c1, s1 = (dx / r, dy / r) if r > 0 else (1.0, 0.0)
                    c2, s2 = c1 * c1 - s1 * s1, 2 * c1 * s1  # of twice the angle, and so on
                    c3, s3 = c2 * c1 - s2 * s1, s2 * c1 + c2 * s1
                    c5, s5 = c3 * c2 - s3 * s2, s3 * c2 + c3 * s2
                    bumps = s2 * cos2 + c2 * sin2 + s3 * cos3 + c3 * sin3 + s5 * cos5 + c5 * sin5
                    outline = radius * (1 + bumps)
                d = (r - outline) / softness
                inside = 1 / (1 + math.exp(min(2.5 * d, 30.0)))
                t = math.exp(-density * inside) + rim * math.exp(-((d - 1.5) ** 2))
                canvas[y, x] *= min(max(t, 0.02), 2.0)


def paint_stroke(canvas: NDArray[np.float32], stroke: Stroke) -> None:
    """Multiply the canvas by a fibre or a scratch."""
    path = np.asarray(stroke.path, np.float64)
    widest = float(path[:, 2].max())
    # Borders finer than a pixel would show as dots.
    softness = max(stroke.softness, 0.9 / widest)
    far = 1 + 3 * softness
    reach = widest * far + 2
    height, width = canvas.shape
    x0 = max(0, math.floor(path[:, 0].min() - reach))
    x1 = min(width, int(path[:, 0].max() + reach) + 1)
    y0 = max(0, math.floor(path[:, 1].min() - reach))
    y1 = min(height, int(path[:, 1].max() + reach) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    path[:, 0] -= x0
    path[:, 1] -= y0
    window = canvas[y0:y1, x0:x1]
    away = np.full(window.shape, far, np.float32)
    section = (stroke.edge_amount, stroke.body_amount, stroke.glow_amount, softness)
    _stroke(window, away, path, far, section)


@njit(cache=True, nogil=True)
def _segment_box(path, k, far, height, width):  # type: ignore[no-untyped-def]
    """Return rows and columns that one segment of a path can reach."""
    ax, ay, aw = path[k]
    bx, by, bw = path[k + 1]
    reach = max(aw, bw) * far
    return (
        max(0, int(min(ay, by) - reach)),
        min(height, int(max(ay, by) + reach) + 2),
        max(0, int(min(ax, bx) - reach)),
        min(width, int(max(ax, bx) + reach) + 2),
    )


@njit(cache=True, nogil=True)
def _stroke(canvas, away, path, far, section):  # type: ignore[no-untyped-def]
    """Multiply the canvas by the cross section of a fibre along its path, in place.

    ``away`` comes filled with ``far`` and is used for the distance in local half widths.
    """
    height, width = away.shape
    edge, body, glow, softness = section
    for k in range(path.shape[0] - 1):
        ax, ay, aw = path[k]
        ex, ey, ew = path[k + 1] - path[k]
        per_length = 1 / max(ex * ex + ey * ey, 1e-12)
        y0, y1, x0, x1 = _segment_box(path, k, far, height, width)
        for y in range(y0, y1):
            for x in range(x0, x1):
                dx, dy = x + 0.5 - ax, y + 0.5 - ay
                t = min(max((dx * ex + dy * ey) * per_length, 0.0), 1.0)
                dx, dy = dx - t * ex, dy - t * ey
                d = math.sqrt(dx * dx + dy * dy) / (aw + t * ew)
                if d < away[y, x]:
                    away[y, x] = d
    for k in range(path.shape[0] - 1):
        y0, y1, x0, x1 = _segment_box(path, k, far, height, width)
        for y in range(y0, y1):
            for x in range(x0, x1):
                d = away[y, x]
                if d >= far:
                    continue
                away[y, x] = far  # boxes of neighbouring segments overlap
                line = (d - (1 - 0.4 * softness)) / softness
                outer = (d - (1 + softness)) / (0.7 * softness)
                inside = min(max((1 - d) / softness + 0.5, 0.0), 1.0)
                t = 1 - edge * math.exp(-2 * line * line) - body * inside
                t += glow * math.exp(-outer * outer)
                canvas[y, x] *= min(max(t, 0.02), 2.0)
