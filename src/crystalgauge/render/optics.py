"""Refraction at a face, the condenser's light and the directions through the objective."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.scene import Optics

GHOST_SIGMA = 0.55
"""Blur that joins the ghosts of K directions, in units of disc radius / sqrt(K)."""


@njit(cache=True, nogil=True)
def refracted_cosine(cosine: float, ratio: float) -> float:
    """Return the cosine of the refracted ray, or -1 on total reflection (Snell's law).

    Parameters
    ----------
    cosine
        Of the angle of incidence, in [0, 1].
    ratio
        Refractive index before the face over that behind it.
    """
    square = 1.0 - ratio * ratio * (1.0 - cosine * cosine)
    return math.sqrt(square) if square >= 0.0 else -1.0


@njit(cache=True, nogil=True)
def reflectance(cosine_in: float, cosine_out: float, n_in: float, n_out: float) -> float:
    """Return Fresnel's reflectance for unpolarised light.

    Parameters
    ----------
    cosine_in, cosine_out
        Cosines of the angles of incidence and refraction, in [0, 1].
    n_in, n_out
        Refractive indices before and behind the face.
    """
    s = (n_in * cosine_in - n_out * cosine_out) / (n_in * cosine_in + n_out * cosine_out)
    p = (n_out * cosine_in - n_in * cosine_out) / (n_out * cosine_in + n_in * cosine_out)
    return 0.5 * (s * s + p * p)


@njit(cache=True, nogil=True)
def condenser_radiance(
    x: float, y: float, z: float, condenser: tuple[float, float, float, float, float, float]
) -> float:
    """Return the light that comes from where a backward ray goes, relative to the axis.

    Parameters
    ----------
    x, y, z
        Unit direction of the ray, away from the camera: ``z = -1`` looks into the lamp.
    condenser
        As from `condenser_terms`.
    """
    if z >= 0.0:
        return 0.0
    cosine = x * condenser[3] + y * condenser[4] + z * condenser[5]
    angle = math.acos(min(max(cosine, -1.0), 1.0))
    t = min(max((angle - condenser[0]) / condenser[1], 0.0), 1.0)
    return max(1.0 - t * t * (3.0 - 2.0 * t), condenser[2])


def condenser_terms(optics: Optics) -> tuple[float, float, float, float, float, float]:
    """Return where the falloff begins, its width, the stray light and the axis of a condenser.

    Parameters
    ----------
    optics
        The microscope.
    """
    axis = np.array([*optics.lamp_tilt, -1.0])
    axis /= np.linalg.norm(axis)
    begin = optics.condenser_rad - optics.condenser_falloff_rad / 2
    return begin, optics.condenser_falloff_rad, optics.stray_light, axis[0], axis[1], axis[2]


def aperture_slopes(count: int, aperture_tan: float) -> NDArray[np.float64]:
    """Return slopes ``(K, 2)`` of rays spread over the objective's aperture.

    Parameters
    ----------
    count
        Number of directions, 1 or at least 6.
    aperture_tan
        Slope of the marginal ray.

    Notes
    -----
    A sunflower pattern, freed from its mean and from its correlation with the pixel's jitter, and
    stretched to isotropic second moments, so that defocus neither shifts an outline nor makes it
    astigmatic. Together with the blur that joins the directions, the variance per axis is that
    of the full disc, ``aperture_tan**2 / 4``.
    """
    if count == 1:
        return np.zeros((1, 2))
    index = np.arange(count)
    radius = np.sqrt((index + 0.5) / count)
    angle = index * np.pi * (3 - math.sqrt(5))
    slopes = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    shared = np.column_stack([np.ones(count), pixel_jitter(count)])
    slopes -= shared @ np.linalg.lstsq(shared, slopes, rcond=None)[0]
    values, axes = np.linalg.eigh(slopes.T @ slopes / count)
    variance = 0.25 - GHOST_SIGMA**2 / count
    return slopes @ (axes * np.sqrt(variance / values)) @ axes.T * aperture_tan


def pixel_jitter(count: int) -> NDArray[np.float64]:
    """Return where in its pixel each direction's ray starts, ``(K, 2)`` with mean 0.5.

    Parameters
    ----------
    count
        Number of directions.

    Notes
    -----
    A lattice of rank one (Korobov): each coordinate takes every stratum once, so that the
    average over directions is also a box filter over the pixel.
    """
    index = np.arange(count)
    stride = next(s for s in (3, 5, 7, 1) if math.gcd(s, count) == 1 or s == 1)
    return np.stack([(index + 0.5) / count, ((index * stride) % count + 0.5) / count], axis=1)
