"""Dust, fibres, hairs and scratches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from crystalgauge.scenes.backdrop_ranges import chance, draw_seed, log_uniform, point_in


@dataclass(frozen=True)
class Specks:
    """Dust: small irregular blobs.

    Parameters
    ----------
    places
        x, y and radius in px and optical density of each; negative is bright.
    softness_px
        Width of their borders.
    irregularity
        0 is round, 0.6 is very ragged.
    rim
        Relative strength of a bright line around each.
    seed
        Seed of their outlines.
    """

    places: tuple[tuple[float, float, float, float], ...]
    softness_px: float
    irregularity: float
    rim: float
    seed: int


@dataclass(frozen=True)
class Stroke:
    """A fibre, a hair or a scratch: a band of varying width along a path.

    Parameters
    ----------
    path
        x, y and half width in px of its points.
    edge_amount
        Relative strength of the two border lines; positive is dark.
    body_amount
        Relative strength between them.
    glow_amount
        Relative strength of the bright lines outside.
    softness
        Width of every transition in half widths.
    """

    path: tuple[tuple[float, float, float], ...]
    edge_amount: float
    body_amount: float
    glow_amount: float
    softness: float


def sample_specks(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Specks, ...]:
    """Draw dust: from a few blobs to a cloud of points."""
    cloud = chance(rng, 0.3)
    count = int(log_uniform(rng, 60, 1500)) if cloud else int(log_uniform(rng, 2, 40))
    count = max(1, int(count * min(1.0, shape[0] * shape[1] / 384**2)))
    high = 1.6 if cloud else log_uniform(rng, 2, 7)
    radii = np.exp(rng.uniform(math.log(0.5), math.log(high), count))
    bright = -0.4 if chance(rng, 0.2) else 1.0
    density = bright * np.exp(rng.uniform(math.log(0.15), math.log(2.5), count))
    x = rng.uniform(0, shape[1], count)
    y = rng.uniform(0, shape[0], count)
    places = np.stack([x, y, radii, density], axis=1).tolist()
    return (
        Specks(
            places=tuple((p[0], p[1], p[2], p[3]) for p in places),
            softness_px=log_uniform(rng, 0.4, 2.0),
            irregularity=float(rng.uniform(0.05, 0.55)),
            rim=float(rng.uniform(0.05, 0.4)) if chance(rng, 0.3) else 0.0,
            seed=draw_seed(rng),
        ),
    )


def sample_fibres(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Stroke, ...]:
    """Draw fibres and hairs, sharp or far out of focus."""
    return tuple(_sample_fibre(rng, shape) for _ in range(min(int(rng.geometric(0.6)), 4)))


def _sample_fibre(rng: np.random.Generator, shape: tuple[int, int]) -> Stroke:
    """Draw one fibre: a path whose direction drifts."""
    length = max(shape) * log_uniform(rng, 0.3, 1.8)
    count = 40
    drift = np.cumsum(rng.normal(0, rng.uniform(0.1, 0.9), count))
    kinks = rng.normal(0, 12, count) * (rng.random(count) < rng.choice([0, 0.05]))
    bend = rng.normal(0, 1.2) + drift - 0.7 * drift.mean() + kinks
    turn = rng.uniform(0, 2 * math.pi) + np.cumsum(bend) / count * rng.uniform(0.5, 4)
    x = np.cumsum(np.cos(turn)) * length / count
    y = np.cumsum(np.sin(turn)) * length / count
    middle = point_in(rng, shape, -0.1 * min(shape))
    half = log_uniform(rng, 0.5, 4.5)
    widths = half * np.interp(
        np.linspace(0, 1, count), np.linspace(0, 1, 6), rng.uniform(0.7, 1.25, 6)
    )
    far = chance(rng, 0.25)
    points = np.stack([x - x.mean() + middle[0], y - y.mean() + middle[1], widths], axis=1)
    hollow = chance(rng, 0.5)
    strength = rng.uniform(0.15, 0.9) * (0.5 if far else 1.0)
    return Stroke(
        path=tuple((p[0], p[1], p[2]) for p in points.tolist()),
        edge_amount=float(strength),
        body_amount=float(rng.uniform(-0.25, 0.2) if hollow else strength * rng.uniform(0.5, 1)),
        glow_amount=float(rng.uniform(0, 0.3)) if chance(rng, 0.5) else 0.0,
        softness=log_uniform(rng, 1.0, 3.0) if far else log_uniform(rng, 0.15, 0.6),
    )


def sample_scratches(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Stroke, ...]:
    """Draw scratches: thin straight lines, often in bundles."""
    direction = rng.uniform(0, math.pi)
    centre = point_in(rng, shape)
    bundle = chance(rng, 0.5)
    strength = float(rng.uniform(0.08, 0.7) * (1 if chance(rng, 0.6) else -0.5))
    strokes = []
    for _ in range(min(int(rng.geometric(0.25)), 12)):
        angle = direction + rng.normal(0, 0.05 if bundle else 1.0)
        x, y = point_in(rng, shape)
        if bundle:
            x, y = centre[0] + rng.normal(0, 25), centre[1] + rng.normal(0, 25)
        strokes.append(_scratch(rng, shape, (x, y), angle, strength))
    return tuple(strokes)


def _scratch(
    rng: np.random.Generator,
    shape: tuple[int, int],
    middle: tuple[float, float],
    angle_rad: float,
    strength: float,
) -> Stroke:
    """Draw one scratch through a point."""
    half_length = 0.5 * max(shape) * log_uniform(rng, 0.25, 2.5)
    half_width = log_uniform(rng, 0.3, 1.0)
    count = 17
    along = np.linspace(-1, 1, count)
    sag = rng.normal(0, 0.015) * half_length * along**2
    taper = half_width * (0.4 + 0.6 * np.sqrt(np.clip(1 - along**2, 0, 1)))
    x = middle[0] + half_length * along * math.cos(angle_rad) - sag * math.sin(angle_rad)
    y = middle[1] + half_length * along * math.sin(angle_rad) + sag * math.cos(angle_rad)
    points = np.stack([x, y, taper], axis=1).tolist()
    return Stroke(
        path=tuple((p[0], p[1], p[2]) for p in points),
        edge_amount=float(strength * rng.uniform(0.5, 1)),
        body_amount=float(strength * rng.uniform(0.5, 1)),
        glow_amount=float(rng.uniform(0, 0.3)) if chance(rng, 0.4) else 0.0,
        softness=log_uniform(rng, 0.4, 1.2),
    )
