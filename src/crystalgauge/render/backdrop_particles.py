"""Paint contaminants: discs, spherulites and clumps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.noise import hash_normal, value_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.contaminants import Clump, DiscProfile, Discs, Spherulite

_DISC_STEPS = 512
# Discs are looked up out to this many radii.
_DISC_REACH = 1.8


def disc_profile(profile: DiscProfile, radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the transmittance at relative radii, ``radius.shape``; exactly 1 from 1.8 on.

    Parameters
    ----------
    profile
        What the disc looks like.
    radius
        Radius over the disc's own radius, 0 or more.
    """
    soft = profile.ring_softness
    inside = _fall(radius, 1.0, soft)
    ring = _fall(radius, profile.ring_outer, soft) - _fall(radius, profile.ring_inner, soft)
    t = 1 + (profile.body - 1) * inside
    t *= 1 - profile.ring_amount * np.clip(ring, 0, 1)
    t *= 1 + profile.core_amount * np.exp(-((radius / profile.core_width) ** 2))
    if profile.ripple_amount:
        wave = np.cos(2 * math.pi * radius / profile.ripple_period)
        t *= 1 + profile.ripple_amount * wave * _fall(radius, profile.ring_inner, soft)
    halo = (radius - 1 - profile.halo_width) / profile.halo_width
    t *= 1 + profile.halo_amount * np.exp(-(halo**2))
    fade = np.clip((_DISC_REACH - radius) / 0.3, 0, 1)
    result: NDArray[np.float64] = 1 + (np.maximum(t, 0.01) - 1) * fade
    return result


def _fall(radius: NDArray[np.float64], at: float, width: float) -> NDArray[np.float64]:
    """Return 1 well inside a radius and 0 well outside, with a transition of the given width."""
    t = np.clip((at - radius) / (2 * width) + 0.5, 0, 1)
    fall: NDArray[np.float64] = t * t * (3 - 2 * t)
    return fall


def paint_discs(canvas: NDArray[np.float32], discs: Discs) -> None:
    """Multiply the canvas by round things."""
    radius = np.linspace(0, _DISC_REACH, _DISC_STEPS)
    table = disc_profile(discs.profile, radius).astype(np.float32)
    shape = (canvas.shape[0], canvas.shape[1])
    none = np.zeros((1, 1), np.float32)
    grain = (
        np.float32(discs.grain) * value_noise(shape, discs.grain_cell_px, discs.seed, octaves=2)
        if discs.grain
        else none
    )
    wobble = (
        np.float32(discs.wobble) * value_noise(shape, discs.wobble_cell_px, discs.seed + 1)
        if discs.wobble
        else none
    )
    places = np.asarray(discs.places, np.float64).reshape(-1, 6)
    _discs(canvas, places, table, discs.lean_x, discs.lean_y, grain, wobble)


@njit(cache=True, nogil=True, error_model="numpy")
def _discs(canvas, places, table, lean_x, lean_y, grain, wobble):  # type: ignore[no-untyped-def]
    """Multiply the canvas by every disc's profile and grain, in place."""
    height, width = canvas.shape
    last = table.shape[0] - 1
    per_radius = last / _DISC_REACH
    grained, wobbled = grain.size == canvas.size, wobble.size == canvas.size
    for k in range(places.shape[0]):
        cx, cy, radius, stretch, angle, strength = places[k]
        reach = _DISC_REACH * radius * (math.sqrt(stretch) + (0.3 if wobbled else 0.0)) + 1
        cos, sin = math.cos(angle), math.sin(angle)
        # Stretching keeps the area.
        along, across = 1 / (radius * math.sqrt(stretch)), math.sqrt(stretch) / radius
        for y in range(max(0, int(cy - reach)), min(height, int(cy + reach) + 2)):
            for x in range(max(0, int(cx - reach)), min(width, int(cx + reach) + 2)):
                dx, dy = x + 0.5 - cx, y + 0.5 - cy
                u, v = (cos * dx + sin * dy) * along, (cos * dy - sin * dx) * across
                rho = math.sqrt(u * u + v * v)
                if wobbled:
                    rho *= max(1 + wobble[y, x], 0.3)
                if rho >= _DISC_REACH:
                    continue
                # The lean moves the middle and leaves the outline where it is.
                hold = max(1 - rho, 0.0)
                rho_x, rho_y = u - lean_x * hold, v - lean_y * hold
                if rho < 1:
                    scale = rho / (math.sqrt(u * u + v * v) + 1e-9)
                    rho = scale * math.sqrt(rho_x * rho_x + rho_y * rho_y)
                position = min(rho, _DISC_REACH) * per_radius
                i = min(int(position), last - 1)
                t = table[i] + (table[i + 1] - table[i]) * (position - i)
                t = 1 + (t - 1) * strength
                if grained and rho < 1:
                    t *= 1 + grain[y, x] * min(1.0, 5 * (1 - rho))
                canvas[y, x] *= max(t, 0.02)


def paint_spherulite(canvas: NDArray[np.float32], ball: Spherulite) -> None:
    """Multiply the canvas by a ball, fan or sheaf of unresolved needles."""
    _spherulite(
        canvas,
        ball.x_px,
        ball.y_px,
        ball.radius_px,
        (ball.depth, ball.contrast, ball.raggedness, ball.fade, ball.core),
        ball.fibres,
        (ball.open_rad, ball.direction_rad, ball.double),
        ball.seed,
    )


@njit(cache=True, nogil=True)
def _around(seed, turn, count, ring):  # type: ignore[no-untyped-def]
    """Return value noise on a circle of ``count`` cells at ``turn`` in 0 to 1."""
    u = turn * count
    k = math.floor(u)
    t = u - k
    t = t * t * (3 - 2 * t)
    a = hash_normal(seed, ring, k % count)
    b = hash_normal(seed, ring, (k + 1) % count)
    return a + (b - a) * t


@njit(cache=True, nogil=True)
def _spherulite(  # type: ignore[no-untyped-def]
    canvas, centre_x, centre_y, radius, look, fibres, fan, seed
):
    """Multiply the canvas by exp(-density) of a spherulite, in place."""
    depth, contrast, raggedness, fade, core = look
    opening, direction, double = fan
    height, width = canvas.shape
    reach = radius * (1 + 2.5 * raggedness) + 2
    for y in range(max(0, int(centre_y - reach)), min(height, int(centre_y + reach) + 2)):
        for x in range(max(0, int(centre_x - reach)), min(width, int(centre_x + reach) + 2)):
            dx, dy = x + 0.5 - centre_x, y + 0.5 - centre_y
            r = math.sqrt(dx * dx + dy * dy)
            if r > reach:
                continue
            angle = math.atan2(dy, dx)
            turn = (angle + math.pi) / (2 * math.pi)
            sector = 1.0
            if opening < math.pi:
                off = abs((angle - direction + 3 * math.pi) % (2 * math.pi) - math.pi)
                if double:
                    off = min(off, math.pi - off)
                # Fans end raggedly, over a few fibres.
                edge = opening * (1 + 0.2 * _around(seed + 5, r / (radius * 2), 9, 0))
                sector = min(max((edge - off) * r / 3 + 0.5, 0.0), 1.0)
            slow = _around(seed + 1, turn, max(5, fibres // 9), 0)
            length = radius * (1 + raggedness * (0.5 * slow + 0.6 * _around(seed, turn, fibres, 0)))
            rho = r / max(length, 1.0)
            if rho >= 1 or sector <= 0:
                continue
            ring = int(3 * rho)
            fibre = _around(seed + 2, turn, fibres, ring) + 0.7 * _around(
                seed + 3, turn, max(5, fibres // 3), 0
            )
            # Fibres overlap near the middle and cannot be seen there.
            fibre *= min(1.0, 1.6 * rho)
            fill = (1 - rho * rho) ** fade + core * math.exp(-((3 * rho) ** 2))
            density = depth * sector * fill * max(1 + contrast * fibre, 0.0)
            canvas[y, x] *= min(max(math.exp(-density), 0.02), 2.0)


def paint_clump(canvas: NDArray[np.float32], clump: Clump) -> None:
    """Multiply the canvas by a heap of amorphous precipitate."""
    height, width = canvas.shape
    reach = 1.7 * clump.radius_px + 2
    x0, x1 = max(0, int(clump.x_px - reach)), min(width, int(clump.x_px + reach) + 1)
    y0, y1 = max(0, int(clump.y_px - reach)), min(height, int(clump.y_px + reach) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    size = (y1 - y0, x1 - x0)
    origin = (float(y0), float(x0))
    broad = value_noise(size, 0.5 * clump.radius_px + 2, clump.seed, octaves=2, origin_px=origin)
    lumps = value_noise(size, clump.cell_px, clump.seed + 1, octaves=3, origin_px=origin)
    _heap(
        canvas[y0:y1, x0:x1],
        broad,
        lumps,
        (clump.x_px - x0, clump.y_px - y0, clump.radius_px),
        clump.density,
        clump.lumps,
    )


@njit(cache=True, nogil=True)
def _heap(canvas, broad, lumps, place, density, lumpiness):  # type: ignore[no-untyped-def]
    """Multiply the canvas by exp(-density * thickness) of a heap, in place."""
    cx, cy, radius = place
    for y in range(canvas.shape[0]):
        for x in range(canvas.shape[1]):
            dx, dy = (x + 0.5 - cx) / radius, (y + 0.5 - cy) / radius
            r2 = dx * dx + dy * dy
            height = 1 - r2 + 0.35 * broad[y, x] * (1 - 0.3 * r2)
            height += lumpiness * 0.5 * lumps[y, x]
            # A steep foot and a flat top: heaps have borders.
            if height > 0:
                thick = 1 - math.exp(-2.5 * height)
                thick *= 1 + 0.5 * lumpiness * lumps[y, x]
                canvas[y, x] *= max(math.exp(-density * max(thick, 0.0)), 0.02)
