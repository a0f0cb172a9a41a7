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

_MOST_STEPS = 4096
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
    steps = min(max(256, int(16 * reach)), _MOST_STEPS)
    table = edge_profile(edge.profile, reach, steps).astype(np.float32)
    rows, columns = slice(0, canvas.shape[0]), slice(0, canvas.shape[1])
    if edge.kind != "line" and abs(float(table[-1]) - 1) < 1e-6:
        rows, columns = _window(canvas, edge, reach)
    window = canvas[rows, columns]
    if window.size == 0:
        return
    shape = (window.shape[0], window.shape[1])
    origin = (float(rows.start), float(columns.start))
    _paint(
        window,
        _KINDS[edge.kind],
        (
            edge.x_px - columns.start,
            edge.y_px - rows.start,
            math.cos(edge.angle_rad),
            math.sin(edge.angle_rad),
        ),
        (edge.half_length_px, edge.half_width_px, edge.corner_px),
        _displacement(edge.wave_px, edge.wave_cell_px, edge.wave_seed, shape, origin),
        _displacement(edge.rough_px, edge.rough_cell_px, edge.rough_seed, shape, origin),
        1 / (3 * edge.rough_cell_px),
        np.asarray(edge.cusps, np.float64).reshape(-1, 4) - (origin[1], origin[0], 0, 0),
        (edge.bias, math.cos(edge.bias_angle_rad), math.sin(edge.bias_angle_rad)),
        table,
        reach,
        _grain(edge.profile, shape, origin),
        (edge.profile.grain_from_px, edge.profile.grain_to_px),
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
    """Return how far noise displaces the curve at each pixel; ``(1, 1)`` where nowhere."""
    if not amount_px:
        return np.zeros((1, 1), np.float32)
    noise = value_noise(shape, cell_px, seed, octaves=2, origin_px=origin)
    noise *= amount_px
    return noise


def _grain(
    profile: EdgeProfile, shape: tuple[int, int], origin: tuple[float, float]
) -> NDArray[np.float32]:
    """Return the relative brightness of the grains along an edge; ``(1, 1)`` without any."""
    if not profile.grain_amount:
        return np.zeros((1, 1), np.float32)
    grain = value_noise(
        shape, profile.grain_cell_px, profile.grain_seed, octaves=2, origin_px=origin
    )
    grain -= np.float32(profile.grain_skew) * (grain * grain - 1)
    grain *= np.float32(profile.grain_amount)
    return grain


@njit(cache=True, nogil=True)
def _signed_distance(kind, u, v, half_u, half_v, corner):  # type: ignore[no-untyped-def]
    """Return the distance to a line, ellipse (to first order) or rounded rectangle."""
    if kind == 0:
        return u
    if kind == 1:
        p, q = u / half_u, v / half_v
        k = math.sqrt(p * p + q * q)
        g = math.sqrt(p * p / (half_u * half_u) + q * q / (half_v * half_v))
        if g < 1e-9:
            return -min(half_u, half_v)
        return k * (k - 1) / g
    p, q = abs(u) - half_u + corner, abs(v) - half_v + corner
    return math.hypot(max(p, 0.0), max(q, 0.0)) + min(max(p, q), 0.0) - corner


@njit(cache=True, nogil=True)
def _paint(  # type: ignore[no-untyped-def]
    canvas, kind, frame, size, wave, rough, rough_fade, cusps, bias, table, reach, grain, band
):
    """Multiply the canvas by the profile at every pixel's distance, in place."""
    centre_x, centre_y, cos, sin = frame
    half_u, half_v, corner = size
    strength, bias_x, bias_y = bias
    last = table.shape[0] - 1
    per_px = last / (2 * reach)
    waved, roughened = wave.size == canvas.size, rough.size == canvas.size
    grained = grain.size == canvas.size
    soft = 0.35 * (band[1] - band[0])
    for y in range(canvas.shape[0]):
        dy = y + 0.5 - centre_y
        for x in range(canvas.shape[1]):
            dx = x + 0.5 - centre_x
            d = _signed_distance(
                kind, cos * dx + sin * dy, cos * dy - sin * dx, half_u, half_v, corner
            )
            if waved:
                d += wave[y, x]
            if roughened:  # only near the curve: lines further off do not follow it
                d += rough[y, x] / (1 + (d * rough_fade) ** 2)
            for k in range(cusps.shape[0]):
                away = math.hypot(x + 0.5 - cusps[k, 0], y + 0.5 - cusps[k, 1]) / cusps[k, 3]
                if away < 6:
                    d -= cusps[k, 2] * math.exp(-away)
            position = min(max((d + reach) * per_px, 0.0), float(last))
            i = min(int(position), last - 1)
            t = table[i] + (table[i + 1] - table[i]) * (position - i)
            if strength > 0:
                r = math.sqrt(dx * dx + dy * dy) + 1e-6
                t = 1 + (t - 1) * (1 - 0.5 * strength * (1 + (dx * bias_x + dy * bias_y) / r))
            if grained:
                within = min((d - band[0]) / soft, (band[1] - d) / soft, 1.0)
                if within > 0:
                    t *= 1 + grain[y, x] * within
            canvas[y, x] *= max(t, 0.01)
