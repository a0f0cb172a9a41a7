"""Plane waves, of which the patterns of thin films and skins are made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.degrade.equalise import BINS, cumulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A profile is read between its samples, which dulls its crests by 1 / 64 at most.
_SAMPLES_PER_PERIOD = 64
_LEAST_SAMPLES = 1024


@dataclass(frozen=True)
class PlaneWave:
    """A texture N_I(x, n, k).

    Parameters
    ----------
    scale_px
        k, the period.
    angle_rad
        Direction n = (cos, sin), x to the right and y down.
    phase_rad
        phi, at the picture's upper left corner.
    """

    scale_px: float
    angle_rad: float
    phase_rad: float


def wave_profile(wave: PlaneWave, path_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the wave along its direction.

    ``N_I(x, n, k) = (cos(2 pi x.n / k + phi) + 1) / 2`` (synthetic-pcs, eq. 9).

    Parameters
    ----------
    wave
        Which.
    path_px
        x.n, any shape.
    """
    return (np.cos((2 * math.pi / wave.scale_px) * path_px + wave.phase_rad) + 1) / 2


def add_equalised_wave(
    total: NDArray[np.float32], wave: PlaneWave, gain: float, *, step_px: int = 1
) -> None:
    """Add an equalised wave to a sum: ``total += gain * H[N_I(x, n, k)]``.

    A wave is constant across its direction, so its profile is equalised instead of the picture:
    the share of pixels at each x.n is the length of a chord of the frame, a trapezium.

    Parameters
    ----------
    total
        ``(H, W)``, changed in place.
    wave
        Which.
    gain
        Its weight.
    step_px
        Distance of neighbouring samples of ``total``; the first one is the centre of the first
        pixel.
    """
    height, width = (step_px * size for size in total.shape)
    cos, sin = math.cos(wave.angle_rad), math.sin(wave.angle_rad)
    across, down = width * abs(cos), height * abs(sin)
    first, span = min(width * cos, 0.0) + min(height * sin, 0.0), across + down
    count = max(math.ceil(span / wave.scale_px * _SAMPLES_PER_PERIOD), _LEAST_SAMPLES)
    path = np.linspace(0.0, span, count)
    shortest = max(min(across, down), span / count)
    chord = np.minimum(np.minimum(path, span - path), shortest)
    profile = _equalised(wave_profile(wave, first + path), chord, gain)
    per_px = (count - 1) / span
    _add_profile(
        total, profile, np.float32(cos * per_px), np.float32(sin * per_px),
        np.float32(1 - first * per_px), step_px,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _equalised(values, weights, gain):  # type: ignore[no-untyped-def]
    """Return gain times the weighted share of values below each value; both ends twice."""
    low, high = values.min(), values.max()
    out = np.full(len(values) + 2, gain / 2, np.float32)
    if high <= low:
        return out
    per_unit = BINS / (high - low)
    counts = np.zeros(BINS)
    for i in range(len(values)):
        counts[min(int((values[i] - low) * per_unit), BINS - 1)] += weights[i]
    curve = cumulate(counts, counts.sum(), gain)
    for i in range(len(values)):
        position = (values[i] - low) * per_unit
        k = int(position)
        out[i + 1] = curve[k] + (position - k) * (curve[k + 1] - curve[k])
    out[0], out[-1] = out[1], out[-2]
    return out


@njit(cache=True, nogil=True)
def _add_profile(total, profile, step_x, step_y, start, step_px):  # type: ignore[no-untyped-def]
    """Add a profile read at x.n to every pixel, in place."""
    width = total.shape[1]
    rise = profile[1:] - profile[:-1]
    columns = np.empty(width, np.float32)
    for x in range(width):
        columns[x] = (x * step_px + 0.5) * step_x
    for y in range(total.shape[0]):
        row = np.float32(start + (y * step_px + 0.5) * step_y)
        for x in range(width):
            position = row + columns[x]
            k = np.int32(position)
            i = np.uintp(k)
            total[y, x] += profile[i] + (position - np.float32(k)) * rise[i]
