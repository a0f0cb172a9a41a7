"""Incoherent imaging through a pupil: the optical transfer function of a plane out of focus."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.zstack import Microscope


@lru_cache(maxsize=256)
def transfer_function(
    shape: tuple[int, int], microscope: Microscope, defocus_um: float
) -> NDArray[np.complex128]:
    """Return the factors of a scene's spectrum, 1 at frequency 0.

    Parameters
    ----------
    shape
        Height and width of the scene in px; the disc of the defocus should fit in half of it.
    microscope
        Objective and pixels.
    defocus_um
        Distance of the light's source from the focal plane, positive above.

    Returns
    -------
    NDArray
        ``(H, W // 2 + 1)``, in the order of `numpy.fft.rfft2`; not to be written to.

    Notes
    -----
    Goodman, Introduction to Fourier Optics, eqs 6-28 and 6-33: the point spread function is
    ``|F{P}|^2`` of the pupil ``P(f) = exp(2 pi i [z sqrt(1 / wavelength^2 - f^2) + W(f)])`` within
    ``f <= NA / wavelength``, here with the exact path through air and W the spherical aberration;
    its transform is the transfer function. The pupil is laid on a grid fine enough for twice its
    radius. A pixel's own area multiplies by ``sinc(f_x p) sinc(f_y p)``.
    """
    pupil = pupil_function(shape, microscope, defocus_um)
    spread = np.abs(np.fft.ifft2(pupil)) ** 2
    whole = np.fft.fft2(spread)
    height, width = shape
    rows = np.fft.fftfreq(height)
    columns = np.fft.rfftfreq(width)
    kept = whole[np.rint(rows * height).astype(int)][:, np.rint(columns * width).astype(int)]
    factors = kept / whole[0, 0] * np.sinc(rows)[:, None] * np.sinc(columns)
    factors.flags.writeable = False
    return factors


def oversampling(microscope: Microscope) -> int:
    """Return how many times finer than the pixels the field must be sampled.

    Parameters
    ----------
    microscope
        Its cut-off has to lie within the sampling's range.
    """
    return max(1, math.ceil(2 * microscope.cutoff_per_um * microscope.pixel_um))


def pupil_function(
    shape: tuple[int, int], microscope: Microscope, defocus_um: float
) -> NDArray[np.complex128]:
    """Return the pupil at the frequencies of the finer grid.

    Parameters
    ----------
    shape, microscope, defocus_um
        As for `transfer_function`.

    Returns
    -------
    NDArray
        ``(s H, s W)``, in the order of `numpy.fft.fft2`, s as `oversampling` has it.
    """
    finer = oversampling(microscope)
    step_um = microscope.pixel_um / finer
    rows = np.fft.fftfreq(finer * shape[0], step_um)[:, None]
    columns = np.fft.fftfreq(finer * shape[1], step_um)
    square = rows**2 + columns**2
    radius = square * (microscope.wavelength_um / microscope.numerical_aperture) ** 2
    inside = radius <= 1
    axial = np.sqrt(np.maximum(1 / microscope.wavelength_um**2 - square, 0.0))
    aberration = microscope.spherical_waves * (6 * radius**2 - 6 * radius + 1)
    return np.where(inside, np.exp(2j * np.pi * (defocus_um * axial + aberration)), 0.0)


def blur_by(
    picture: NDArray[np.floating], microscope: Microscope, defocus_um: float
) -> NDArray[np.float64]:
    """Return a picture as it looks out of focus; what leaves at one side comes in at the other.

    Parameters
    ----------
    picture
        ``(H, W)`` light.
    microscope, defocus_um
        As for `transfer_function`.
    """
    height, width = picture.shape
    factors = transfer_function((height, width), microscope, defocus_um)
    return np.fft.irfft2(np.fft.rfft2(picture) * factors, (height, width))
