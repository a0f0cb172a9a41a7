"""The transfer function against what is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.widefield import blur_by, oversampling, transfer_function
from crystalgauge.scenes.zstack import Microscope

LENS = Microscope(numerical_aperture=0.2, wavelength_um=0.5, pixel_um=0.5)
SHAPE = (128, 128)


def frequency_per_um(shape: tuple[int, int], pixel_um: float) -> np.ndarray:
    rows = np.fft.fftfreq(shape[0], pixel_um)[:, None]
    return np.hypot(rows, np.fft.rfftfreq(shape[1], pixel_um))


def without_pixel(shape: tuple[int, int], lens: Microscope, defocus_um: float) -> np.ndarray:
    pixel = np.sinc(np.fft.fftfreq(shape[0]))[:, None] * np.sinc(np.fft.rfftfreq(shape[1]))
    return transfer_function(shape, lens, defocus_um) / pixel


def test_in_focus_it_is_that_of_a_perfect_lens() -> None:
    found = without_pixel(SHAPE, LENS, 0.0)
    share = frequency_per_um(SHAPE, LENS.pixel_um) / LENS.cutoff_per_um
    inside = np.minimum(share, 1)
    # Goodman, eq 6-32
    perfect = 2 / np.pi * (np.arccos(inside) - inside * np.sqrt(1 - inside**2))
    # the pupil is 25 samples across: its staircase edge is 1 / 25 of its area
    np.testing.assert_allclose(found, perfect, atol=0.02)
    assert np.abs(found.imag).max() < 1e-9


@pytest.mark.parametrize("defocus_um", [0.0, 5.0, 20.0])
def test_nothing_passes_beyond_twice_the_aperture_over_the_wavelength(defocus_um: float) -> None:
    found = np.abs(without_pixel(SHAPE, LENS, defocus_um))
    beyond = frequency_per_um(SHAPE, LENS.pixel_um) > LENS.cutoff_per_um * 1.05
    assert beyond.any()
    assert found[beyond].max() < 1e-9
    assert found[0, 0] == pytest.approx(1)


def test_far_from_focus_it_is_that_of_the_ray_disc() -> None:
    from scipy.special import j1

    lens, defocus_um = Microscope(0.25, 0.461, 0.656), 60.0
    found = without_pixel((160, 160), lens, defocus_um).real
    frequency = frequency_per_um((160, 160), lens.pixel_um)
    near = (frequency > 0) & (frequency < 0.6 / (defocus_um * lens.aperture_tan))
    turns = 2 * np.pi * frequency[near] * defocus_um * lens.aperture_tan
    # a disc of rays is the limit for many waves of defocus, here four
    np.testing.assert_allclose(found[near], 2 * j1(turns) / turns, atol=0.06)


def test_only_an_aberration_tells_above_from_below() -> None:
    above, below = (transfer_function(SHAPE, LENS, z) for z in (15.0, -15.0))
    np.testing.assert_allclose(above, below, atol=1e-12)
    worse = Microscope(LENS.numerical_aperture, LENS.wavelength_um, LENS.pixel_um, 0.25)
    above, below = (transfer_function(SHAPE, worse, z) for z in (15.0, -15.0))
    assert np.abs(above - below).max() > 0.05


def test_blur_keeps_the_light_and_widens_with_distance() -> None:
    picture = np.zeros(SHAPE)
    picture[64, 64] = 1.0
    y, x = np.indices(SHAPE) - 64
    reach = []
    for defocus_um in (0.0, 6.0, 12.0, 24.0):
        seen = blur_by(picture, LENS, defocus_um)
        assert seen.sum() == pytest.approx(1)
        reach.append((seen * np.hypot(x, y)).sum())
    assert (np.diff(reach) > 0.3).all()


def test_the_grid_is_fine_enough_for_the_cut_off() -> None:
    for lens in (LENS, Microscope(), Microscope(0.9, 0.4, 0.65)):
        assert oversampling(lens) / (2 * lens.pixel_um) >= lens.cutoff_per_um
