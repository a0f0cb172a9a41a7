"""Paint edges: a distance to a curve, looked up in a profile."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.noise import value_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.backdrop_edges import Edge, EdgeProfile

# Looked up to the nearest: at 12 steps a pixel no border shows them.
_MOST_STEPS = 8192
_KINDS = {"line": 0, "ellipse": 1, "rectangle": 2}


def edge_profile(profile: EdgeProfile, reach_px: float, steps: int) -> NDArray[np.float64]:
    """Return the transmittance at evenly spaced distances from an edge.

    Parameters
    ----------
    profile
        What is seen across the edge.
    reach_px
        The first distance is minus this (inside), the last plus this (outside).
    steps
        How many distances, at least 2.

    Returns
    -------
    NDArray
        ``(steps,)``, at least 0.01.
    """
    d = np.linspace(-reach_px, reach_px, steps)
    t = 1 + (profile.outside - 1) * _smooth_step(d, 0.0, profile.step_px)
    if profile.wall_px:
        band = _smooth_step(d, 0.0, profile.step_px) - _smooth_step(
            d, profile.wall_px, profile.wall_softness_px
        )
        t += (profile.wall_level - t) * np.clip(band, 0, 1)
    if profile.shade_amount:
        depth = np.maximum(1 - np.maximum(d * profile.shade_side, 0) / profile.shade_length_px, 0)
        ours = _smooth_step(d * profile.shade_side, 0.0, profile.step_px)
        t *= 1 - profile.shade_amount * depth**profile.shade_power * ours
    if profile.streak_amount:
        per_step = 2 * reach_px / (steps - 1)
        cell = profile.streak_cell_px / per_step
        streaks = value_noise((1, steps), (1.0, cell), profile.streak_seed)[0]
        t *= 1 + profile.streak_amount * streaks * (d > 0)
    for line in profile.lines:
        t *= 1 - line.amount * np.exp(-(((d - line.offset_px) / line.width_px) ** 2))
    if profile.fringe_amount:
        away = np.maximum(d * profile.fringe_side, 0)
        wave = np.cos(2 * math.pi * away / profile.fringe_period_px)
        fade = np.exp(-away / profile.fringe_decay_px) * (d * profile.fringe_side > 0)
        t *= 1 + profile.fringe_amount * wave * fade
    result: NDArray[np.float64] = np.maximum(t, 0.01)
    return result


def _smooth_step(d: NDArray[np.float64], at: float, width: float) -> NDArray[np.float64]:
    """Return 0 well below a place, 1 well above it, with a transition of the given width."""
    t = np.clip((d - at) / (2 * width) + 0.5, 0, 1)
    step: NDArray[np.float64] = t * t * (3 - 2 * t)
    return step


def _reach(profile: EdgeProfile) -> float:
    """Return the distance beyond which the profile is constant, streaks apart."""
    lines = [abs(line.offset_px) + 3 * line.width_px for line in profile.lines]
    return max(
        [
            2 * profile.step_px,
            profile.shade_length_px if profile.shade_amount else 0.0,
            profile.wall_px + 2 * profile.wall_softness_px if profile.wall_px else 0.0,
            6 * profile.fringe_decay_px if profile.fringe_amount else 0.0,
            120.0 if profile.streak_amount else 0.0,
            profile.grain_to_px if profile.grain_amount else 0.0,
            *lines,
        ]
    )


def paint_edge(canvas: NDArray[np.float32], edge: Edge) -> None:
    """Multiply the canvas by the profile of an edge."""
    reach = _reach(edge.profile)
    steps = min(max(256, int(24 * reach)), _MOST_STEPS)
    table = edge_profile(edge.profile, reach, steps).astype(np.float32)
    rows, columns = slice(0, canvas.shape[0]), slice(0, canvas.shape[1])
    if edge.kind != "line" and abs(float(table[-1]) - 1) < 1e-6:
        rows, columns = _window(canvas, edge, reach)
    window = canvas[rows, columns]
    if window.size == 0:
        return
    shape = (window.shape[0], window.shape[1])
    origin = (float(rows.start), float(columns.start))
    single = np.float32
    _paint(
        window,
        _KINDS[edge.kind],
        # Pixel centres at integers from here on.
        (
            single(edge.x_px - 0.5 - columns.start),
            single(edge.y_px - 0.5 - rows.start),
            single(math.cos(edge.angle_rad)),
            single(math.sin(edge.angle_rad)),
        ),
        (single(edge.half_length_px), single(edge.half_width_px), single(edge.corner_px)),
        _displacement(edge.wave_px, edge.wave_cell_px, edge.wave_seed, shape, origin),
        _displacement(edge.rough_px, edge.rough_cell_px, edge.rough_seed, shape, origin),
        single(1 / (3 * edge.rough_cell_px)),
        np.asarray(edge.cusps, np.float64).reshape(-1, 4) - (origin[1], origin[0], 0, 0),
        (
            single(edge.bias),
            single(math.cos(edge.bias_angle_rad)),
            single(math.sin(edge.bias_angle_rad)),
        ),
        table,
        single(reach),
        _grain(edge.profile, shape, origin),
        (single(edge.profile.grain_from_px), single(edge.profile.grain_to_px)),
    )


def _window(canvas: NDArray[np.float32], edge: Edge, reach: float) -> tuple[slice, slice]:
    """Return the rows and columns that a closed curve clear outside can change."""
    # Noise stays within five standard deviations; tips are lower than their sum.
    moved = 5 * (edge.wave_px + edge.rough_px) + sum(abs(cusp[2]) for cusp in edge.cusps)
    far = math.hypot(edge.half_length_px, edge.half_width_px) + reach + moved + 1
    height, width = canvas.shape
    top, left = max(0, int(edge.y_px - far)), max(0, int(edge.x_px - far))
    bottom, right = min(height, int(edge.y_px + far) + 2), min(width, int(edge.x_px + far) + 2)
    return slice(top, max(bottom, top)), slice(left, max(right, left))


def _displacement(
    amount_px: float,
    cell_px: float,
    seed: int,
    shape: tuple[int, int],
    origin: tuple[float, float],
) -> NDArray[np.float32]:
    """Return how far noise displaces the curve at each pixel; ``(0, 0)`` where nowhere."""
    if not amount_px:
        return np.zeros((0, 0), np.float32)
    noise = value_noise(shape, cell_px, seed, octaves=2, origin_px=origin)
    noise *= amount_px
    return noise


def _grain(
    profile: EdgeProfile, shape: tuple[int, int], origin: tuple[float, float]
) -> NDArray[np.float32]:
    """Return the relative brightness of the grains along an edge; ``(0, 0)`` without any."""
    if not profile.grain_amount:
        return np.zeros((0, 0), np.float32)
    grain = value_noise(
        shape, profile.grain_cell_px, profile.grain_seed, octaves=2, origin_px=origin
    )
    grain -= np.float32(profile.grain_skew) * (grain * grain - 1)
    grain *= np.float32(profile.grain_amount)
    return grain


# Plain IEEE division lets these loops run in vector registers; nothing divides by 0 but a
# centre that falls on a pixel's, which is set right after.
@njit(cache=True, nogil=True, error_model="numpy")
def _signed_distance(d, kind, frame, size, dy):  # type: ignore[no-untyped-def]
    """Write the distances of a row to a line, an ellipse (first order) or a rounded rectangle."""
    centre_x, _, cos, sin = frame
    half_u, half_v, corner = size
    zero, one = np.float32(0), np.float32(1)
    du, dv = sin * dy, cos * dy
    if kind == 0:
        for x in range(d.shape[0]):
            d[x] = cos * (np.float32(x) - centre_x) + du
    elif kind == 1:
        per_u, per_v = one / half_u, one / half_v
        per_u2, per_v2 = per_u * per_u, per_v * per_v
        for x in range(d.shape[0]):
            dx = np.float32(x) - centre_x
            u, v = cos * dx + du, dv - sin * dx
            p, q = u * u * per_u2, v * v * per_v2
            k2 = p + q
            k = np.sqrt(k2)
            away = k * (k - one) / np.sqrt(p * per_u2 + q * per_v2)
            d[x] = away if k2 > zero else -half_v
    else:
        for x in range(d.shape[0]):
            dx = np.float32(x) - centre_x
            p = abs(cos * dx + du) - half_u + corner
            q = abs(dv - sin * dx) - half_v + corner
            a, b = max(p, zero), max(q, zero)
            d[x] = np.sqrt(a * a + b * b) + min(max(p, q), zero) - corner


@njit(cache=True, nogil=True)
def _displace(d, y, wave, rough, rough_fade, cusps):  # type: ignore[no-untyped-def]
    """Add waves, tips and, near the curve only, roughness to the distances of a row."""
    one = np.float32(1)
    if wave.shape[1] == d.shape[0]:
        for x in range(d.shape[0]):
            d[x] += wave[y, x]
    for k in range(cusps.shape[0]):
        reach = 6 * cusps[k, 3]
        if abs(y + 0.5 - cusps[k, 1]) < reach:
            first = max(0, int(cusps[k, 0] - reach))
            for x in range(first, min(d.shape[0], int(cusps[k, 0] + reach) + 1)):
                away = math.hypot(x + 0.5 - cusps[k, 0], y + 0.5 - cusps[k, 1]) / cusps[k, 3]
                d[x] -= cusps[k, 2] * math.exp(-away)
    if rough.shape[1] == d.shape[0]:
        for x in range(d.shape[0]):
            fade = d[x] * rough_fade
            d[x] += rough[y, x] / (one + fade * fade)


@njit(cache=True, nogil=True)
def _paint(  # type: ignore[no-untyped-def]
    canvas, kind, frame, size, wave, rough, rough_fade, cusps, bias, table, reach, grain, band
):
    """Multiply the canvas by the profile at every pixel's distance, in place."""
    height, width = canvas.shape
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    strength, bias_x, bias_y = bias
    last = np.float32(table.shape[0] - 1)
    per_px = half * last / reach
    soft = one / (np.float32(0.35) * (band[1] - band[0]))
    grained = grain.shape[1] == width
    d = np.empty(width, np.float32)
    for y in range(height):
        dy = np.float32(y) - frame[1]
        _signed_distance(d, kind, frame, size, dy)
        _displace(d, y, wave, rough, rough_fade, cusps)
        for x in range(width):
            position = min(max((d[x] + reach) * per_px, zero), last)
            t = table[np.int32(position + half)]
            if strength > 0:
                dx = np.float32(x) - frame[0]
                r = np.sqrt(dx * dx + dy * dy) + np.float32(1e-6)
                t = one + (t - one) * (
                    one - half * strength * (one + (dx * bias_x + dy * bias_y) / r)
                )
            if grained:
                within = min((d[x] - band[0]) * soft, (band[1] - d[x]) * soft)
                t *= one + grain[y, x] * min(max(within, zero), one)
            canvas[y, x] *= max(t, np.float32(0.01))
