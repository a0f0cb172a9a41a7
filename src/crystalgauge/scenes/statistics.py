"""Distributions that scenes are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFERENCE_PX = 384
"""Counts are given for a picture of this many px squared and grow with the area."""


@dataclass(frozen=True)
class Crowd:
    """A kind of population: how many crystals, how large and of which habits.

    Parameters
    ----------
    name
        For statistics and logs.
    weight
        Relative frequency.
    count
        Lowest and highest number of crystals in a field of 384 x 384 px.
    smallest_px, largest_px
        Ranges from which a scene draws the ends of its size range, in px.
    habits
        Habit names, or none for all of them.
    """

    name: str
    weight: float
    count: tuple[int, int]
    smallest_px: tuple[float, float]
    largest_px: tuple[float, float]
    habits: tuple[str, ...] = ()


CROWDS: tuple[Crowd, ...] = (
    Crowd("medium", 0.25, (8, 60), (8, 26), (35, 120)),
    Crowd("tiny", 0.16, (80, 300), (6, 10), (14, 36)),
    Crowd("large", 0.12, (2, 12), (40, 80), (90, 250)),
    Crowd("needles", 0.17, (6, 60), (15, 32), (60, 250), ("needle",)),
    Crowd("wide", 0.14, (12, 70), (6, 12), (100, 230)),
    Crowd("dense", 0.11, (70, 170), (12, 22), (36, 100)),
    Crowd("empty", 0.05, (0, 0), (10, 10), (20, 20)),
)
"""The suspension's populations; needles and dense fields come more often than in a laboratory."""


def log_uniform(
    rng: np.random.Generator, low: float, high: float, count: int
) -> NDArray[np.float64]:
    """Draw numbers whose logarithms are uniform.

    Parameters
    ----------
    rng
        Source.
    low, high
        Ends of the range, positive.
    count
        How many.
    """
    return np.exp(rng.uniform(np.log(low), np.log(high), count))


def orientations(
    rng: np.random.Generator, flat: NDArray[np.bool_], tilt_rad: float
) -> NDArray[np.float64]:
    """Draw rotations ``(N, 3, 3)`` of bodies whose long axis is x and whose short axis is z.

    Parameters
    ----------
    rng
        Source.
    flat
        ``(N,)`` whether a body rests on its broad side; others are spun freely.
    tilt_rad
        Largest inclination of the long axis to the image plane, in rad; small ones are likelier.

    Notes
    -----
    Spin about the long axis, inclination, then a uniform azimuth about the optical axis.
    """
    count = len(flat)
    spin = np.where(flat, rng.normal(0, 0.2, count), rng.uniform(0, 2 * np.pi, count))
    tilt = rng.uniform(-tilt_rad, tilt_rad, count) * rng.random(count)
    azimuth = rng.uniform(0, 2 * np.pi, count)
    about_x = _rotation(spin, 1, 2)
    about_y = _rotation(tilt, 2, 0)
    about_z = _rotation(azimuth, 0, 1)
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)


def _rotation(angle: NDArray[np.float64], first: int, second: int) -> NDArray[np.float64]:
    """Return ``(N, 3, 3)`` turns from one axis towards another."""
    turn = np.tile(np.eye(3), (len(angle), 1, 1))
    turn[:, first, first] = turn[:, second, second] = np.cos(angle)
    turn[:, second, first] = np.sin(angle)
    turn[:, first, second] = -np.sin(angle)
    return turn


def directions_near_plane(rng: np.random.Generator, count: int, rise: float) -> NDArray[np.float64]:
    """Draw unit vectors ``(N, 3)`` about the image plane.

    Parameters
    ----------
    rng
        Source.
    count
        How many.
    rise
        Standard deviation of the z component before normalisation.
    """
    azimuth = rng.uniform(0, 2 * np.pi, count)
    vectors = np.stack([np.cos(azimuth), np.sin(azimuth), rng.normal(0, rise, count)], axis=1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
