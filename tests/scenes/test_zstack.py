"""Fields of view through focus: where planes lie and how much they blur."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.zstack import (
    CRYSTAL_DEPTH_UM,
    CrystalStack,
    FocalSeries,
    Microscope,
    NucleiStack,
    sample_stack,
)


def test_planes_lie_as_in_the_paper() -> None:
    series = FocalSeries()
    assert series.planes == 31
    assert [series.offset_um(plane) for plane in (16, 10, 5, 0, 25)] == [0, -12, -22, -32, 18]
    with pytest.raises(ArgumentError, match="no plane 31"):
        series.offset_um(31)
    with pytest.raises(ArgumentError, match="focal plane among its planes"):
        FocalSeries(focal_plane=31)


def test_blur_is_diffraction_in_focus_and_the_ray_disc_far_from_it() -> None:
    microscope = Microscope(numerical_aperture=0.6, wavelength_um=0.5, pixel_um=0.5)
    assert microscope.aperture_tan == pytest.approx(0.75)  # sine 0.6, cosine 0.8
    assert microscope.blur_sigma_px(0) == pytest.approx(math.sqrt(2) / (2 * math.pi) / 0.6)
    # a disc of radius 0.75 * 40 um has half of it as standard deviation along an axis
    assert microscope.blur_sigma_px(-40) == pytest.approx(30, rel=1e-4)
    sigmas = [microscope.blur_sigma_px(z) for z in range(0, 33, 2)]
    assert (np.diff(sigmas) > 0).all()
    assert microscope.blur_sigma_px(7) == microscope.blur_sigma_px(-7)
    with pytest.raises(ArgumentError, match="aperture between 0 and 1"):
        Microscope(numerical_aperture=1.2)


def test_the_same_generator_draws_the_same_stack_and_another_one_another() -> None:
    one, two, other = (sample_stack(np.random.default_rng(s), (96, 96)) for s in (5, 5, 6))
    assert isinstance(one, NucleiStack)
    assert len(one.nuclei) >= 1
    np.testing.assert_array_equal(one.nuclei.centre_px, two.nuclei.centre_px)
    assert one.seed == two.seed != other.seed


def test_crystals_lie_near_the_focal_plane_and_move_against_it() -> None:
    stack = sample_stack(np.random.default_rng(3), (160, 160), "crystals")
    assert isinstance(stack, CrystalStack)
    depth_um = stack.scene.crystals.position_px[:, 2] * stack.microscope.pixel_um
    assert len(depth_um) > 0
    assert np.abs(depth_um).max() <= CRYSTAL_DEPTH_UM * (1 + 1e-6)
    above = stack.at_plane(20)
    moved = (above.crystals.position_px - stack.scene.crystals.position_px).T
    np.testing.assert_allclose(moved[:2], 0)
    np.testing.assert_allclose(moved[2] * stack.microscope.pixel_um, -8, rtol=1e-4)
    assert above.seed != stack.at_plane(21).seed


def test_unknown_contents_are_refused() -> None:
    with pytest.raises(ArgumentError, match="nuclei and crystals"):
        sample_stack(np.random.default_rng(0), (64, 64), "sand")  # type: ignore[arg-type]
