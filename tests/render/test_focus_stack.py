"""Planes of a stack: sharpest in the focal plane, the same on both sides of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.focus import measures
from crystalgauge.render.focus_stack import emission, render_planes, seen_light
from crystalgauge.scenes.zstack import CrystalStack, Microscope, NucleiStack, sample_stack

SHAPE = (96, 96)


def nuclei(seed: int) -> NucleiStack:
    stack = sample_stack(np.random.default_rng(seed), SHAPE)
    assert isinstance(stack, NucleiStack)
    return stack


def in_the_focal_plane(stack: NucleiStack) -> NucleiStack:
    depth_um = np.zeros(len(stack.nuclei))
    return replace(stack, nuclei=replace(stack.nuclei, depth_um=depth_um))


def sharpness(planes: np.ndarray) -> list[float]:
    return [measures.tenengrad(plane.astype(float)) for plane in planes]


@pytest.mark.parametrize("seed", [104, 105])
def test_nuclei_are_sharpest_in_the_focal_plane(seed: int) -> None:
    stack = in_the_focal_plane(nuclei(seed))
    numbers = [0, 5, 10, 13, 14, 15, 16, 17, 18, 19, 25, 30]
    planes = render_planes(stack, numbers)
    assert planes.shape == (len(numbers), *SHAPE)
    assert planes.dtype == np.uint16
    assert numbers[int(np.argmax(sharpness(planes)))] == 16


def test_blur_grows_with_the_distance_on_both_sides() -> None:
    stack = in_the_focal_plane(nuclei(107))
    light = emission(stack)
    found = {
        plane: measures.tenengrad(seen_light(stack, plane, light))
        for plane in (6, 10, 13, 16, 19, 22, 26)
    }
    assert found[6] < found[10] < found[13] < found[16]
    assert found[26] < found[22] < found[19] < found[16]


def test_without_aberration_both_sides_are_one_picture() -> None:
    stack = replace(in_the_focal_plane(nuclei(108)), microscope=Microscope())
    np.testing.assert_allclose(seen_light(stack, 10), seen_light(stack, 22), atol=1e-9)
    aberrated = replace(stack, microscope=Microscope(spherical_waves=0.15))
    difference = np.abs(seen_light(aberrated, 10) - seen_light(aberrated, 22))
    assert difference.max() > 0.02


def test_crystals_are_sharpest_about_the_focal_plane_and_alike_on_both_sides() -> None:
    stack = sample_stack(np.random.default_rng(109), SHAPE, "crystals")
    assert isinstance(stack, CrystalStack)
    flat = replace(stack.scene.crystals, position_px=stack.scene.crystals.position_px * (1, 1, 0))
    quiet = replace(stack.scene.camera, shot_noise=0.0, read_noise=0.0)
    stack = replace(stack, scene=replace(stack.scene, crystals=flat, camera=quiet))
    numbers = [4, 8, 12, 15, 16, 17, 20, 24, 28]
    found = dict(zip(numbers, sharpness(render_planes(stack, numbers)), strict=True))
    # bodies are thicker than the step: their sharpest plane may be a neighbour
    assert max(found, key=found.__getitem__) in (15, 16, 17)
    assert found[4] < found[8] < found[12] < found[16] > found[20] > found[24] > found[28]
    for below, above in ((4, 28), (8, 24), (12, 20)):
        assert found[below] == pytest.approx(found[above], rel=0.35)


def test_the_same_stack_gives_the_same_bytes_and_every_plane_its_own_noise() -> None:
    stack = nuclei(110)
    one, two = render_planes(stack, [3, 16]), render_planes(nuclei(110), [16, 9, 3])[[2, 0]]
    np.testing.assert_array_equal(one, two)
    # far from focus neighbours differ by noise alone, which is not repeated
    dark = replace(stack, electrons=1e-6)
    first, second = render_planes(dark, [3, 4]).astype(float)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.03
