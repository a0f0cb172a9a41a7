from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from crystalgauge.render import render
from crystalgauge.render.composite import trace_scene
from crystalgauge.scenes import Optics, Population, Scene, SuspensionConfig, habit_library
from crystalgauge.scenes.statistics import Crowd
from crystalgauge.scenes.suspension import sample_scene

FEW = SuspensionConfig(crowds=(Crowd("few", 1.0, (12, 12), (12, 14), (30, 60)),))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return sample_scene(np.random.default_rng(7), (160, 192), FEW)


def lone_crystals(count: int, depth_px: float, optics: Optics) -> list[Scene]:
    library = habit_library(0)
    rng = np.random.default_rng(3)
    base = sample_scene(rng, (96, 96), FEW)
    scenes = []
    for row in rng.integers(0, len(library), count):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        turn *= np.sign(np.linalg.det(turn))
        place = np.array([[48 + rng.uniform(-1, 1), 48 + rng.uniform(-1, 1), depth_px]])
        crystals = Population.plain(
            np.array([row]), np.array([50.0]), turn[None], place, np.array([1.5])
        )
        scenes.append(replace(base, crystals=crystals, optics=optics))
    return scenes


def test_the_same_scene_gives_the_same_bytes(scene: Scene) -> None:
    first, truth = render(scene)
    again, _ = render(scene)
    assert first.pixels.dtype == np.uint8
    assert first.shape == (160, 192)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert len(truth.crystals) == len(scene.crystals)


def test_outlines_agree_with_what_is_traced() -> None:
    """A half-pixel offset between outline and picture would show as 0.5 px in the centroids."""
    optics = Optics(
        aperture_tan=1e-6, condenser_rad=0.02, condenser_falloff_rad=0.01, stray_light=0
    )
    shifts = []
    for scene in lone_crystals(25, 0.0, optics):
        layers = trace_scene(scene)
        outline = render(scene)[1].crystals.outlines[0]
        seen = 1 - layers.layer(0)
        x0, y0, x1, y1 = layers.windows[0]
        centres = np.stack(np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5), axis=-1)
        near = shapely.buffer(outline, 0.75)
        strays = seen[~shapely.contains_xy(near, *centres.reshape(-1, 2).T).reshape(seen.shape)]
        assert np.abs(strays).max(initial=0) < 1e-6
        mask = seen > 0.02
        rows, columns = np.nonzero(mask)
        low, high = np.array(outline.bounds[:2]), np.array(outline.bounds[2:])
        middle = np.array([columns.min() + columns.max() + 1, rows.min() + rows.max() + 1]) / 2
        shifts.append(middle + np.array([x0, y0]) - (low + high) / 2)
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.12


def opaque(scene: Scene) -> Scene:
    black = {**vars(scene.crystals), "absorption_per_px": np.full(1, 20.0, np.float32)}
    return replace(scene, crystals=Population(**black))


def test_the_frame_cuts_a_blurred_crystal_without_a_trace() -> None:
    """The same crystal well inside a larger frame: rounding may move single rays, not bands."""
    for near in lone_crystals(6, 120.0, Optics(aperture_tan=0.04)):
        corner = vars(near.crystals) | {"position_px": np.array([[2.0, 90.0, 120.0]], np.float32)}
        inside = vars(near.crystals) | {"position_px": np.array([[98.0, 186.0, 120.0]], np.float32)}
        cut = trace_scene(replace(near, crystals=Population(**corner))).transmittance
        large = replace(near, shape=(288, 288), crystals=Population(**inside))
        whole = trace_scene(large).transmittance[96:192, 96:192]
        assert (whole < 0.99).any()
        assert (np.abs(cut - whole) > 1e-4).mean() < 1e-3


def test_defocus_neither_moves_nor_loses_shadow() -> None:
    """Black crystals, so that only geometry counts: the shadow spreads by the disc's variance."""
    sharp = Optics(aperture_tan=1e-6)
    soft = Optics(aperture_tan=0.01)
    for near, far in zip(lone_crystals(8, 0.0, sharp), lone_crystals(8, 300.0, soft), strict=True):
        moments = []
        for scene in (near, far):
            shadow = 1 - trace_scene(opaque(scene)).transmittance.astype(np.float64)
            where = np.indices(shadow.shape) + 0.5
            mean = (where * shadow).sum(axis=(1, 2)) / shadow.sum()
            spread = ((where - mean[:, None, None]) ** 2 * shadow).sum(axis=(1, 2)) / shadow.sum()
            moments.append((shadow.sum(), mean, spread.sum()))
        # tilted by up to 0.01, a body shows a little of its sides: 2 % of the area, 0.2 px
        assert moments[1][0] == pytest.approx(moments[0][0], rel=0.02)
        np.testing.assert_allclose(moments[1][1], moments[0][1], atol=0.2)
        expected = 2 * (300 * 0.01) ** 2 / 4
        assert moments[1][2] - moments[0][2] == pytest.approx(expected, rel=0.15)


def test_truth_knows_depth_blur_and_frame(scene: Scene) -> None:
    _, truth = render(scene)
    crystals = truth.crystals
    depth = scene.crystals.position_px[:, 2]
    disc = np.abs(depth) * scene.optics.aperture_tan / 2
    np.testing.assert_allclose(crystals["depth_px"], depth)
    np.testing.assert_allclose(
        crystals["defocus_px"], np.hypot(disc, scene.camera.psf_sigma_px), rtol=1e-6
    )
    frame = shapely.box(0, 0, 192, 160)
    inside = shapely.area(shapely.intersection(crystals.outlines, frame)) / crystals.area_px2
    np.testing.assert_allclose(crystals["in_frame_fraction"], inside, atol=1e-9)
    assert (crystals["visible_fraction"] <= inside + 1e-9).all()
    assert (crystals["signal"] >= 0).all()
    assert (crystals["noise"] > 0).all()


def test_overlap_fraction_agrees_with_the_polygons(scene: Scene) -> None:
    _, truth = render(scene)
    outlines = truth.crystals.outlines
    frame = shapely.box(0, 0, 192, 160)
    for row, outline in enumerate(shapely.intersection(outlines, frame)):
        if outline.area < 200:
            continue
        others = np.delete(outlines, row)
        expected = shapely.area(shapely.intersection(outline, others)).sum() / outline.area
        # counted on pixel centres: some perimeter / area of error
        assert truth.crystals["overlap_fraction"][row] == pytest.approx(expected, abs=0.1)


def test_an_empty_scene_has_no_crystals(scene: Scene) -> None:
    empty = replace(scene, crystals=scene.crystals.take(np.zeros(len(scene.crystals), bool)))
    picture, truth = render(empty)
    assert picture.shape == (160, 192)
    assert len(truth.crystals) == 0
    assert truth.contacts.shape == (0, 2)
